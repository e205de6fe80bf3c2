//! A bootstrap for the tests of local-cloud: raw HTTP/1.1 against the Runtime API, so that what is tested is
//! the wire and not a runtime library. The event says what to do (`{"do": "echo"}`), directly or in its body;
//! `ECHO_ROLE` makes it the authorizer, session or stream function of a WebSocket API.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    process::exit,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

const STREAMING: &str = "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\
    Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n";
const WITH_PRELUDE: &str = "Content-Type: application/vnd.awslambda.http-integration-response\r\n";

fn main() {
    let mut api = Api::connect();
    match std::env::var("ECHO_INIT").as_deref() {
        Ok("exit") => exit(1),
        Ok("error") => {
            let report = r#"{"errorType":"Init.Bad","errorMessage":"no settings"}"#;
            let status = api.post("init/error", "", report.as_bytes());
            println!("init error {status}");
            exit(1);
        }
        _ => println!("started"),
    }
    loop {
        let (id, event) = api.next();
        serve(&mut api, &id, &serde_json::from_slice(&event).unwrap_or_default(), &event);
    }
}

fn serve(api: &mut Api, id: &str, event: &Value, raw: &[u8]) {
    if let Ok(role) = std::env::var("ECHO_ROLE") {
        let answer = match role.as_str() {
            "authorizer" => authorize(event),
            "session" => session(event),
            _ => {
                println!("event {event}");
                Ok(Value::Null)
            }
        };
        match answer {
            Ok(answer) => api.respond(id, answer.to_string().as_bytes()),
            Err(message) => api.fail(id, &message),
        }
        return;
    }
    let order = order(event);
    match order["do"].as_str().unwrap_or("echo") {
        "environment" => {
            let all: serde_json::Map<String, Value> =
                std::env::vars().map(|(name, value)| (name, value.into())).collect();
            api.respond(id, Value::Object(all).to_string().as_bytes());
        }
        "fail" => api.fail(id, "as told"),
        "exit" => exit(3),
        "hang" => loop {
            std::thread::park();
        },
        "skip" => {}
        "twice" => {
            api.respond(id, b"1");
            println!("second answer {}", api.post(&format!("invocation/{id}/response"), "", b"2"));
        }
        "large" => {
            let body = vec![b'x'; usize::try_from(order["size"].as_u64().unwrap_or(0)).unwrap_or(0)];
            println!("large answer {}", api.post(&format!("invocation/{id}/response"), "", &body));
        }
        "stream" => stream(api, id, &order, raw),
        "flood" => flood(api, id, order["size"].as_u64().unwrap_or(0)),
        _ => api.respond(id, raw),
    }
}

/// `chunks` are sent one by one, each after a byte from the local port `gate` if there is one; `then` says how it ends.
fn stream(api: &mut Api, id: &str, order: &Value, raw: &[u8]) {
    let prelude = order.get("prelude").map(|prelude| [prelude.to_string().as_bytes(), &[0; 8]].concat());
    let kind = if prelude.is_some() { WITH_PRELUDE } else { "" };
    api.begin(&format!("invocation/{id}/response"), &format!("{STREAMING}{kind}"));
    let size = usize::try_from(order["split"].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    for piece in prelude.unwrap_or_default().chunks(size) {
        api.chunk(piece);
    }
    let mut gate = order["gate"].as_u64().map(|port| {
        TcpStream::connect(("127.0.0.1", u16::try_from(port).expect("a port"))).expect("the gate is open")
    });
    for chunk in order["chunks"].as_array().into_iter().flatten() {
        if let Some(gate) = &mut gate {
            gate.read_exact(&mut [0]).expect("the gate stays open");
        }
        api.chunk(chunk.as_str().unwrap_or_default().as_bytes());
    }
    match order["then"].as_str().unwrap_or("end") {
        "exit" => exit(3),
        "abort" => return api.abort(),
        "hang" => loop {
            std::thread::park();
        },
        "trailer" => {
            let report = BASE64_STANDARD.encode(r#"{"errorMessage":"half way"}"#);
            api.write(
                format!("0\r\nLambda-Runtime-Function-Error-Type: Boom\r\nLambda-Runtime-Function-Error-Body: {report}\r\n\r\n")
                    .as_bytes(),
            );
        }
        "event" => {
            api.chunk(raw);
            api.write(b"0\r\n\r\n");
        }
        _ => api.write(b"0\r\n\r\n"),
    }
    println!("stream answer {}", api.response().0);
}

fn flood(api: &mut Api, id: &str, size: u64) {
    const CHUNK: &[u8] = &[b'x'; 16 * 1024];
    api.begin(&format!("invocation/{id}/response"), STREAMING);
    for sent in 0..size / CHUNK.len() as u64 {
        if !api.try_write(&[b"4000\r\n", CHUNK, b"\r\n"].concat()) {
            println!("dropped before {sent}");
            return *api = Api::connect();
        }
    }
    if api.try_write(b"0\r\n\r\n") {
        println!("flooded {}", api.response().0);
    }
}

fn authorize(event: &Value) -> Result<Value, String> {
    let offered = header(event, "sec-websocket-protocol");
    let order = offered.split(", ").find_map(|it| it.strip_prefix("bearer.")).unwrap_or_default();
    let policy = |effect: &str| {
        json!({"Version": "2012-10-17", "Statement": [
        {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}]})
    };
    match order {
        "deny" => Ok(json!({"principalId": "user-1", "policyDocument": policy("Deny")})),
        "unauthorized" => Err("Unauthorized".to_owned()),
        "fail" => Err("as told".to_owned()),
        "object" => Ok(json!({"principalId": "u", "policyDocument": policy("Allow"), "context": {"a": {}}})),
        "malformed" => Ok(json!({"isAuthorized": true})),
        _ => Ok(json!({"principalId": "user-1", "policyDocument": policy("Allow"),
            "context": {"sub": "user-1", "exp": 1_900_000_000, "admin": true}})),
    }
}

fn session(event: &Value) -> Result<Value, String> {
    let context = &event["requestContext"];
    match context["eventType"].as_str() {
        Some("CONNECT") => {
            let offered = header(event, "sec-websocket-protocol");
            match offered.split(", ").find_map(|it| it.strip_prefix("connect.")) {
                Some("refuse") => Ok(json!({"statusCode": 418, "body": "no"})),
                Some("mute") => Ok(json!({"statusCode": 200})),
                Some("fail") => Err("as told".to_owned()),
                _ => Ok(json!({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "llm-stream.v1"}})),
            }
        }
        Some("DISCONNECT") => {
            let (code, reason) = (&context["disconnectStatusCode"], &context["disconnectReason"]);
            println!("disconnect {} {code} {reason}", context["connectionId"].as_str().unwrap_or_default());
            Ok(json!({"statusCode": 200}))
        }
        _ => match order(event)["do"].as_str() {
            Some("silent") => Ok(json!({"statusCode": 200})),
            Some("fail") => Err("as told".to_owned()),
            Some("refuse") => Ok(json!({"statusCode": 500, "body": "internal words"})),
            _ => Ok(json!({"statusCode": 200, "body": event.to_string()})),
        },
    }
}

fn header<'a>(event: &'a Value, name: &str) -> &'a str {
    let headers = event["headers"].as_object().into_iter().flatten();
    headers
        .filter(|(it, _)| it.eq_ignore_ascii_case(name))
        .find_map(|(_, value)| value.as_str())
        .unwrap_or_default()
}

fn order(event: &Value) -> Value {
    match event["body"].as_str() {
        Some(body) if event["isBase64Encoded"] == true => {
            serde_json::from_slice(&BASE64_STANDARD.decode(body).unwrap_or_default()).unwrap_or_default()
        }
        Some(body) => serde_json::from_str(body).unwrap_or_default(),
        None => event.clone(),
    }
}

/// Status, headers and body.
type HttpMessage = (u16, Vec<(String, String)>, Vec<u8>);

struct Api {
    stream: BufReader<TcpStream>,
}

impl Api {
    fn connect() -> Self {
        let address = std::env::var("AWS_LAMBDA_RUNTIME_API").expect("Lambda sets it");
        let stream = TcpStream::connect(address).expect("the Runtime API listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Self { stream: BufReader::new(stream) }
    }

    /// Breaks the request off, and comes back when that has been noticed: over another connection the next request
    /// could overtake this one.
    fn abort(&mut self) {
        let broken_off = self.stream.get_ref().shutdown(Shutdown::Write);
        if broken_off.and_then(|()| self.stream.read_to_end(&mut Vec::new())).is_err() {
            exit(0);
        }
        *self = Self::connect();
    }

    fn next(&mut self) -> (String, Vec<u8>) {
        self.write(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n");
        let (_, headers, body) = self.read().unwrap_or_else(|| exit(0));
        let id = headers.iter().find(|(name, _)| name == "lambda-runtime-aws-request-id").cloned();
        (id.expect("every invocation has an id").1, body)
    }

    fn respond(&mut self, id: &str, body: &[u8]) {
        self.post(&format!("invocation/{id}/response"), "", body);
    }

    fn fail(&mut self, id: &str, message: &str) {
        let report = json!({"errorType": "Boom", "errorMessage": message});
        self.post(&format!("invocation/{id}/error"), "", report.to_string().as_bytes());
    }

    fn post(&mut self, path: &str, headers: &str, body: &[u8]) -> u16 {
        self.begin(path, &format!("{headers}Content-Length: {}\r\n", body.len()));
        self.write(body);
        self.response().0
    }

    fn begin(&mut self, path: &str, headers: &str) {
        self.write(
            format!("POST /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: runtime\r\n{headers}\r\n").as_bytes(),
        );
    }

    fn chunk(&mut self, data: &[u8]) {
        self.write(&[format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat());
    }

    fn write(&mut self, bytes: &[u8]) {
        if !self.try_write(bytes) {
            exit(0);
        }
    }

    fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.stream.get_mut().write_all(bytes).is_ok()
    }

    fn response(&mut self) -> (u16, Vec<u8>) {
        let (status, _, body) = self.read().unwrap_or_else(|| exit(0));
        (status, body)
    }

    fn read(&mut self) -> Option<HttpMessage> {
        let mut line = String::new();
        self.stream.read_line(&mut line).ok()?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let (mut headers, mut length) = (vec![], 0);
        loop {
            line.clear();
            self.stream.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            if name == "content-length" {
                length = value.parse().ok()?;
            }
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        Some((status, headers, body))
    }
}
