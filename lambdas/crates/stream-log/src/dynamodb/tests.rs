use super::{api::Write, *};
use crate::{Caps, Phase, Reservation, Rights};
use auth::Caller;
use aws_credential_types::Credentials;
use bytes::Bytes;
use chat::StreamId;
use scripted_service::{Answer, Asked, ScriptedService};
use serde_json::{Value, json};
use startup::{Causes, HttpClient};

const SECRET: &str = "a secret of the answer";

/// A status and a body; no status is no answer.
type Script = Vec<(u16, Value)>;
const SILENCE: u16 = 0;

struct Bench {
    store: DynamoDb,
    service: ScriptedService,
}

async fn bench(script: Script) -> Bench {
    let service = ScriptedService::start(script.into_iter().map(|(status, body)| match status {
        SILENCE => Answer::Silence,
        _ => Answer::Status(status, body.to_string()),
    }));
    let service = service.await;
    let endpoint = Some(service.url.parse().unwrap());
    Bench { store: DynamoDb::new(&aws("us-east-1"), endpoint, "t".to_owned()).unwrap(), service }
}

fn aws(region: &str) -> Aws {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test");
    Aws::new(HttpClient::new(), region.to_owned(), credentials)
}

fn key() -> Key {
    Key::new(&Caller::from_queued_owner("ann".to_owned()).unwrap(), &StreamId::random())
}

fn reserving() -> Take {
    let caps = Caps { streams: Some(3), tokens_per_day: Some(1000) };
    Take {
        phase: Phase::Running,
        attempt: "attempt".to_owned(),
        lease_until: 15_000,
        request_hash: "hash".to_owned(),
        created_at: 0,
        expires_at: 3600,
        rights: Rights::New(Some(Reservation { caps, now: 0, until: 60_000, tokens: 10 })),
    }
}

fn refusal(kind: &str) -> Value {
    json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": SECRET})
}

/// The whole error as the log shows it, and as `{:?}` does.
fn shown(error: &StoreError) -> String {
    format!("{} {error:?}", Causes(error))
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_not() {
    for (status, kind, passes) in [
        (400, "ProvisionedThroughputExceededException", true),
        (400, "ThrottlingException", true),
        (400, "RequestLimitExceeded", true),
        (400, "TransactionInProgressException", true),
        (500, "InternalServerError", true),
        (503, "", true),
        (502, "ValidationException", true),
        (400, "ValidationException", false),
        (400, "AccessDeniedException", false),
        (400, "ResourceNotFoundException", false),
        (400, "ExpiredTokenException", false),
        (403, "", false),
    ] {
        let done = (200, json!({}));
        let Bench { store, service } = bench(vec![(status, refusal(kind)), done]).await;
        assert_eq!(store.look(&key()).await.is_ok(), passes, "{status} {kind}");
        assert_eq!(service.asked().len(), if passes { 2 } else { 1 }, "{status} {kind}");
    }
}

#[tokio::test]
async fn three_tries_are_all_and_the_last_one_is_the_reason() {
    let script =
        vec![(500, json!({})), (503, json!({})), (400, refusal("ThrottlingException")), (200, json!({}))];
    let Bench { store, service } = bench(script).await;
    let error = store.look(&key()).await.unwrap_err();
    assert_eq!(
        Causes(&error).to_string(),
        "the stream log could not read a stream: DynamoDB answered 400 ThrottlingException"
    );
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn a_try_without_an_answer_takes_a_second_and_the_next_one_follows() {
    let Bench { store, service } = bench(vec![(SILENCE, json!({})), (200, json!({}))]).await;
    let before = std::time::Instant::now();
    assert_eq!(store.look(&key()).await.unwrap(), None);
    assert!((1..2).contains(&before.elapsed().as_secs()), "{:?}", before.elapsed());
    assert_eq!(service.asked().len(), 2);
}

#[tokio::test]
async fn a_service_that_says_nothing_is_given_up_after_three_seconds() {
    let Bench { store, .. } = bench(vec![(SILENCE, json!({})); 4]).await;
    let before = std::time::Instant::now();
    let error = store.look(&key()).await.unwrap_err();
    assert!(
        shown(&error).contains("DynamoDB was not reached: no answer from http://127.0.0.1:"),
        "{error:?}"
    );
    assert!(before.elapsed() < Duration::from_millis(3_200), "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_transaction_that_is_tried_again_is_the_same_and_another_one_is_not() {
    let conflict = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": SECRET,
        "CancellationReasons": [{"Code": "TransactionConflict", "Message": SECRET}, {"Code": "None"}],
    });
    let Bench { store, service } = bench(vec![(500, json!({})), (400, conflict), (200, json!({}))]).await;
    assert!(matches!(store.take(&key(), &reserving()).await.unwrap(), Taken::Mine(_)));
    let asked = service.asked();
    let [lost, again, after_the_conflict] = asked.as_slice() else { panic!("{} calls", asked.len()) };
    assert_eq!(lost.header("x-amz-target"), Some("DynamoDB_20120810.TransactWriteItems"));
    assert_eq!(lost.header("content-type"), Some("application/x-amz-json-1.0"));
    let token = |asked: &Asked| {
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        body["ClientRequestToken"].as_str().unwrap().to_owned()
    };
    assert_eq!(token(lost), token(again));
    assert_eq!(lost.body, again.body);
    assert_ne!(token(again), token(after_the_conflict));
}

/// As aws-sdk-dynamodb 1.136.0 puts it.
#[test]
fn requests_are_what_the_sdk_makes_of_them() {
    let check = |request: Bytes, expected: Value| {
        assert_eq!(serde_json::from_slice::<Value>(&request).unwrap(), expected);
    };
    let key: Item = [("pk".into(), AttributeValue::S("a".to_owned()))].into();
    let get = GetItem { table_name: "t", key: &key, consistent_read: true };
    check(body(&get), json!({"TableName": "t", "Key": {"pk": {"S": "a"}}, "ConsistentRead": true}));
    let query = Query {
        table_name: "t",
        key_condition_expression: "pk = :pk",
        expression_attribute_values: [(":pk".into(), items::number(1))].into(),
        consistent_read: true,
        limit: 100,
    };
    check(
        body(&query),
        json!({
            "TableName": "t", "Limit": 100, "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"N": "1"}},
        }),
    );
    let update = Update::of(key.clone()).set("SET a = :a").only_if("b = :b");
    let mut update = update.value(":a", AttributeValue::Bool(true));
    let mut expected = json!({
        "TableName": "t", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET a = :a",
        "ConditionExpression": "b = :b", "ExpressionAttributeValues": {":a": {"BOOL": true}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    check(body(&Write::Update(update.request("t"))), json!({"Update": expected}));
    update.values.clear();
    update = update.name("#n", "name");
    expected["ExpressionAttributeNames"] = json!({"#n": "name"});
    expected["ReturnValues"] = "ALL_NEW".into();
    expected.as_object_mut().unwrap().remove("ExpressionAttributeValues");
    check(body(&UpdateItem { return_values: Some(ReturnValues::AllNew), ..update.request("t") }), expected);
    let put = PutItem { table_name: "t", item: &key, only_if: None };
    check(body(&put), json!({"TableName": "t", "Item": {"pk": {"S": "a"}}}));
}

#[tokio::test]
async fn an_error_names_its_kind_and_never_what_is_in_an_item() {
    let item = json!({"pk": {"S": SECRET}, "phase": {"S": SECRET}});
    let canceled = json!({
        "__type": "x#TransactionCanceledException", "Message": SECRET,
        "CancellationReasons": [{"Code": "ValidationError", "Message": SECRET, "Item": item}, {"Code": SECRET}],
    });
    let check = async |status: u16, answer: Value, expected: &str| {
        let Bench { store, .. } = bench(vec![(status, answer); 6]).await;
        let error = store.take(&key(), &reserving()).await.unwrap_err();
        let shown = shown(&error);
        assert!(shown.starts_with(&format!("the stream log could not {expected}")), "{shown}");
        assert!(!shown.contains(SECRET), "{shown}");
    };
    check(
        400,
        canceled,
        "claim a stream: DynamoDB answered 400 TransactionCanceledException (ValidationError, )",
    )
    .await;
    check(400, refusal("ValidationException"), "claim a stream: DynamoDB answered 400 ValidationException")
        .await;
    check(400, json!([SECRET]), "claim a stream: DynamoDB answered 400 ").await;
    check(500, json!(SECRET), "claim a stream: DynamoDB answered 500 ").await;
    let failed = json!({"Code": "ConditionalCheckFailed", "Item": item});
    let canceled = json!({"__type": "x#TransactionCanceledException", "CancellationReasons": [failed, {}]});
    check(400, canceled, "read an item: its attribute phase is missing or of another kind").await;

    let permission =
        json!({"__type": "x#AccessDeniedException", "Message": "User: ann may not dynamodb:GetItem"});
    let Bench { store, .. } = bench(vec![(400, permission), (200, json!({"Item": {"pk": SECRET}}))]).await;
    let denied = store.look(&key()).await.unwrap_err();
    assert!(shown(&denied).contains("AccessDeniedException: User: ann may not dynamodb:GetItem"));
    let unreadable = shown(&store.look(&key()).await.unwrap_err());
    assert!(unreadable.contains("DynamoDB's answer is not what it should be, at its byte "), "{unreadable}");
    assert!(!unreadable.contains(SECRET), "{unreadable}");
}

/// The addresses to which aws-sdk-dynamodb 1.136.0 turned.
#[test]
fn every_partition_has_its_own_suffix() {
    for (region, host) in [
        ("eu-west-1", "dynamodb.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "dynamodb.us-gov-west-1.amazonaws.com"),
        ("xx-new-1", "dynamodb.xx-new-1.amazonaws.com"),
        ("cn-north-1", "dynamodb.cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "dynamodb.eusc-de-east-1.amazonaws.eu"),
        ("us-iso-east-1", "dynamodb.us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1", "dynamodb.us-isob-east-1.sc2s.sgov.gov"),
        ("eu-isoe-west-1", "dynamodb.eu-isoe-west-1.cloud.adc-e.uk"),
        ("us-isof-south-1", "dynamodb.us-isof-south-1.csp.hci.ic.gov"),
    ] {
        let store = DynamoDb::new(&aws(region), None, "t".to_owned()).unwrap();
        assert_eq!(store.api.query.0.url().to_string(), format!("https://{host}/"), "{region}");
    }
    let error = DynamoDb::new(&aws("a region?"), None, "t".to_owned()).unwrap_err();
    assert!(error.to_string().contains("AWS_REGION"), "{error}");
}
