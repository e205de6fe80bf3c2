//! An event as the GraphQL mutation that publishes it.

use chat::StreamEvent;
use serde_json::json;

/// Selects every field: AppSync hands subscribers only what the mutation selected
/// (<https://docs.aws.amazon.com/appsync/latest/devguide/aws-appsync-real-time-data.html>).
const PUBLISH_TOKEN: &str = "mutation PublishToken($event: StreamEventInput!) { publishToken(event: $event) { \
    sessionId owner type seq text model stopReason inputTokens outputTokens firstTokenMs totalMs \
    code message retryable } }";

/// The body of the GraphQL request that publishes an event to its owner.
pub fn publish_token(event: &StreamEvent, session_id: &str, owner: &str) -> Vec<u8> {
    let event = appsync_event::fields(event, session_id, owner);
    let body = json!({"query": PUBLISH_TOKEN, "variables": {"event": event}});
    serde_json::to_vec(&body).expect("a JSON value always serializes")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, Value};

    use super::*;

    const SCHEMA: &str = include_str!("../../../../terraform/modules/appsync/schema.graphql");
    const SESSION: &str = "3f2b8c9e-7a41-4f0e-9d55-0c6a1b2d3e4f";

    fn variables(event: &StreamEvent) -> Value {
        let body: Value = serde_json::from_slice(&publish_token(event, SESSION, "ann")).unwrap();
        assert_eq!(body["query"], PUBLISH_TOKEN);
        body["variables"]["event"].clone()
    }

    #[test]
    fn what_is_published_is_what_the_mutation_selects_and_what_the_schema_takes() {
        let published: BTreeSet<_> = golden::events()
            .into_iter()
            .filter(|case| case.graphql.is_some())
            .flat_map(|case| serde_json::from_value::<Map<String, Value>>(variables(&case.event())).unwrap())
            .map(|(name, _)| name)
            .collect();
        let selected =
            PUBLISH_TOKEN.rsplit('{').next().unwrap().trim_end_matches([' ', '}']).split_whitespace();
        assert_eq!(selected.map(str::to_owned).collect::<BTreeSet<_>>(), published);
        let (_, input) = SCHEMA.split_once("input StreamEventInput {").unwrap();
        let (input, _) = input.split_once('}').unwrap();
        let taken = input.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned()));
        assert_eq!(taken.collect::<BTreeSet<_>>(), published);
    }
}
