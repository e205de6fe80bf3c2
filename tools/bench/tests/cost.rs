//! What an answer is billed for must not grow unnoticed.

use std::{path::PathBuf, time::Duration};

use bench::{
    contestant::{Contestant, Places, Side},
    cost::Operations,
    prices::PRICES,
    stage::{Setting, Speech, Stage},
};
use futures_util::future::join_all;
use probe::Architecture;

/// What most answers are like: 500 tokens in 10 s.
const SPEECH: Speech = Speech { tokens: 500, between: Duration::from_millis(20) };

fn places() -> Places {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository.join("target"), PathBuf::from);
    Places {
        bootstraps: target.join("release"),
        zips: repository.join("dist"),
        bench: repository.join("target/bench"),
        repository,
    }
}

async fn operations(architecture: Architecture) -> (Architecture, Operations) {
    let contestant = Contestant::new(architecture, Side::Logged);
    let stage = Stage::open(contestant, Setting::default(), &places()).await.expect("the local cloud starts");
    stage.say(SPEECH, Duration::from_millis(100));
    let weighed = stage.weigh(SPEECH).await.expect("a whole answer");
    stage.close().await;
    (architecture, weighed.operations)
}

/// Measured, and a fifth of it besides. A slow machine sends less, not more.
fn most(architecture: Architecture) -> Operations {
    let shared = Operations {
        lambda_seconds: 12.2,
        connected_minutes: 0.203,
        dynamodb_reads: 46.0,
        ..Operations::default()
    };
    match architecture {
        Architecture::FunctionUrl => Operations { lambda_requests: 1.0, dynamodb_writes: 51.0, ..shared },
        Architecture::WebsocketApi => {
            Operations { lambda_requests: 4.0, messages: 237.0, dynamodb_writes: 52.0, ..shared }
        }
        Architecture::Appsync => Operations {
            lambda_requests: 2.0,
            appsync_operations: 54.0,
            updates: 52.0,
            sqs_requests: 3.0,
            dynamodb_writes: 46.0,
            ..shared
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_500_tokens_costs_no_more_than_it_did() {
    for (architecture, found) in join_all(Architecture::ALL.map(operations)).await {
        let most = most(architecture);
        let within = [
            ("Lambda requests", found.lambda_requests, most.lambda_requests),
            ("Lambda seconds", found.lambda_seconds, most.lambda_seconds),
            ("messages", found.messages, most.messages),
            ("minutes connected", found.connected_minutes, most.connected_minutes),
            ("AppSync operations", found.appsync_operations, most.appsync_operations),
            ("updates", found.updates, most.updates),
            ("SQS requests", found.sqs_requests, most.sqs_requests),
            ("DynamoDB writes", found.dynamodb_writes, most.dynamodb_writes),
            ("DynamoDB reads", found.dynamodb_reads, most.dynamodb_reads),
        ];
        for (what, found, most) in within {
            assert!(found <= most, "{architecture}: {found} {what}, of {most} at most");
        }
        // A run that metered nothing would be within any bound.
        assert!(found.dollars(architecture, &PRICES) > 0.00002, "{architecture}: {found:?}");
    }
}
