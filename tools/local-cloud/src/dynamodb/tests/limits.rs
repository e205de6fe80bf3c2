//! Sizes, and what they cost.

use super::*;

const KB: usize = 1024;

/// With the keys, an item of exactly so many bytes.
fn sized(range: &str, bytes: usize) -> Value {
    let keys = "pk".len() + "p".len() + "sk".len() + range.len() + "s".len();
    put(range, &json!({"s": {"S": "x".repeat(bytes - keys)}}))
}

#[tokio::test]
async fn an_item_has_400_kb() {
    let client = Client::new(ALL).await;
    client.ok("PutItem", sized("a", 400 * KB)).await;
    assert_eq!(client.refused("PutItem", sized("a", 400 * KB + 1)).await, "ValidationException");
    // Two bytes of UTF-8 are two bytes.
    let umlauts = put("b", &json!({"s": {"S": "ü".repeat(205 * KB)}}));
    assert_eq!(client.refused("PutItem", umlauts).await, "ValidationException");
    let (_, answer) = client.call("UpdateItem", &add("a", 1)).await;
    assert_eq!(answer["message"], "Item size to update has exceeded the maximum allowed size");
    let transaction = json!({"TransactItems": [{"Update": add("b", 1)}, {"Update": add("a", 1)}]});
    let (_, answer) = client.call("TransactWriteItems", &transaction).await;
    assert_eq!(answer["CancellationReasons"][1]["Code"], "ValidationError");
    assert_eq!(client.dynamodb.items(TABLE, "p").len(), 1);
}

#[tokio::test]
async fn keys_have_their_limits() {
    let client = Client::new(ALL).await;
    let key = |hash: usize, range: usize| json!({"TableName": TABLE, "Key": {"pk": {"S": "x".repeat(hash)}, "sk": {"S": "x".repeat(range)}}});
    client.ok("GetItem", key(2048, 1024)).await;
    for (request, words) in [(key(2049, 1), "Size of hashkey"), (key(1, 1025), "size of all range keys")] {
        let (status, answer) = client.call("GetItem", &request).await;
        assert_eq!(status, 400);
        assert!(answer["message"].as_str().unwrap().contains(words), "{answer}");
    }
}

#[tokio::test]
async fn values_are_nested_32_levels_deep() {
    let client = Client::new(ALL).await;
    let nested = |levels: usize| (0..levels).fold(json!({"S": "x"}), |value, _| json!({"L": [value]}));
    client.ok("PutItem", put("a", &json!({"l": nested(31)}))).await;
    let (status, answer) = client.call("PutItem", &put("a", &json!({"l": nested(32)}))).await;
    assert_eq!(status, 400);
    assert!(answer["message"].as_str().unwrap().starts_with("Nesting Levels"), "{answer}");
    // Far more than the reader of JSON goes down.
    let (status, _) = client.raw("PutItem", r#"{"a":"#.repeat(100_000)).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn an_expression_has_4_kb_and_300_operators() {
    let client = Client::new(ALL).await;
    let conditioned = |length: usize| {
        let mut request = put("a", &json!({}));
        let condition = "attribute_exists(pk) OR attribute_not_exists(pk)";
        request["ConditionExpression"] =
            format!("{condition}{}", " ".repeat(length - condition.len())).into();
        request
    };
    client.ok("PutItem", conditioned(4096)).await;
    assert_eq!(client.refused("PutItem", conditioned(4097)).await, "ValidationException");
    let nested = |open: &str, times: usize, close: &str| {
        let mut request = put("a", &json!({}));
        let condition = format!("{}attribute_exists(pk){}", open.repeat(times), close.repeat(times));
        request["ConditionExpression"] = condition.into();
        request
    };
    client.ok("PutItem", nested("NOT ", 298, "")).await;
    client.ok("PutItem", nested("pk<>sk OR(", 149, ")")).await;
    for (open, times, close) in [("NOT ", 300, ""), ("NOT ", 1000, ""), ("pk<>sk OR(", 150, ")")] {
        assert_eq!(client.refused("PutItem", nested(open, times, close)).await, "ValidationException");
    }
    assert_eq!(client.refused("PutItem", nested("(", 2000, ")")).await, "ValidationException");
}

#[tokio::test]
async fn a_page_ends_with_the_item_that_fills_1_mb() {
    let client = Client::new(ALL).await;
    for range in ["a", "b", "c", "d", "e"] {
        client.ok("PutItem", sized(range, 300 * KB)).await;
    }
    let mut query = json!({
        "TableName": TABLE, "ConsistentRead": true,
        "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "p"}},
    });
    let before = client.dynamodb.metered();
    let first = client.ok("Query", query.clone()).await;
    assert_eq!((&first["Count"], &first["LastEvaluatedKey"]), (&json!(4), &item("d", &json!({}))));
    assert_eq!(client.dynamodb.metered().half_reads - before.half_reads, 2 * 300);
    query["ExclusiveStartKey"] = first["LastEvaluatedKey"].clone();
    let second = client.ok("Query", query).await;
    assert_eq!((&second["Count"], second.get("LastEvaluatedKey")), (&json!(1), None));
}

#[tokio::test]
async fn a_transaction_has_100_items_and_4_mb() {
    let client = Client::new(ALL).await;
    let transaction = |count: usize, bytes: usize| {
        let items = (0..count).map(|i| json!({"Put": sized(&format!("{i:03}"), bytes)}));
        json!({"TransactItems": items.collect::<Value>()})
    };
    client.ok("TransactWriteItems", transaction(100, 100)).await;
    let (status, answer) = client.call("TransactWriteItems", &transaction(101, 100)).await;
    assert_eq!(status, 400);
    let message = answer["message"].as_str().unwrap();
    assert!(message.ends_with(
        "'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100"
    ));
    client.ok("TransactWriteItems", transaction(10, 400 * KB)).await;
    assert_eq!(client.refused("TransactWriteItems", transaction(11, 400 * KB)).await, "ValidationException");
}

#[tokio::test]
async fn every_call_costs_what_aws_bills() {
    let client = Client::new(ALL).await;
    let key = |range: &str| json!({"TableName": TABLE, "Key": item(range, &json!({}))});
    let conditioned = |mut request: Value, condition: &str| {
        request["ConditionExpression"] = condition.into();
        request
    };
    let read = |range: &str, consistent: bool| {
        let mut request = key(range);
        request["ConsistentRead"] = consistent.into();
        request
    };
    let query = |hash: &str, consistent: bool| {
        json!({
            "TableName": TABLE, "ConsistentRead": consistent,
            "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": hash}},
        })
    };
    let transaction = json!({
        "ClientRequestToken": "once",
        "TransactItems": [{"Put": sized("b", KB + 1)}, {"Update": add("c", 1)}],
    });
    let cancelled = json!({"TransactItems": [
        {"Put": conditioned(sized("b", 10 * KB), "attribute_not_exists(pk)")},
        {"Update": add("c", 1)},
    ]});
    // In order: the operation, half read units, write units, and why.
    let cases = [
        ("GetItem", read("a", true), 2, 0, "nothing found is one unit"),
        ("PutItem", sized("a", 20), 0, 1, "the least"),
        ("PutItem", sized("a", KB), 0, 1, "1 KB"),
        ("PutItem", sized("a", KB + 1), 0, 2, "more than 1 KB"),
        ("PutItem", sized("a", 9 * KB), 0, 9, "the larger one is the new one"),
        ("UpdateItem", add("a", 1), 0, 10, "the whole item, however little changes"),
        ("PutItem", sized("a", 20), 0, 10, "the larger one is the old one"),
        ("PutItem", sized("a", 9 * KB), 0, 9, ""),
        ("GetItem", read("a", true), 6, 0, "9 KB in units of 4 KB"),
        ("GetItem", read("a", false), 3, 0, "eventually consistent"),
        ("Query", query("p", true), 6, 0, "all items together"),
        ("Query", query("nobody", false), 1, 0, "nothing found"),
        (
            "PutItem",
            conditioned(sized("a", 2 * KB), "attribute_not_exists(pk)"),
            0,
            9,
            "a condition that fails",
        ),
        (
            "UpdateItem",
            conditioned(add("z", 1), "attribute_exists(pk)"),
            0,
            1,
            "a condition that fails on nothing",
        ),
        ("PutItem", json!({"TableName": TABLE}), 0, 0, "a request that is wrong"),
        ("TransactWriteItems", transaction.clone(), 0, 2 * (2 + 1), "twice as much"),
        ("TransactWriteItems", transaction, 2 * 2 * (1 + 1), 0, "the same again is only read"),
        ("TransactWriteItems", cancelled, 0, 2 * (10 + 1), "cancelled"),
        ("DeleteItem", key("a"), 0, 9, "what is deleted"),
        ("DeleteItem", key("a"), 0, 1, "nothing to delete"),
    ];
    for (operation, request, half_reads, writes, why) in cases {
        let before = client.dynamodb.metered();
        client.call(operation, &request).await;
        let after = client.dynamodb.metered();
        let spent = (after.half_reads - before.half_reads, after.writes - before.writes);
        assert_eq!(spent, (half_reads, writes), "{operation} {why}");
    }
}
