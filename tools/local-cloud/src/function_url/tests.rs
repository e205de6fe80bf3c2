//! Over real sockets, byte for byte.

use std::time::Duration;

use axum::serve::ListenerExt;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    faults::{At, DeliveryFault, Plan},
    lambda::{FunctionConfig, double::echo},
};

struct Served {
    lambda: Lambda,
    address: SocketAddr,
    faults: Faults,
}

/// A response, its body decoded; `whole` is whether the last chunk came.
struct Answer {
    status: u16,
    head: String,
    body: String,
    whole: bool,
}

async fn serve(origins: &[&str], change: impl FnOnce(&mut FunctionConfig)) -> Served {
    let mut config = echo("f");
    change(&mut config);
    let lambda = Lambda::new(vec![config]);
    let own = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
    let cors = Cors {
        allow_origins: own(origins),
        allow_methods: own(&["POST"]),
        allow_headers: own(&["authorization", "content-type"]),
        expose_headers: own(&["x-amzn-requestid"]),
        max_age_seconds: 300,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let faults = Faults::default();
    let router = router(lambda.clone(), "f", cors, faults.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Served { lambda, address, faults }
}

impl Served {
    async fn open(&self, request_line: &str, headers: &str, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let head = format!(
            "{request_line} HTTP/1.1\r\nhost: url.test\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server may refuse a large body before it has all of it.
        drop(stream.write_all(body).await);
        stream
    }

    async fn send(&self, request_line: &str, headers: &str, body: &[u8]) -> Answer {
        let mut stream = self.open(request_line, headers, body).await;
        let mut read = Vec::new();
        drop(stream.read_to_end(&mut read).await);
        parse(&read)
    }

    async fn post(&self, order: Value) -> Answer {
        self.send("POST /", "content-type: application/json\r\n", order.to_string().as_bytes()).await
    }

    /// The event that the function got.
    async fn event(&self, request_line: &str, headers: &str, body: &[u8]) -> Value {
        let answer = self.send(request_line, headers, body).await;
        serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{}", answer.head))
    }
}

fn parse(read: &[u8]) -> Answer {
    let at = read.windows(4).position(|it| it == b"\r\n\r\n").expect("a response has a head");
    let head = String::from_utf8(read[..at].to_vec()).unwrap();
    let (mut rest, mut body, mut whole) = (&read[at + 4..], String::new(), false);
    if head.contains("transfer-encoding: chunked") {
        while let Some(line) = rest.windows(2).position(|it| it == b"\r\n") {
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
            whole = size == 0;
            body += std::str::from_utf8(&rest[line + 2..line + 2 + size]).unwrap();
            rest = &rest[line + 4 + size..];
        }
    } else {
        whole = true;
        body = String::from_utf8(rest.to_vec()).unwrap();
    }
    Answer { status: head[9..12].parse().unwrap(), head, body, whole }
}

#[tokio::test]
async fn a_request_becomes_an_event_of_version_2() {
    let url = serve(&[], |_| {}).await;
    let headers = "X-A: 1\r\nx-a: 2\r\ncookie: a=b; c=d\r\ncookie: e=f\r\ncontent-type: application/json; charset=utf-8\r\n";
    let event = url.event("POST /p%20q?x=1&y=%20&x=2", headers, "{\"é\":1}".as_bytes()).await;
    assert_eq!(event["version"], "2.0");
    assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!("/p%20q"), &json!("x=1&y=%20&x=2")));
    assert_eq!(event["queryStringParameters"], json!({"x": "1,2", "y": " "}));
    assert_eq!(event["headers"]["x-a"], "1,2");
    assert_eq!(event["headers"]["host"], "url.test");
    assert_eq!(event["cookies"], json!(["a=b", "c=d", "e=f"]));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{\"é\":1}"), &json!(false)));
    let context = &event["requestContext"];
    assert_eq!(
        (&context["http"]["method"], &context["http"]["protocol"]),
        (&json!("POST"), &json!("HTTP/1.1"))
    );
    assert_eq!((&context["stage"], &context["domainName"]), (&json!("$default"), &json!("url.test")));
    url.lambda.shutdown().await;
}

#[tokio::test]
async fn a_body_is_text_only_if_its_type_and_its_bytes_say_so() {
    let url = serve(&[], |_| {}).await;
    let cases: [(&str, &[u8], &str, bool); 5] = [
        ("content-type: text/plain\r\n", b"hi", "hi", false),
        ("content-type: application/problem+json\r\n", b"{}", "{}", false),
        ("content-type: application/json\r\n", b"\xff", "/w==", true),
        ("content-type: application/octet-stream\r\n", b"hi", "aGk=", true),
        ("", b"hi", "aGk=", true),
    ];
    for (headers, sent, body, encoded) in cases {
        let event = url.event("POST /", headers, sent).await;
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(body), &json!(encoded)), "{headers}");
    }
    assert!(url.event("GET /", "", b"").await.get("body").is_none());
    url.lambda.shutdown().await;
}

#[tokio::test]
async fn a_response_carries_what_its_prelude_says() {
    let url = serve(&[], |_| {}).await;
    let prelude =
        json!({"statusCode": 201, "headers": {"x-a": "b", "content-length": "1"}, "cookies": ["c=d", "e=f"]});
    let answer = url.post(json!({"do": "stream", "prelude": prelude, "chunks": ["Hel", "lo"]})).await;
    assert_eq!((answer.status, answer.body.as_str(), answer.whole), (201, "Hello", true));
    for header in [
        "x-a: b",
        "set-cookie: c=d",
        "set-cookie: e=f",
        "x-amzn-requestid: ",
        "content-type: application/octet-stream",
    ] {
        assert!(answer.head.contains(header), "{header}: {}", answer.head);
    }
    url.lambda.shutdown().await;
}

#[tokio::test]
async fn chunks_leave_one_by_one() {
    let url = serve(&[], |_| {}).await;
    let gate = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = gate.local_addr().unwrap().port();
    let order = json!({"do": "stream", "prelude": {}, "chunks": ["one", "two"], "gate": port}).to_string();
    let mut stream = url.open("POST /", "content-type: application/json\r\n", order.as_bytes()).await;
    let (mut read, mut gate) = (String::new(), gate.accept().await.unwrap().0);
    for chunk in ["one", "two"] {
        assert!(!read.contains(chunk), "{chunk} before it was made");
        gate.write_all(b"-").await.unwrap();
        while !read.contains(chunk) {
            let mut buffer = [0; 1024];
            let length = stream.read(&mut buffer).await.unwrap();
            assert_ne!(length, 0);
            read += std::str::from_utf8(&buffer[..length]).unwrap();
        }
    }
    url.lambda.shutdown().await;
}

#[tokio::test]
async fn a_stream_that_breaks_never_ends_cleanly() {
    let url = serve(&[], |_| {}).await;
    for then in ["exit", "abort", "trailer"] {
        let order = json!({"do": "stream", "prelude": {}, "chunks": ["half"], "then": then});
        let answer = url.post(order).await;
        assert_eq!((answer.status, answer.whole), (200, false), "{then}");
    }
    url.lambda.shutdown().await;
}

#[tokio::test]
async fn failures_before_the_response_are_the_urls_own_words() {
    let url = serve(&[], |config| config.timeout = Duration::from_secs(2)).await;
    for order in ["fail", "exit", "hang"] {
        let answer = url.post(json!({"do": order})).await;
        assert_eq!((answer.status, answer.body.as_str()), (502, "Internal Server Error"), "{order}");
        assert!(answer.head.contains("x-amzn-errortype: "), "{order}");
    }
    let answer = url.send("POST /", "", &vec![b'x'; MAX_PAYLOAD + 1]).await;
    assert_eq!(answer.status, 413);
    url.lambda.shutdown().await;
    let busy = serve(&[], |config| config.concurrency = 0).await;
    assert_eq!(busy.post(json!({})).await.status, 429);
}

#[tokio::test]
async fn cors_is_answered_from_the_configuration() {
    const PREFLIGHT: &str = "access-control-request-method: POST\r\n";
    let url = serve(&["http://a.test"], |_| {}).await;
    let allowed = url.send("OPTIONS /", &format!("origin: http://a.test\r\n{PREFLIGHT}"), b"").await;
    assert_eq!(allowed.status, 200);
    for header in [
        "access-control-allow-origin: http://a.test",
        "access-control-allow-methods: POST",
        "access-control-allow-headers: authorization,content-type",
        "access-control-max-age: 300",
        "vary: Origin",
    ] {
        assert!(allowed.head.contains(header), "{header}: {}", allowed.head);
    }
    let refused = url.send("OPTIONS /", &format!("origin: http://b.test\r\n{PREFLIGHT}"), b"").await;
    assert!(refused.status == 200 && !refused.head.contains("access-control"), "{}", refused.head);
    assert!(url.lambda.environments("f").is_empty(), "a preflight invokes nothing");

    let answer = url.send("GET /", "origin: http://a.test\r\n", b"").await;
    assert!(answer.head.contains("access-control-allow-origin: http://a.test"), "{}", answer.head);
    assert!(answer.head.contains("access-control-expose-headers: x-amzn-requestid"), "{}", answer.head);
    assert_eq!(
        url.event("GET /", "origin: http://b.test\r\n", b"").await["requestContext"]["http"]["method"],
        "GET"
    );
    let plain = url.event("OPTIONS /", "", b"").await;
    assert_eq!(plain["requestContext"]["http"]["method"], "OPTIONS");
    url.lambda.shutdown().await;

    let any = serve(&["*"], |_| {}).await;
    let answer = any.send("GET /", "origin: http://b.test\r\n", b"").await;
    assert!(answer.head.contains("access-control-allow-origin: *"), "{}", answer.head);
    any.lambda.shutdown().await;
}

#[tokio::test]
async fn a_plan_decides_what_of_an_answer_arrives() {
    use DeliveryFault::{Cut, Lose, Repeat, Swap};
    let url = serve(&[], |_| {}).await;
    let order = json!({"do": "stream", "prelude": {}, "chunks": ["a", "b", "c", "d"]});
    for (fault, body, whole) in
        [(Lose, "acd", true), (Repeat, "abbcd", true), (Swap, "acbd", true), (Cut, "a", false)]
    {
        let plan = Plan { deliveries: vec![At::once(1, fault)], ..Plan::default() };
        let planned = url.faults.plan("chunks", plan);
        // One at a time, or the function's portions could come as one.
        let gate = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut order = order.clone();
        order["gate"] = gate.local_addr().unwrap().port().into();
        let open = async {
            let mut gate = gate.accept().await.unwrap().0;
            for sent in 0..4 {
                gate.write_all(b"-").await.unwrap();
                while planned.sent().len() <= sent && !(fault == Cut && sent > 1) {
                    tokio::task::yield_now().await;
                }
            }
        };
        let (answer, ()) = tokio::join!(url.post(order), open);
        assert_eq!((answer.status, answer.body.as_str(), answer.whole), (200, body, whole), "{fault:?}");
    }
    url.faults.forget("chunks");
    url.faults.plan("somebody else", Plan { deliveries: vec![At::from(0, Cut)], ..Plan::default() });
    assert!(url.post(order).await.whole);
    // A stream that is resumed is named in the path alone.
    url.faults.plan("the-id", Plan { deliveries: vec![At::from(0, Cut)], ..Plan::default() });
    for (path, arrives) in [("/streams/the-id", false), ("/streams/another", true)] {
        assert_eq!(url.send(&format!("GET {path}"), "", b"").await.whole, arrives, "{path}");
    }
    url.lambda.shutdown().await;
}
