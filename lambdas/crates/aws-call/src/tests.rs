use std::time::UNIX_EPOCH;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};

use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;

use super::*;

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn service(token: Option<&str>, region: &str, name: &'static str) -> Service {
    let credentials = Credentials::new(KEY_ID, SECRET, token.map(str::to_owned), None, "test");
    Service::new(&Aws::new(HttpClient::new(), region.to_owned(), credentials), name).unwrap()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn request(
    service: &Service,
    url: &str,
    headers: &[Header],
    body: &str,
    seconds: u64,
) -> Request<Full<Bytes>> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    service.call(&url.parse().unwrap(), headers).request(body, at(seconds))
}

fn header<'a>(request: &'a Request<Full<Bytes>>, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap())
}

fn signature(request: &Request<Full<Bytes>>) -> &str {
    header(request, "authorization").unwrap().rsplit_once("Signature=").unwrap().1
}

/// `post-vanilla` and `post-sts-header-before` of AWS's test suite for signers.
#[test]
fn the_published_examples_are_signed_as_published() {
    const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPf\
                         IeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT\
                         7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKml\
                         zm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
    let check = |token: Option<&str>, names: &str, signature: &str| {
        let service = service(token, "us-east-1", "service");
        let request = request(&service, "https://example.amazonaws.com/", &[], "", 1_440_938_160);
        assert_eq!(request.method(), "POST");
        assert_eq!(header(&request, "x-amz-date"), Some("20150830T123600Z"));
        assert_eq!(header(&request, "x-amz-security-token"), token);
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential={KEY_ID}/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, \
             Signature={signature}"
        );
        assert_eq!(header(&request, "authorization"), Some(expected.as_str()));
    };
    let vanilla = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
    check(None, "host;x-amz-date", vanilla);
    let of_a_session = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead";
    check(Some(TOKEN), "host;x-amz-date;x-amz-security-token", of_a_session);
}

/// What aws-sdk-apigatewaymanagement 1.120.0 and aws-sdk-dynamodb 1.136.0 sent: its URL, what it signed besides date and
/// token, and its signature.
#[test]
fn the_same_request_has_the_signature_that_the_sdk_gave_it() {
    let check = |name, url: &str, headers: &[Header], body: &str, expected: &str| {
        let service = service(Some("a/session+token=="), "eu-west-1", name);
        let request = request(&service, url, headers, body, 1_795_416_000);
        assert_eq!(signature(&request), expected);
    };
    let connections: Endpoint =
        "https://abcdef1234.execute-api.eu-west-1.amazonaws.com/live".parse().unwrap();
    check(
        "execute-api",
        &connections.resource("@connections", "L0SM9cOFvHcCIhw=").unwrap().url().to_string(),
        &[
            ("content-type", "application/octet-stream"),
            ("content-length", "15"),
            (
                "x-amz-user-agent",
                "aws-sdk-rust/1.7.0 ua/2.1 api/apigatewaymanagementapi/1.120.0 os/linux lang/rust/1.95.0 m/E,N",
            ),
        ],
        r#"{"type":"ping"}"#,
        "46355833a1fd1a591b0c1c58fcca11f77be2d5f1dddc68ee2f06e80d188a65fb",
    );
    check(
        "dynamodb",
        "https://dynamodb.eu-west-1.amazonaws.com/",
        &[
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", "DynamoDB_20120810.GetItem"),
            ("content-length", "62"),
            (
                "x-amz-user-agent",
                "aws-sdk-rust/1.7.0 ua/2.1 api/dynamodb/1.136.0 os/linux lang/rust/1.95.0 m/E,P",
            ),
        ],
        r#"{"TableName":"t","Key":{"pk":{"S":"a"}},"ConsistentRead":true}"#,
        "4c3210178be6edf3c2be790030ecb6647a74603171d12e30c049bd671f6d6dae",
    );
}

#[test]
fn anything_at_any_time_is_signed_as_the_reference_signs_it() {
    let mut random = fastrand::Rng::with_seed(4);
    for token in [None, Some("a/session+token==")] {
        let service = service(token, "eu-west-1", "dynamodb");
        let identity = Credentials::new(KEY_ID, SECRET, token.map(str::to_owned), None, "test").into();
        for _ in 0..500 {
            let text = |random: &mut fastrand::Rng| -> String {
                (0..random.usize(1..9)).map(|_| random.char(' '..'\u{2000}')).collect()
            };
            let base = ["https://a.example", "http://a.example:80/", "https://127.0.0.1:4566/live/a%20b"];
            let base: Endpoint = random.choice(base).unwrap().parse().unwrap();
            let endpoint = base.resource("@connections", &text(&mut random)).unwrap();
            let headers = [("x-amz-target", "DynamoDB_20120810.Query"), ("content-type", "application/json")];
            let headers = &headers[..random.usize(..=2)];
            let call = service.call(&endpoint, headers);

            let mut seconds = random.u64(..7_258_118_400);
            for _ in 0..4 {
                // The same second, the next, often the same day, or any from 1970 to 2200, also an earlier one.
                seconds = match random.u8(..4) {
                    0 => seconds,
                    1 => seconds + 1,
                    2 => seconds + random.u64(..9_999),
                    _ => random.u64(..7_258_118_400),
                };
                let body = Bytes::from(text(&mut random));
                let params = v4::SigningParams::builder()
                    .identity(&identity)
                    .region("eu-west-1")
                    .name("dynamodb")
                    .time(at(seconds))
                    .settings(SigningSettings::default())
                    .build()
                    .unwrap();
                let url = endpoint.url().to_string();
                let signable =
                    SignableRequest::new("POST", url, headers.iter().copied(), SignableBody::Bytes(&body))
                        .unwrap();
                let (reference, _) = sign(signable, &params.into()).unwrap().into_parts();

                let request = call.request(body.clone(), at(seconds));
                for (name, value) in reference.headers().chain(headers.iter().copied()) {
                    assert_eq!(header(&request, name), Some(value), "{endpoint:?} at {seconds}");
                }
                assert_eq!(request.headers().len(), reference.headers().count() + headers.len());
                assert_eq!(request.into_body().collect().now_or_never().unwrap().unwrap().to_bytes(), body);
            }
        }
    }
}

#[test]
fn neither_key_nor_token_is_shown() {
    let service = service(Some("a/session+token=="), "eu-west-1", "dynamodb");
    let call = service.call(&"https://a.example".parse().unwrap(), &[]);
    call.request(Bytes::new(), at(0));
    let shown = format!("{service:?} {call:?}");
    assert!(!shown.contains(SECRET) && !shown.contains("a/session+token=="), "{shown}");
    let credentials = Credentials::new(KEY_ID, SECRET, Some("two\nlines".to_owned()), None, "test");
    let aws = Aws::new(HttpClient::new(), "eu-west-1".to_owned(), credentials);
    let error = Service::new(&aws, "dynamodb").unwrap_err().to_string();
    assert!(error.contains("AWS_SESSION_TOKEN") && !error.contains("lines"), "{error}");
}

#[test]
fn what_cannot_stand_in_a_header_is_refused_before_anything_is_signed() {
    let check = |key_id: &str, region: &str, name: &str| {
        let credentials = Credentials::new(key_id, SECRET, None, None, "test");
        let aws = Aws::new(HttpClient::new(), region.to_owned(), credentials);
        let error = Service::new(&aws, "dynamodb").unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    };
    check("two\nlines", "eu-west-1", "AWS_ACCESS_KEY_ID");
    check(KEY_ID, "two\nlines", "AWS_REGION");
}
