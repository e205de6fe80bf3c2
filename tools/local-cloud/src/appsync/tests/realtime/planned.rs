//! Plans, in front of the API and behind it.

use super::*;
use crate::faults::{At, CallFault, DeliveryFault, Plan};

#[tokio::test]
async fn a_plan_decides_what_of_the_events_arrives() {
    let server = server().await;
    let mut ana = subscribed(&server, "ana", "1", "s-1").await;
    let mut other = subscribed(&server, "ana", "1", "s-2").await;
    let deliveries = vec![
        At::once(0, DeliveryFault::Lose),
        At::once(1, DeliveryFault::Repeat),
        At::once(2, DeliveryFault::Swap),
        At::once(4, DeliveryFault::Cut),
    ];
    // The subscription does not select the session's id.
    let planned = server.app.api.faults.plan("s-1", Plan { deliveries, ..Plan::default() });
    for seq in 0..5 {
        for session in ["s-1", "s-2"] {
            publish(&server.app, PUBLISH, &event(session, "ana", seq)).await;
        }
    }
    let seq = |message: Value| message["payload"]["data"]["onTokenReceived"]["seq"].clone();
    for expected in [1, 1, 3, 2] {
        assert_eq!(seq(receive(&mut ana).await), expected);
    }
    let lost = ana.next().await.expect("an error").expect_err("no close frame");
    assert!(lost.to_string().contains("without closing handshake"), "{lost}");
    for expected in 0..5 {
        assert_eq!(seq(receive(&mut other).await), expected);
    }
    assert_eq!(planned.sent().len(), 5);
}

#[tokio::test]
async fn a_planned_call_is_met_in_front_of_the_api() {
    let server = server().await;
    let publishes = vec![At::once(0, CallFault::GraphqlErrors)];
    server.app.api.faults.plan("s-1", Plan { publishes, ..Plan::default() });
    let body = json!({ "query": PUBLISH, "variables": { "event": event("s-1", "ana", 0) } }).to_string();
    for published in [0, 1] {
        let answer = crate::sigv4::testing::client()
            .post(format!("http://{}/graphql", server.address))
            .header("authorization", WORKER)
            .body(body.clone())
            .send()
            .await
            .expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        assert_eq!((answer.get("errors").is_some(), server.app.publishes()), (published == 0, published));
    }
}
