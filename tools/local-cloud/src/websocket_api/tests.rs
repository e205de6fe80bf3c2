//! Over real sockets, with `echo_bootstrap` as authorizer, session and stream function.

use std::net::SocketAddr;

use axum::serve::ListenerExt;
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        error::{ProtocolError, SubProtocolError},
        protocol::{
            CloseFrame, WebSocketConfig,
            frame::{
                Frame,
                coding::{CloseCode, Data, OpCode},
            },
        },
    },
};

use super::*;
use crate::lambda::double::{echo, eventually, logged};

mod posts;

type Client = WebSocketStream<TcpStream>;

struct Served {
    lambda: Lambda,
    api: WebSocketApi,
    faults: Faults,
    address: SocketAddr,
}

const STREAM_TEMPLATE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../terraform/modules/websocket-api/stream-request.json.vtl");

async fn serve(change: impl FnOnce(&mut WebSocketApiConfig)) -> Served {
    let functions = ["authorizer", "session", "stream"].map(|role| {
        let mut config = echo(role);
        config.environment = vec![("ECHO_ROLE".into(), role.into())];
        config.concurrency = 4;
        config
    });
    let (lambda, faults) = (Lambda::new(functions.into()), Faults::default());
    let mut config = WebSocketApiConfig {
        stage: "live".into(),
        authorizer: "authorizer".into(),
        session: "session".into(),
        stream: "stream".into(),
        stream_template: STREAM_TEMPLATE.into(),
        idle_timeout: IDLE_TIMEOUT,
        max_duration: MAX_DURATION,
    };
    change(&mut config);
    // Stands for the signature, which is not what is tested here.
    let api = WebSocketApi::guarded_by(config, lambda.clone(), faults.clone(), |_, _, headers, _| {
        let denied = Denied { code: "AccessDeniedException", message: "not signed".into() };
        headers.get("authorization").map(drop).ok_or(denied)
    })
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let router = api.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Served { lambda, api, faults, address }
}

impl Served {
    async fn try_connect(&self, protocols: Option<&str>) -> Result<(Client, String), Error> {
        let mut request = format!("ws://{}/live?q=1", self.address).into_client_request()?;
        if let Some(protocols) = protocols {
            request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
        }
        // A client that would refuse a larger frame than API Gateway sends.
        let config = WebSocketConfig::default().max_frame_size(Some(MAX_FRAME));
        let stream = TcpStream::connect(self.address).await?;
        let (client, response) = client_async_with_config(request, stream, Some(config)).await?;
        let chosen = response.headers().get("sec-websocket-protocol");
        Ok((client, chosen.map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default()))
    }

    /// A client, and its connection id as `$default` sees it.
    async fn connect(&self) -> (Client, String) {
        let (mut client, _) = self.try_connect(Some("llm-stream.v1, bearer.x")).await.unwrap();
        client.send(Message::text("who am I")).await.unwrap();
        let event = next_json(&mut client).await;
        let id = event["requestContext"]["connectionId"].as_str().unwrap().to_owned();
        (client, id)
    }

    /// Calls `@connections`, signed or not.
    async fn call(&self, method: &str, id: &str, signed: &str, body: &[u8]) -> (u16, String) {
        let (length, id) = (body.len(), id.replace('=', "%3D"));
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "{method} /live/@connections/{id} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{signed}content-length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        (answer[9..12].parse().unwrap(), answer)
    }

    async fn post(&self, id: &str, body: &[u8]) -> u16 {
        self.call("POST", id, SIGNED, body).await.0
    }

    async fn disconnected(&self, id: &str, code: u16) {
        let line = format!("disconnect {id} {code} ");
        eventually(&line, || logged(&self.lambda, &line) == 1).await;
        assert_eq!(self.post(id, b"x").await, 410, "it is gone");
    }
}

const SIGNED: &str = "authorization: AWS4-HMAC-SHA256 x\r\n";

async fn next_json(client: &mut Client) -> Value {
    let message = client.next().await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

async fn closed_with(client: &mut Client) -> u16 {
    while let Some(message) = client.next().await {
        if let Message::Close(Some(frame)) = message.expect("a close frame comes before the end") {
            return frame.code.into();
        }
    }
    panic!("no close frame")
}

#[tokio::test]
async fn a_refused_upgrade_has_a_real_status() {
    let served = serve(|_| {}).await;
    let missing = served.try_connect(None).await;
    assert!(matches!(&missing, Err(Error::Http(response)) if response.status() == StatusCode::UNAUTHORIZED));
    assert!(
        served.lambda.environments("authorizer").is_empty(),
        "nobody is asked without the identity source"
    );
    for (protocols, status) in [
        ("bearer.deny", 403),
        ("bearer.unauthorized", 401),
        ("bearer.fail", 500),
        ("bearer.object", 500),
        ("bearer.malformed", 500),
        ("connect.refuse", 418),
        ("connect.fail", 502),
    ] {
        match served.try_connect(Some(protocols)).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), status, "{protocols}"),
            other => panic!("{protocols}: {other:?}"),
        }
    }
    assert_eq!(logged(&served.lambda, "disconnect"), 0);
    let plain = "GET /live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(plain.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 426"), "{answer}");
    served.lambda.shutdown().await;
}

#[tokio::test]
async fn the_subprotocol_is_the_one_that_connect_answers_or_none() {
    let served = serve(|_| {}).await;
    let (_client, chosen) = served.try_connect(Some("other.v2, llm-stream.v1, bearer.x")).await.unwrap();
    assert_eq!(chosen, "llm-stream.v1");
    let mute = served.try_connect(Some("llm-stream.v1, connect.mute")).await;
    let none = ProtocolError::SecWebSocketSubProtocolError(SubProtocolError::NoSubProtocol);
    assert!(matches!(mute, Err(Error::Protocol(error)) if error == none));
    served.lambda.shutdown().await;
}

#[tokio::test]
async fn default_is_a_proxy_integration_with_a_route_response() {
    let served = serve(|_| {}).await;
    let (mut client, id) = served.connect().await;
    client.send(Message::text(r#"{"action":"ping"}"#)).await.unwrap();
    let event = next_json(&mut client).await;
    let context = &event["requestContext"];
    assert_eq!((&context["routeKey"], &context["eventType"]), (&json!("$default"), &json!("MESSAGE")));
    assert_eq!((&context["connectionId"], &context["stage"]), (&json!(id), &json!("live")));
    let authorizer = json!({"principalId": "user-1", "sub": "user-1", "exp": "1900000000", "admin": "true"});
    assert_eq!(context["authorizer"], authorizer);
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(r#"{"action":"ping"}"#), &json!(false)));
    assert!(event.get("headers").is_none());

    client.send(Message::binary(&b"\xff\x00"[..])).await.unwrap();
    let event = next_json(&mut client).await;
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/wA="), &json!(true)));

    for order in ["fail", "refuse"] {
        client.send(Message::text(json!({ "do": order }).to_string())).await.unwrap();
        let error = next_json(&mut client).await;
        assert_eq!(
            (&error["message"], &error["connectionId"]),
            (&json!("Internal server error"), &json!(id))
        );
    }
    client.send(Message::text(r#"{"do":"silent"}"#)).await.unwrap();
    assert_eq!(served.post(&id, b"{}").await, 200);
    assert_eq!(next_json(&mut client).await, json!({}), "a silent answer sends nothing");
    served.lambda.shutdown().await;
}

#[tokio::test]
async fn the_stream_route_renders_the_proxy_event_of_the_same_message() {
    let served = serve(|_| {}).await;
    let (mut client, id) = served.connect().await;
    client.send(Message::text("proxy")).await.unwrap();
    let proxy = next_json(&mut client).await;
    client.send(Message::text(r#"{"action":"stream","prompt":"it's"}"#)).await.unwrap();
    eventually("the event", || logged(&served.lambda, "event {") == 1).await;
    let logs = served.lambda.logs();
    let event = logs.iter().find_map(|(_, line)| line.strip_prefix("event ")).unwrap();
    let event: Value = serde_json::from_str(event).unwrap();
    assert_eq!(event["requestContext"]["connectionId"], json!(id));
    assert_eq!(event["requestContext"]["routeKey"], "stream");
    assert_eq!(
        (&event["body"], &event["isBase64Encoded"]),
        (&json!("eyJhY3Rpb24iOiJzdHJlYW0iLCJwcm9tcHQiOiJpdCdzIn0="), &json!(true))
    );
    assert_eq!(
        event["requestContext"]["authorizer"],
        json!({"sub": "user-1", "exp": "1900000000", "principalId": "user-1"})
    );
    for (name, value) in event["requestContext"].as_object().unwrap() {
        let as_proxy = &proxy["requestContext"][name];
        assert_eq!(
            std::mem::discriminant(value),
            std::mem::discriminant(as_proxy),
            "{name}: {value} {as_proxy}"
        );
    }
    served.lambda.shutdown().await;
}

#[tokio::test]
async fn cancel_is_answered_like_default_and_resume_is_invoked_like_stream() {
    let served = serve(|_| {}).await;
    let (mut client, id) = served.connect().await;
    let cancel = r#"{"action":"cancel","stream_id":"s"}"#;
    client.send(Message::text(cancel)).await.unwrap();
    let event = next_json(&mut client).await;
    assert_eq!((&event["requestContext"]["routeKey"], &event["body"]), (&json!("cancel"), &json!(cancel)));
    client.send(Message::text(r#"{"action":"cancel","do":"silent"}"#)).await.unwrap();
    client.send(Message::text(r#"{"action":"resume","after":12}"#)).await.unwrap();
    eventually("the event", || logged(&served.lambda, "event {") == 1).await;
    assert_eq!(logged(&served.lambda, r#""routeKey":"resume""#), 1);
    assert_eq!(served.post(&id, b"{}").await, 200);
    assert_eq!(next_json(&mut client).await, json!({}), "nothing was sent in between");
    served.lambda.shutdown().await;
}

#[tokio::test]
async fn disconnect_is_told_how_the_client_left() {
    let served = serve(|_| {}).await;
    let (mut client, id) = served.connect().await;
    let frame = CloseFrame { code: CloseCode::Library(4001), reason: "done".into() };
    client.close(Some(frame)).await.unwrap();
    assert_eq!(closed_with(&mut client).await, 4001, "the close is answered");
    served.disconnected(&id, 4001).await;
    assert_eq!(logged(&served.lambda, "4001 \"done\""), 1);
    let (mut client, id) = served.connect().await;
    client.close(None).await.unwrap();
    served.disconnected(&id, 1005).await;
    let (client, id) = served.connect().await;
    drop(client);
    served.disconnected(&id, 1006).await;
    served.lambda.shutdown().await;
}

#[tokio::test]
async fn what_is_too_large_closes_with_1009() {
    let served = serve(|_| {}).await;
    let frame = |size, first, last| {
        let opcode = OpCode::Data(if first { Data::Text } else { Data::Continue });
        Message::Frame(Frame::message(vec![b'x'; size], opcode, last))
    };
    let (mut client, _) = served.connect().await;
    for part in 0..4 {
        client.send(frame(MAX_FRAME, part == 0, part == 3)).await.unwrap();
    }
    let event = next_json(&mut client).await;
    assert_eq!(event["body"].as_str().unwrap().len(), MAX_MESSAGE, "exactly the limit passes");
    for part in 0..4 {
        client.send(frame(MAX_FRAME, part == 0, false)).await.unwrap();
    }
    client.send(frame(1, false, true)).await.unwrap();
    assert_eq!(closed_with(&mut client).await, 1009);

    let (mut client, id) = served.connect().await;
    client.send(frame(MAX_FRAME + 1, true, true)).await.unwrap();
    assert_eq!(closed_with(&mut client).await, 1009);
    served.disconnected(&id, 1009).await;
    served.lambda.shutdown().await;
}

#[tokio::test]
async fn a_silent_or_an_old_connection_is_closed() {
    let limits: [fn(&mut WebSocketApiConfig, Duration); 2] =
        [|config, limit| config.idle_timeout = limit, |config, limit| config.max_duration = limit];
    for set in limits {
        let served = serve(|config| set(config, Duration::from_millis(300))).await;
        let (mut client, _) = served.try_connect(Some("llm-stream.v1, bearer.x")).await.unwrap();
        assert_eq!(closed_with(&mut client).await, 1001);
        eventually("$disconnect", || logged(&served.lambda, "1001 \"Going away\"") == 1).await;
        served.lambda.shutdown().await;
    }
}
