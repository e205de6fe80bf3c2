//! What AWS bills, in US dollars: list prices of November 2026 in us-east-1, without free tiers and without the model. The
//! client has the same table in `frontend/src/measure/prices.ts`, and a test holds the two together.

/// In the table's own names and units.
#[derive(Debug, Clone, Copy)]
pub struct Prices {
    /// Per million invocations.
    pub lambda_requests: f64,
    /// Per GB-second on arm64.
    pub lambda_gb_second: f64,
    /// Not a price, but what one is multiplied with: the functions' memory.
    pub lambda_memory_mb: f64,
    /// Per million messages of 32 KB, in both directions.
    pub websocket_messages: f64,
    /// Per million minutes.
    pub websocket_connection_minutes: f64,
    /// Per million queries, mutations and subscriptions.
    pub appsync_operations: f64,
    /// Per million updates of 5 KB to a subscriber.
    pub appsync_updates: f64,
    /// Per million minutes.
    pub appsync_connection_minutes: f64,
    /// Per million requests.
    pub sqs_requests: f64,
    /// Per million request units of 1 KB.
    pub dynamodb_writes: f64,
    /// Per million request units of 4 KB.
    pub dynamodb_reads: f64,
}

pub const MONTH: &str = "2026-11";
pub const REGION: &str = "us-east-1";

pub const PRICES: Prices = Prices {
    lambda_requests: 0.2,
    lambda_gb_second: 0.000_013_333_3,
    lambda_memory_mb: 128.0,
    websocket_messages: 1.0,
    websocket_connection_minutes: 0.25,
    appsync_operations: 4.0,
    appsync_updates: 2.0,
    appsync_connection_minutes: 0.08,
    sqs_requests: 0.4,
    dynamodb_writes: 0.625,
    dynamodb_reads: 0.125,
};

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = include_str!("../../../frontend/src/measure/prices.ts");
    const OPERATIONS: &str = include_str!("../../../docs/operations.md");

    #[test]
    fn the_client_counts_with_the_same_prices() {
        let (_, table) = CLIENT.split_once("PRICE_TABLE").expect("the client's table");
        let value = |name: &str| {
            let line = table.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
            line.and_then(|line| line.split(',').next())
                .unwrap_or_else(|| panic!("{name} is not in the table"))
        };
        for (name, ours) in [
            ("lambdaRequests", PRICES.lambda_requests),
            ("lambdaGbSecond", PRICES.lambda_gb_second),
            ("lambdaMemoryMb", PRICES.lambda_memory_mb),
            ("websocketMessages", PRICES.websocket_messages),
            ("websocketConnectionMinutes", PRICES.websocket_connection_minutes),
            ("appsyncOperations", PRICES.appsync_operations),
            ("appsyncUpdates", PRICES.appsync_updates),
            ("appsyncConnectionMinutes", PRICES.appsync_connection_minutes),
            ("sqsRequests", PRICES.sqs_requests),
        ] {
            assert_eq!(value(name).parse(), Ok(ours), "{name}");
        }
        assert_eq!(value("month"), format!("'{MONTH}'"));
        assert_eq!(value("region"), format!("'{REGION}'"));
    }

    #[test]
    fn the_operators_page_counts_with_the_same_prices() {
        let text = OPERATIONS.split_whitespace().collect::<Vec<_>>().join(" ");
        for sentence in [
            format!("{} USD per million written", PRICES.dynamodb_writes),
            format!("{} per million read", PRICES.dynamodb_reads),
            format!("messages at {} USD per million", PRICES.websocket_messages),
            format!(
                "mutations at {} USD and updates at {} USD per million",
                PRICES.appsync_operations, PRICES.appsync_updates
            ),
        ] {
            assert!(text.contains(&sentence), "{sentence}");
        }
    }
}
