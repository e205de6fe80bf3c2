//! Calls that go wrong as planned.

use std::time::Duration;

use super::*;

fn plan(client: &Client, marker: &str, store: Vec<At<CallFault>>) -> Arc<Planned> {
    client.dynamodb.inner.faults.plan(marker, Plan { store, ..Plan::default() })
}

#[tokio::test]
async fn a_refusal_has_the_shape_of_dynamodb_and_changes_nothing() {
    let transaction = json!({"TransactItems": [{"Update": add("a", 1)}, {"Update": add("b", 1)}]});
    for (operation, request, planned, status, kind) in [
        ("UpdateItem", add("a", 1), 429, 400, "ProvisionedThroughputExceededException"),
        ("UpdateItem", add("a", 1), 400, 400, "ProvisionedThroughputExceededException"),
        ("UpdateItem", add("a", 1), 403, 400, "AccessDeniedException"),
        ("UpdateItem", add("a", 1), 409, 400, "TransactionConflictException"),
        ("TransactWriteItems", transaction, 409, 400, "TransactionCanceledException"),
        ("UpdateItem", add("a", 1), 500, 500, "InternalServerError"),
        ("UpdateItem", add("a", 1), 503, 503, "InternalServerError"),
    ] {
        let client = Client::new(ALL).await;
        let planned = plan(&client, "", vec![At::once(0, CallFault::Refuse(planned))]);
        let (found, answer) = client.call(operation, &request).await;
        assert_eq!(found, status, "{answer}");
        assert!(answer["__type"].as_str().unwrap().ends_with(&format!("#{kind}")), "{answer}");
        if kind == "TransactionCanceledException" {
            assert_eq!(answer["CancellationReasons"][0]["Code"], "TransactionConflict");
            assert_eq!(answer["CancellationReasons"][1], json!({"Code": "None"}));
        }
        assert!(client.dynamodb.items(TABLE, "p").is_empty());
        client.ok(operation, request).await;
        assert_eq!((planned.stored(), planned.calls()), (2, [0; 3]));
    }
}

#[tokio::test]
async fn only_the_calls_of_the_stream_are_met() {
    let client = Client::new(ALL).await;
    let planned = plan(&client, "stream-1", vec![At::from(0, CallFault::Refuse(500))]);
    client.ok("UpdateItem", add("stream-2", 1)).await;
    assert_eq!(planned.stored(), 0);
    assert_eq!(client.refused("UpdateItem", add("stream-1", 1)).await, "InternalServerError");
    assert_eq!(planned.stored(), 1);
}

#[tokio::test]
async fn a_transaction_whose_answer_was_lost_is_done_once() {
    let client = Client::new(ALL).await;
    plan(&client, "", vec![At::once(0, CallFault::DoneBut(500))]);
    let transaction = json!({"ClientRequestToken": "t", "TransactItems": [{"Update": add("a", 1)}]});
    assert_eq!(client.refused("TransactWriteItems", transaction.clone()).await, "InternalServerError");
    client.ok("TransactWriteItems", transaction).await;
    assert_eq!(client.dynamodb.items(TABLE, "p")[0]["n"], json!({"N": "1"}));
    // Without a token nobody can know.
    plan(&client, "", vec![At::once(0, CallFault::DoneBut(500))]);
    assert_eq!(client.refused("UpdateItem", add("a", 1)).await, "InternalServerError");
    client.ok("UpdateItem", add("a", 1)).await;
    assert_eq!(client.dynamodb.items(TABLE, "p")[0]["n"], json!({"N": "3"}));
}

#[tokio::test]
async fn an_answer_may_come_late_or_never() {
    let client = Client::new(ALL).await;
    plan(&client, "", vec![At::once(0, CallFault::Late(60)), At::once(1, CallFault::Hang)]);
    let request = client.request("UpdateItem", add("a", 1).to_string());
    let before = std::time::Instant::now();
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert!(before.elapsed() >= Duration::from_millis(60));
    let hanging = client.request("UpdateItem", add("a", 1).to_string()).timeout(Duration::from_millis(100));
    assert!(hanging.send().await.unwrap_err().is_timeout());
    assert_eq!(client.dynamodb.items(TABLE, "p")[0]["n"], json!({"N": "1"}));
}
