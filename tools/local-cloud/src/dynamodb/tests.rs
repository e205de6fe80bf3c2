use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::{
    faults::{At, CallFault, Plan, Planned},
    sigv4::{
        Credentials,
        testing::{Server, client, post_by, serve},
    },
};

mod limits;
mod planned;

const ALL: &[&str] = &[
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:Query",
    "dynamodb:ConditionCheckItem",
];

const TABLE: &str = "log";

struct Client {
    http: reqwest::Client,
    server: Server,
    credentials: Credentials,
    dynamodb: DynamoDb,
}

impl Client {
    async fn new(actions: &[&str]) -> Self {
        let identities = Identities::default();
        let credentials = identities.issue("worker", actions);
        let config = TableConfig {
            name: TABLE.to_owned(),
            hash_key: "pk".to_owned(),
            range_key: "sk".to_owned(),
            ttl: "expires_at".to_owned(),
        };
        let dynamodb = DynamoDb::new(vec![config], identities, Faults::default());
        Client { http: client(), server: serve(dynamodb.router()).await, credentials, dynamodb }
    }

    fn request(&self, operation: &str, body: String) -> reqwest::RequestBuilder {
        let target = format!("DynamoDB_20120810.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", &target)];
        let url = format!("{}/", self.server.url);
        post_by(&self.http, &self.credentials, "dynamodb", &url, &headers, body.into())
    }

    async fn raw(&self, operation: &str, body: String) -> (u16, String) {
        let response = self.request(operation, body).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn call(&self, operation: &str, request: &Value) -> (u16, Value) {
        let (status, answer) = self.raw(operation, request.to_string()).await;
        (status, serde_json::from_str(&answer).unwrap())
    }

    async fn ok(&self, operation: &str, request: Value) -> Value {
        let (status, answer) = self.call(operation, &request).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// The kind of the error, without its namespace.
    async fn refused(&self, operation: &str, request: Value) -> String {
        let (status, answer) = self.call(operation, &request).await;
        assert_ne!(status, 200, "{request:.200}");
        answer["__type"].as_str().unwrap().split_once('#').unwrap().1.to_owned()
    }
}

fn item(range: &str, attributes: &Value) -> Value {
    let mut item = json!({"pk": {"S": "p"}, "sk": {"S": range}});
    for (name, value) in attributes.as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}

fn put(range: &str, attributes: &Value) -> Value {
    json!({"TableName": TABLE, "Item": item(range, attributes)})
}

fn add(range: &str, value: usize) -> Value {
    json!({
        "TableName": TABLE,
        "Key": item(range, &json!({})),
        "UpdateExpression": "ADD n :n",
        "ExpressionAttributeValues": {":n": {"N": value.to_string()}},
    })
}

/// A call of `calls.json`. They are made one after the other on one table, so that they can be replayed against any
/// implementation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    name: String,
    target: String,
    request: Value,
    status: u16,
    /// A string that ends in `…` begins like that.
    response: Value,
    /// What AWS can do and this refuses.
    #[serde(default)]
    ours: bool,
}

fn fits(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::String(expected), Value::String(found)) => match expected.strip_suffix('…') {
            Some(beginning) => found.starts_with(beginning),
            None => expected == found,
        },
        (Value::Object(expected), Value::Object(found)) => {
            let fits = |(name, value)| found.get(name).is_some_and(|found| fits(value, found));
            expected.len() == found.len() && expected.iter().all(fits)
        }
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().zip(found).all(|(one, other)| fits(one, other))
        }
        _ => expected == found,
    }
}

#[tokio::test]
async fn every_call_is_answered_as_dynamodb_answers_it() {
    let calls: Vec<Call> = serde_json::from_str(include_str!("tests/calls.json")).unwrap();
    let client = Client::new(ALL).await;
    let mut wrong = Vec::new();
    for Call { name, target, request, status, response, ours } in &calls {
        let (found, answer) = client.call(target, request).await;
        if found != *status || !fits(response, &answer) {
            wrong.push(format!("{name}: {found} {answer}\n  expected {status} {response}"));
        }
        assert!(
            !ours || response["message"].as_str().unwrap().contains("not available in this local service")
        );
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), calls.len(), wrong.join("\n"));
}

#[tokio::test]
async fn answers_are_spelled_as_aws_spells_them() {
    let client = Client::new(ALL).await;
    client.ok("PutItem", put("a", &json!({"n": {"N": "1"}}))).await;
    let key = json!({"TableName": TABLE, "Key": item("a", &json!({}))});
    let mut failing = put("a", &json!({}));
    failing["ConditionExpression"] = "attribute_not_exists(pk)".into();
    failing["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
    let mut in_transaction = json!({"TransactItems": [{"Put": put("b", &json!({}))}, {"Put": failing}]});
    let item = r#"{"n":{"N":"1"},"pk":{"S":"p"},"sk":{"S":"a"}}"#;
    let failed = "The conditional request failed";
    for (operation, request, expected) in [
        ("GetItem", &key, format!(r#"{{"Item":{item}}}"#)),
        (
            "PutItem",
            &failing,
            format!(
                r#"{{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"{failed}","Item":{item}}}"#
            ),
        ),
        (
            "TransactWriteItems",
            &in_transaction,
            format!(
                r#"{{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]","CancellationReasons":[{{"Code":"None"}},{{"Code":"ConditionalCheckFailed","Item":{item},"Message":"{failed}"}}]}}"#
            ),
        ),
        (
            "Query",
            &json!({"TableName": "none", "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "p"}}}),
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}"#.to_owned(),
        ),
    ] {
        assert_eq!(client.raw(operation, request.to_string()).await.1, expected, "{operation}");
    }
    in_transaction["TransactItems"][1]["Put"]["ConditionExpression"] = "attribute_exists(pk)".into();
    assert_eq!(client.raw("TransactWriteItems", in_transaction.to_string()).await, (200, "{}".to_owned()));
}

#[tokio::test]
async fn what_is_no_call_is_refused_without_a_word_of_it() {
    let client = Client::new(ALL).await;
    for (body, place) in
        [("{", "column 1"), ("", "line 1"), (r#"{"secret""#, "column 9"), ("[]", "class Map")]
    {
        let (status, answer) = client.raw("PutItem", body.to_owned()).await;
        assert_eq!(status, 400);
        assert!(answer.contains("SerializationException") && answer.contains(place), "{body}: {answer}");
        assert!(!answer.contains("secret"));
    }
    for operation in ["CreateTable", "Scan", "BatchWriteItem", "putItem", ""] {
        assert_eq!(client.refused(operation, json!({})).await, "UnknownOperationException", "{operation}");
    }
    let got = client.http.get(&client.server.url).send().await.unwrap();
    assert_eq!(got.status(), 400);
}

#[tokio::test]
async fn each_operation_needs_its_own_permission() {
    for action in &ALL[..5] {
        let client = Client::new(&[action]).await;
        for operation in ALL[..5].iter().map(|action| action.strip_prefix("dynamodb:").unwrap()) {
            let kind = client.refused(operation, json!({})).await;
            assert_eq!(
                kind == "AccessDeniedException",
                !action.ends_with(operation),
                "{action} {operation} {kind}"
            );
        }
    }
}

#[tokio::test]
async fn a_transaction_needs_the_permissions_of_its_items() {
    let key = json!({"TableName": TABLE, "Key": item("d", &json!({})), "ConditionExpression": "attribute_exists(pk)"});
    let check = json!({"TableName": TABLE, "Key": item("c", &json!({})), "ConditionExpression": "attribute_not_exists(pk)"});
    let items = [
        ("dynamodb:PutItem", json!({"Put": put("a", &json!({}))})),
        ("dynamodb:UpdateItem", json!({"Update": add("b", 1)})),
        ("dynamodb:ConditionCheckItem", json!({"ConditionCheck": check})),
        ("dynamodb:DeleteItem", json!({"Delete": key})),
    ];
    let transaction = json!({"TransactItems": items.clone().map(|(_, item)| item)});
    for (missing, _) in &items {
        let allowed: Vec<&str> = items.iter().map(|(action, _)| *action).filter(|it| it != missing).collect();
        let client = Client::new(&allowed).await;
        let (status, answer) = client.call("TransactWriteItems", &transaction).await;
        assert_eq!(status, 400);
        assert!(answer["Message"].as_str().unwrap().contains(missing), "{answer}");
    }
    let client = Client::new(&items.clone().map(|(action, _)| action)).await;
    let kind = client.refused("TransactWriteItems", transaction).await;
    assert_eq!(kind, "TransactionCanceledException", "there is nothing to delete");
}

#[tokio::test]
async fn a_wrong_signature_is_a_400_as_everything_that_a_client_does_wrong() {
    let mut client = Client::new(ALL).await;
    client.credentials.secret_access_key.push('x');
    let (status, answer) = client.call("GetItem", &json!({})).await;
    assert_eq!(status, 400);
    assert_eq!(answer["__type"], "com.amazon.coral.service#InvalidSignatureException");
}

#[tokio::test]
async fn writes_at_the_same_time_are_all_done() {
    let client = Client::new(ALL).await;
    let transaction = json!({"TransactItems": [{"Update": add("a", 1)}, {"Update": add("b", 2)}]});
    let calls = (0..40).map(|i| {
        let (client, transaction) = (&client, &transaction);
        async move {
            if i % 2 == 0 {
                client.ok("TransactWriteItems", transaction.clone()).await;
            } else {
                client.ok("UpdateItem", add("a", 10)).await;
            }
        }
    });
    futures_util::future::join_all(calls).await;
    let numbers: Vec<Value> =
        client.dynamodb.items(TABLE, "p").into_iter().map(|it| it["n"]["N"].clone()).collect();
    assert_eq!(numbers, ["220", "40"]);
}

#[tokio::test]
async fn what_has_expired_is_there_until_it_is_deleted() {
    let client = Client::new(ALL).await;
    for (range, attributes) in [
        ("gone", json!({"expires_at": {"N": "1700000000"}})),
        ("later", json!({"expires_at": {"N": "9999999999"}})),
        ("no number", json!({"expires_at": {"S": "1700000000"}})),
        ("never", json!({})),
    ] {
        client.ok("PutItem", put(range, &attributes)).await;
    }
    let ranges = || {
        let items = client.dynamodb.items(TABLE, "p");
        items.iter().map(|item| item["sk"]["S"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ranges(), ["gone", "later", "never", "no number"]);
    client.dynamodb.expire(TABLE);
    assert_eq!(ranges(), ["later", "never", "no number"]);
    assert!(client.dynamodb.items(TABLE, "nobody").is_empty());
}
