use http::{HeaderName, HeaderValue};

use super::{testing::signature, *};

const URL: &str = "http://127.0.0.1:4000";

struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
    time: SystemTime,
    service: &'static str,
    action: &'static str,
}

fn signed(
    credentials: &Credentials,
    method: &str,
    path: &str,
    extra: &[(&str, &str)],
    body: &str,
) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("127.0.0.1:4000"));
    for (name, value) in extra {
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    let (time, url) = (SystemTime::now(), format!("{URL}{path}"));
    for (name, value) in signature(credentials, "sqs", time, (method, &url), &headers, body.as_bytes()) {
        headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    Request {
        method: method.parse().unwrap(),
        uri: path.parse().unwrap(),
        headers,
        body: body.as_bytes().to_vec(),
        time,
        service: "sqs",
        action: "sqs:SendMessage",
    }
}

fn check(identities: &Identities, request: &Request) -> Result<String, &'static str> {
    let Request { method, uri, headers, body, .. } = request;
    identities
        .authorize(method, uri, headers, body, request.service, request.action)
        .map(|principal| principal.name)
        .map_err(|denied| denied.code)
}

#[test]
fn what_the_sdk_signs_is_accepted() {
    let identities = Identities::default();
    let credentials = identities.issue("worker", &["sqs:SendMessage"]);
    assert!(credentials.access_key_id.starts_with("ASIA") && credentials.access_key_id.len() == 20);
    for path in [
        "/",
        "/model/us.anthropic.claude-haiku-5-5-v1%3A0/converse-stream",
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/converse-stream",
        "/prod/@connections/a%3D%3D",
        "/prod/%40connections/L0SM9cOFvHcCIhw%3D",
        "/a//b/./c/../d/",
        "/../x/..",
        "/~user/a+b/%C3%BC/%e4",
        "/?b=2&a=1&a=0&c",
        "/?q=a%20b&r=a+b&s=%2F%7e&%C3%BC=%E2%82%AC&a-b=1&aB=2",
    ] {
        for body in ["", "{\"MessageBody\":\"Grüße\"}"] {
            let headers = [("x-amz-target", "AmazonSQS.SendMessage"), ("x-many", " a   b "), ("x-many", "c")];
            let request = signed(&credentials, "POST", path, &headers, body);
            assert_eq!(check(&identities, &request), Ok("worker".to_owned()), "{path}");
        }
    }
    let get = signed(&credentials, "GET", "/prod/%40connections/x", &[], "");
    assert_eq!(check(&identities, &get), Ok("worker".to_owned()));
    let declared = [("x-amz-content-sha256", &*sha256_hex("body"))];
    let request = signed(&credentials, "POST", "/", &declared, "body");
    assert_eq!(check(&identities, &request), Ok("worker".to_owned()));
}

#[test]
fn every_change_of_a_signed_request_is_refused() {
    type Change = fn(&mut Request);
    fn set(request: &mut Request, name: &'static str, value: &str) {
        request.headers.insert(name, value.parse().unwrap());
    }
    fn edit(request: &mut Request, from: &str, to: &str) {
        let value = request.headers["authorization"].to_str().unwrap().to_owned();
        assert!(value.contains(from), "{from}");
        set(request, "authorization", &value.replacen(from, to, 1));
    }
    const SIGNATURE: &str = "InvalidSignatureException";
    const CLIENT: &str = "UnrecognizedClientException";
    const INCOMPLETE: &str = "IncompleteSignatureException";
    let cases: &[(&str, &str, Change)] = &[
        ("method", SIGNATURE, |r| r.method = Method::PUT),
        ("path", SIGNATURE, |r| r.uri = "/other?a=1&b=2".parse().unwrap()),
        ("query value", SIGNATURE, |r| r.uri = "/x?a=1&b=3".parse().unwrap()),
        ("query removed", SIGNATURE, |r| r.uri = "/x".parse().unwrap()),
        ("body", SIGNATURE, |r| r.body.push(b' ')),
        ("body emptied", SIGNATURE, |r| r.body.clear()),
        ("host", SIGNATURE, |r| set(r, "host", "127.0.0.1:4001")),
        ("signed header", SIGNATURE, |r| set(r, "x-amz-target", "AmazonSQS.DeleteMessage")),
        ("signed header removed", SIGNATURE, |r| drop(r.headers.remove("x-plain"))),
        ("signed header doubled", SIGNATURE, |r| {
            r.headers.append("x-plain", "2".parse().unwrap());
        }),
        ("unsigned x-amz header", SIGNATURE, |r| set(r, "x-amz-more", "1")),
        ("content hash", SIGNATURE, |r| set(r, "x-amz-content-sha256", "UNSIGNED-PAYLOAD")),
        ("host not signed", SIGNATURE, |r| edit(r, "host;", "")),
        ("date not signed", SIGNATURE, |r| edit(r, "x-amz-date;", "")),
        ("token not signed", SIGNATURE, |r| edit(r, "x-amz-security-token;", "")),
        ("signature", SIGNATURE, |r| edit(r, "Signature=", "Signature=0")),
        ("signature in capitals", SIGNATURE, |r| {
            let value = r.headers["authorization"].to_str().unwrap().to_owned();
            let (start, signature) = value.split_once("Signature=").unwrap();
            set(r, "authorization", &format!("{start}Signature=A{}", signature[1..].to_uppercase()));
        }),
        ("scope's region", SIGNATURE, |r| edit(r, "us-east-1", "eu-west-1")),
        ("scope's service", SIGNATURE, |r| edit(r, "/sqs/", "/bedrock/")),
        ("another service", SIGNATURE, |r| r.service = "bedrock"),
        ("scope's terminator", INCOMPLETE, |r| edit(r, "aws4_request", "aws5_request")),
        ("algorithm", INCOMPLETE, |r| edit(r, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512")),
        ("no signature", INCOMPLETE, |r| edit(r, "Signature=", "Other=")),
        ("bearer", INCOMPLETE, |r| set(r, "authorization", "Bearer x")),
        ("date", SIGNATURE, |r| set(r, "x-amz-date", "20010101T000000Z")),
        ("date's form", INCOMPLETE, |r| set(r, "x-amz-date", "2001-01-01T00:00Z")),
        ("no date", INCOMPLETE, |r| drop(r.headers.remove("x-amz-date"))),
        ("key id", CLIENT, |r| edit(r, "Credential=ASIA", "Credential=ASIB")),
        ("token", CLIENT, |r| set(r, "x-amz-security-token", "other")),
        ("no token", CLIENT, |r| drop(r.headers.remove("x-amz-security-token"))),
        ("unsigned", "MissingAuthenticationTokenException", |r| drop(r.headers.remove("authorization"))),
        ("action", "AccessDeniedException", |r| r.action = "sqs:DeleteMessage"),
    ];
    let identities = Identities::default();
    let credentials = identities.issue("worker", &["sqs:SendMessage"]);
    for (name, code, change) in cases {
        let headers = [("x-amz-target", "AmazonSQS.SendMessage"), ("x-plain", "1")];
        let mut request = signed(&credentials, "POST", "/x?a=1&b=2", &headers, "{}");
        assert_eq!(check(&identities, &request), Ok("worker".to_owned()));
        change(&mut request);
        assert_eq!(check(&identities, &request), Err(*code), "{name}");
    }
}

#[test]
fn one_identity_cannot_use_the_secret_or_the_token_of_another() {
    let identities = Identities::default();
    let (a, b) = (identities.issue("a", &["sqs:SendMessage"]), identities.issue("b", &[]));
    let wrong_secret = Credentials { secret_access_key: b.secret_access_key.clone(), ..a.clone() };
    let wrong_token = Credentials { session_token: b.session_token.clone(), ..a.clone() };
    let code = |credentials| check(&identities, &signed(credentials, "POST", "/", &[], "{}"));
    assert_eq!(code(&wrong_secret), Err("InvalidSignatureException"));
    assert_eq!(code(&wrong_token), Err("UnrecognizedClientException"));
    assert_eq!(code(&b), Err("AccessDeniedException"));
    assert!(!format!("{a:?}").contains(&a.secret_access_key));
}

#[test]
fn a_signature_is_good_for_five_minutes() {
    let identities = Identities::default();
    let credentials = identities.issue("worker", &[]);
    let Request { method, uri, headers, body, time, .. } = signed(&credentials, "POST", "/", &[], "");
    let request = Signed { method: &method, uri: &uri, headers: &headers, body: &body };
    let at = |now| identities.authenticate(&request, "sqs", now).is_ok();
    assert!(at(time) && at(time + Duration::from_secs(298)) && at(time - Duration::from_secs(298)));
    assert!(!at(time + Duration::from_secs(302)) && !at(time - Duration::from_secs(302)));
}
