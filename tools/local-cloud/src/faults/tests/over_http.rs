//! The control endpoint.

use serde_json::{Value, json};

use super::*;
use crate::{
    bedrock::{Bedrock, Source},
    faults::control::router,
    sigv4::{
        Identities,
        testing::{client, post, serve},
    },
};

const ACTION: &str = "bedrock:InvokeModelWithResponseStream";

fn plans(faults: &Faults) -> Vec<String> {
    faults.lock().iter().map(|planned| planned.marker.clone()).collect()
}

#[tokio::test]
async fn plans_are_made_and_forgotten_over_http() {
    let faults = Faults::default();
    let bedrock = Bedrock::new(Source::BuiltIn, Identities::default(), faults.clone());
    let server = serve(router(faults.clone(), bedrock)).await;
    let put = async |path: &str, plan: &str| {
        let answer =
            client().put(format!("{}{path}", server.url)).body(plan.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let delete = async |path: &str| {
        client().delete(format!("{}{path}", server.url)).send().await.unwrap().status().as_u16()
    };
    let plan =
        r#"{"posts":[{"call":2,"fault":{"refuse":410}}],"deliveries":[{"call":0,"times":1,"fault":"cut"}]}"#;
    assert_eq!(put("/plans/a%20stream", plan).await, (204, String::new()));
    assert_eq!(put("/plans", "{}").await.0, 204);
    assert_eq!(plans(&faults), ["a stream", ""]);
    assert_eq!(delete("/plans").await, 204);
    let planned = faults.of(b"of a stream").unwrap();
    let expected = Plan {
        posts: vec![At::from(2, CallFault::Refuse(410))],
        deliveries: vec![At::once(0, DeliveryFault::Cut)],
        ..Plan::default()
    };
    assert_eq!(planned.plan, expected);

    for (wrong, why) in [
        ("{", "EOF"),
        ("", "EOF"),
        (r#"{"post":[]}"#, "unknown field `post`"),
        (r#"{"posts":[{"call":0,"fault":"explode"}]}"#, "unknown variant `explode`"),
        (r#"{"posts":[{"fault":"hang"}]}"#, "missing field `call`"),
        (r#"{"model":{"ending":{"stop":{}}}}"#, "missing field `reason`"),
    ] {
        let (status, reason) = put("/plans/a%20stream", wrong).await;
        assert!(status == 400 && reason.contains(why), "{wrong}: {status} {reason}");
    }
    assert_eq!(faults.of(b"of a stream").unwrap().plan, expected, "a plan that is none changes nothing");
    assert_eq!((delete("/plans/a%20stream").await, delete("/plans/unknown").await), (204, 204));
    assert!(faults.is_empty());
}

#[tokio::test]
async fn the_calls_of_the_model_are_told_without_their_texts() {
    let (faults, identities) = (Faults::default(), Identities::default());
    let credentials = identities.issue("worker", &[ACTION]);
    let bedrock = Bedrock::new(Source::BuiltIn, identities, faults.clone());
    let at_once =
        Script { first_token_after: Duration::ZERO, between_tokens: Duration::ZERO, ..Script::default() };
    bedrock.script(Script { tokens: Some(vec!["secret".to_owned(); 3]), ..at_once });
    let model = serve(bedrock.router()).await;
    let control = serve(router(faults, bedrock)).await;
    let url = format!("{}/model/m/converse-stream", model.url);
    for prompt in ["mine, a secret", "another's"] {
        let body = json!({"messages": [{"role": "user", "content": [{"text": prompt}]}]}).to_string();
        let answer = post(&credentials, "bedrock", &url, &[], body.into()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap();
    }
    for (query, expected) in [("?marker=mine", 1), ("?marker=", 2), ("", 2), ("?marker=nobody", 0)] {
        let url = format!("{}/model-calls{query}", control.url);
        let text = client().get(url).send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("secret"), "{text}");
        let calls: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(calls.len(), expected, "{query}");
        for call in calls {
            assert!(call["opened_ms_ago"].is_u64());
            assert_eq!(
                (&call["tokens"], &call["completed"], &call["closed"]),
                (&json!(3), &json!(true), &json!(true))
            );
        }
    }
}
