//! The realtime protocol over real sockets.

use axum::serve::ListenerExt as _;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use super::{super::execute::Published, *};

mod planned;

const SUBSCRIBE: &str = "subscription T($id: ID!) { onTokenReceived(sessionId: $id) { seq text owner } }";

/// The API on a port of its own, stopped when dropped.
struct Server {
    app: AppSync,
    address: std::net::SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn server() -> Server {
    let app = api(&lambda(Ok(r#"{"sessionId": "s-1"}"#)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let listener = listener.tap_io(|io| io.set_nodelay(true).expect("an option"));
    let router = app.router();
    let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("a server") });
    Server { app, address, task }
}

fn credentials(token: &str) -> Value {
    json!({ "Authorization": token, "host": "api.example" })
}

type Client = WebSocketStream<TcpStream>;

/// Opens a socket and tells the subprotocol that the server chose.
async fn open(server: &Server, query: &str, protocols: &str) -> (Client, Option<String>) {
    let url = format!("ws://{}/graphql{query}", server.address);
    let mut request = url.into_client_request().expect("a request");
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocols.parse().expect("a header value"));
    let stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.set_nodelay(true).expect("an option");
    let (client, response) = client_async(request, stream).await.expect("an upgrade");
    let chosen = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
    (client, chosen.map(|value| value.to_str().expect("text").to_owned()))
}

async fn connected(server: &Server, token: &str) -> Client {
    let header = URL_SAFE_NO_PAD.encode(credentials(token).to_string());
    open(server, "", &format!("graphql-ws, header-{header}")).await.0
}

async fn send(client: &mut Client, message: &Value) {
    client.send(Message::text(message.to_string())).await.expect("a socket");
}

async fn receive(client: &mut Client) -> Value {
    match client.next().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).expect("JSON"),
        other => panic!("expected a message, got {other:?}"),
    }
}

async fn exchange(client: &mut Client, message: &Value) -> Value {
    send(client, message).await;
    receive(client).await
}

fn start(id: &str, token: &str, query: &str, session: &str) -> Value {
    let data = json!({ "query": query, "variables": { "id": session } }).to_string();
    let payload = json!({ "data": data, "extensions": { "authorization": credentials(token) } });
    json!({ "type": "start", "id": id, "payload": payload })
}

async fn subscribed(server: &Server, sub: &str, id: &str, session: &str) -> Client {
    let token = format!("access-{sub}");
    let mut client = connected(server, &token).await;
    let ack = exchange(&mut client, &start(id, &token, SUBSCRIBE, session)).await;
    assert_eq!(ack, json!({ "type": "start_ack", "id": id }));
    client
}

#[tokio::test]
async fn a_subscriber_hears_its_own_session_in_order_and_nothing_else() {
    let server = server().await;
    let mut ana = connected(&server, "access-ana").await;
    let ack = exchange(&mut ana, &json!({ "type": "connection_init" })).await;
    assert_eq!(ack, json!({ "type": "connection_ack", "payload": { "connectionTimeoutMs": 300_000 } }));
    let started = exchange(&mut ana, &start("1", "access-ana", SUBSCRIBE, "s-1")).await;
    assert_eq!(started["type"], "start_ack");
    let mut thief = subscribed(&server, "eve", "1", "s-1").await;

    for (session, owner, seq) in [("s-1", "ana", 0), ("s-2", "ana", 1), ("s-1", "bob", 2), ("s-1", "ana", 3)]
    {
        publish(&server.app, PUBLISH, &event(session, owner, seq)).await;
    }
    // `text` is null: the mutation did not select it.
    for seq in [0, 3] {
        let data = json!({ "onTokenReceived": { "seq": seq, "text": null, "owner": "ana" } });
        assert_eq!(
            receive(&mut ana).await,
            json!({ "id": "1", "type": "data", "payload": { "data": data } })
        );
    }
    publish(&server.app, PUBLISH, &event("s-1", "eve", 9)).await;
    assert_eq!(receive(&mut thief).await["payload"]["data"]["onTokenReceived"]["seq"], 9);
}

#[tokio::test]
async fn a_mutation_that_does_not_select_the_owner_reaches_nobody() {
    let server = server().await;
    let mut ana = subscribed(&server, "ana", "1", "s-1").await;
    let without = "mutation P($event: StreamEventInput!) { publishToken(event: $event) { sessionId seq } }";
    publish(&server.app, without, &event("s-1", "ana", 0)).await;
    let aliased =
        "mutation P($event: StreamEventInput!) { publishToken(event: $event) { sessionId o: owner n: seq } }";
    publish(&server.app, aliased, &event("s-1", "ana", 1)).await;
    assert_eq!(receive(&mut ana).await["payload"]["data"]["onTokenReceived"]["seq"], 1);
}

#[tokio::test]
async fn a_message_over_240_kb_is_dropped() {
    let server = server().await;
    let mut ana = subscribed(&server, "ana", "1", "s-1").await;
    let query =
        "mutation P($event: StreamEventInput!) { publishToken(event: $event) { sessionId owner text seq } }";
    for (length, seq) in [(240 * 1024, 0), (200 * 1024, 1)] {
        let mut event = event("s-1", "ana", seq);
        event["text"] = json!("x".repeat(length));
        publish(&server.app, query, &event).await;
    }
    assert_eq!(receive(&mut ana).await["payload"]["data"]["onTokenReceived"]["seq"], 1);
}

#[tokio::test]
async fn stop_completes_and_a_closed_socket_leaves_nothing() {
    let server = server().await;
    let mut ana = subscribed(&server, "ana", "1", "s-1").await;
    let again = exchange(&mut ana, &start("1", "access-ana", SUBSCRIBE, "s-1")).await;
    assert_eq!(again["payload"]["errors"][0]["errorType"], "DuplicatedOperationError");
    assert_eq!(exchange(&mut ana, &start("2", "access-ana", SUBSCRIBE, "s-2")).await["type"], "start_ack");
    assert_eq!(server.app.subscriptions(), 2);
    let stop = json!({ "type": "stop", "id": "1" });
    assert_eq!(exchange(&mut ana, &stop).await, json!({ "type": "complete", "id": "1" }));
    assert_eq!(exchange(&mut ana, &stop).await["type"], "error");
    publish(&server.app, PUBLISH, &event("s-1", "ana", 0)).await;
    publish(&server.app, PUBLISH, &event("s-2", "ana", 1)).await;
    assert_eq!(receive(&mut ana).await["id"], "2");
    drop(ana);
    until(|| server.app.subscriptions() == 0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected() {
    let server = server().await;
    let stuck = subscribed(&server, "ana", "1", "s-1").await;
    let mut event = event("s-1", "ana", 0);
    event["text"] = json!("x".repeat(200 * 1024));
    let event = event.as_object().expect("an object").clone();
    let published = Published { mutation: "publishToken".to_owned(), event };
    until(|| {
        server.app.api.hub.publish(&server.app.api.schema, &published);
        server.app.subscriptions() == 0
    })
    .await;
    drop(stuck);
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let server = server().await;
    let mut client = connected(&server, "access-ana").await;
    let unsupported = "UnsupportedOperation";
    let no_host =
        json!({ "data": "{}", "extensions": { "authorization": { "Authorization": "access-ana" } } });
    for (message, error_type) in [
        (start("1", "nonsense", SUBSCRIBE, "s"), "UnauthorizedException"),
        (start("1", "id-ana", SUBSCRIBE, "s"), "Unauthorized"),
        (json!({ "type": "start", "id": "1", "payload": no_host }), "UnauthorizedException"),
        (start("1", "access-ana", "query T { protocol }", "s"), unsupported),
        (
            start("1", "access-ana", "mutation T { startStream(sessionId: \"s\") { sessionId } }", "s"),
            unsupported,
        ),
        (start("1", "access-ana", "subscription T { nothing }", "s"), "-"),
        (start("1", "access-ana", "subscription T {", "s"), "MalformedHttpRequestException"),
        (json!({ "type": "start", "id": "1" }), unsupported),
        (json!({ "type": "start", "id": "1", "payload": { "data": {} } }), unsupported),
        (json!({ "type": "start" }), unsupported),
        (json!({ "type": "stop", "id": "1" }), "UnknownOperationError"),
        (json!({ "type": "nonsense" }), unsupported),
        (json!({ "type": 1 }), unsupported),
        (json!({}), unsupported),
        (json!([]), unsupported),
    ] {
        let answer = exchange(&mut client, &message).await;
        assert_eq!(answer["type"], "error", "{message}");
        assert_eq!(answer.get("id"), message.get("id"), "{message}");
        let expected = (error_type != "-").then_some(error_type);
        assert_eq!(answer["payload"]["errors"][0]["errorType"].as_str(), expected, "{message}");
    }
    for raw in [Message::text("{"), Message::binary(vec![0])] {
        client.send(raw).await.expect("a socket");
        assert_eq!(receive(&mut client).await["type"], "error");
    }
    assert_eq!(server.app.subscriptions(), 0);
}

#[tokio::test]
async fn a_connection_needs_the_subprotocol_and_good_credentials() {
    let server = server().await;
    let good = credentials("access-ana").to_string();
    let header = |text: &str| format!("graphql-ws, header-{}", URL_SAFE_NO_PAD.encode(text));
    let query = format!("?header={}&payload=e30=", STANDARD.encode(&good).replace('=', "%3D"));
    for (query, protocols, error_type) in [
        ("", header(&good), None),
        (query.as_str(), "graphql-ws".to_owned(), None),
        ("", "graphql-ws".to_owned(), Some("UnauthorizedException")),
        ("", header("{"), Some("UnauthorizedException")),
        ("", "graphql-ws, header-***".to_owned(), Some("UnauthorizedException")),
        ("", header(r#"{"Authorization": "access-ana"}"#), Some("UnauthorizedException")),
        ("", header(r#"{"host": "api.example"}"#), Some("UnauthorizedException")),
        ("", header(&credentials("nonsense").to_string()), Some("UnauthorizedException")),
        ("", header(&credentials("Bearer access-ana").to_string()), Some("UnauthorizedException")),
    ] {
        let (mut client, chosen) = open(&server, query, &protocols).await;
        assert_eq!(chosen.as_deref(), Some("graphql-ws"), "{protocols}");
        let Some(error_type) = error_type else {
            assert_eq!(
                exchange(&mut client, &json!({ "type": "connection_init" })).await["type"],
                "connection_ack"
            );
            continue;
        };
        let refused = receive(&mut client).await;
        assert_eq!(refused["type"], "connection_error", "{protocols}");
        let error = &refused["payload"]["errors"][0];
        assert_eq!(
            (&error["errorType"], &error["errorCode"]),
            (&json!(error_type), &json!(401)),
            "{protocols}"
        );
        assert!(matches!(client.next().await, Some(Ok(Message::Close(_))) | None), "{protocols}");
    }
}

#[tokio::test]
async fn http_answers_preflights_and_bounds_bodies() {
    let server = server().await;
    let long = "x".repeat((1 << 20) + 1);
    for (request, expected) in [
        ("OPTIONS /graphql HTTP/1.1\r\nAccess-Control-Request-Headers: authorization\r\n".to_owned(), "200"),
        (format!("POST /graphql HTTP/1.1\r\nContent-Length: {}\r\n\r\n{long}", long.len()), "413"),
        ("POST /graphql HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}".to_owned(), "401"),
        ("GET /graphql HTTP/1.1\r\n".to_owned(), "400"),
    ] {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        let request = request.replacen("\r\n", "\r\nHost: x\r\nConnection: close\r\n", 1);
        let request = if request.contains("\r\n\r\n") { request } else { request + "\r\n" };
        // The server may answer and close before it has read a body that is too long.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.expect("an answer");
        assert_eq!(std::str::from_utf8(&head).expect("text"), format!("HTTP/1.1 {expected}"));
        if expected != "413" {
            let mut rest = String::new();
            stream.read_to_string(&mut rest).await.expect("the rest");
            assert!(rest.to_lowercase().contains("access-control-allow-origin: *") || expected == "400");
        }
    }
}

/// Waits for a condition that another task brings about.
async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), waiting).await.expect("the condition in time");
}
