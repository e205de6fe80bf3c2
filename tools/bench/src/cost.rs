//! What an answer is billed for, by the bill's own units, as the stand-ins have metered it.

use std::time::Duration;

use probe::{Architecture, Trace};
use serde::{Deserialize, Serialize};

use crate::prices::Prices;

/// Of one answer, or of many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operations {
    pub lambda_requests: f64,
    /// Of all functions.
    pub lambda_seconds: f64,
    /// WebSocket messages in units of 32 KB, in both directions.
    pub messages: f64,
    pub connected_minutes: f64,
    /// Mutations and the subscription.
    pub appsync_operations: f64,
    /// Deliveries to a subscriber in units of 5 KB.
    pub updates: f64,
    pub sqs_requests: f64,
    pub dynamodb_writes: f64,
    pub dynamodb_reads: f64,
}

const WEBSOCKET_UNIT: usize = 32 * 1024;
const APPSYNC_UNIT: usize = 5 * 1024;

/// What the services have counted while an answer was given.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Metered {
    pub lambda_requests: u64,
    pub lambda_time: Duration,
    pub posts: usize,
    pub publishes: usize,
    pub dynamodb_half_reads: u64,
    pub dynamodb_writes: u64,
}

impl Operations {
    /// For a connection that is there for this answer alone, as the client's comparison counts it.
    pub fn of(architecture: Architecture, metered: &Metered, trace: &Trace) -> Self {
        let from = trace.connected.unwrap_or(trace.started);
        let until = trace.terminal().map_or(from, |end| end.at);
        let connected_minutes = until.saturating_duration_since(from).as_secs_f64() / 60.0;
        // What exceeds a unit is billed as another one. The client has received what was sent.
        let units =
            |size: usize| trace.received.iter().map(|event| event.bytes.div_ceil(size).max(1)).sum::<usize>();
        let extra = |size: usize| units(size) - trace.received.len();
        let shared = Self {
            lambda_requests: metered.lambda_requests as f64,
            lambda_seconds: metered.lambda_time.as_secs_f64(),
            dynamodb_writes: metered.dynamodb_writes as f64,
            dynamodb_reads: metered.dynamodb_half_reads as f64 / 2.0,
            ..Self::default()
        };
        match architecture {
            Architecture::FunctionUrl => shared,
            Architecture::WebsocketApi => Self {
                // And the request.
                messages: (metered.posts + extra(WEBSOCKET_UNIT) + 1) as f64,
                connected_minutes,
                ..shared
            },
            Architecture::Appsync => Self {
                // And the subscription, and `startStream`.
                appsync_operations: (metered.publishes + 2) as f64,
                updates: (metered.publishes + extra(APPSYNC_UNIT)) as f64,
                connected_minutes,
                // Sent, received and deleted.
                sqs_requests: 3.0,
                ..shared
            },
        }
    }

    pub fn dollars(&self, architecture: Architecture, prices: &Prices) -> f64 {
        let minute = match architecture {
            Architecture::FunctionUrl => 0.0,
            Architecture::WebsocketApi => prices.websocket_connection_minutes,
            Architecture::Appsync => prices.appsync_connection_minutes,
        };
        let per_million = [
            (self.lambda_requests, prices.lambda_requests),
            (self.messages, prices.websocket_messages),
            (self.connected_minutes, minute),
            (self.appsync_operations, prices.appsync_operations),
            (self.updates, prices.appsync_updates),
            (self.sqs_requests, prices.sqs_requests),
            (self.dynamodb_writes, prices.dynamodb_writes),
            (self.dynamodb_reads, prices.dynamodb_reads),
        ];
        let operations: f64 = per_million.iter().map(|(count, price)| count * price / 1e6).sum();
        operations + self.lambda_seconds * prices.lambda_memory_mb / 1024.0 * prices.lambda_gb_second
    }
}

impl Metered {
    /// What has been added since.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            lambda_requests: self.lambda_requests - before.lambda_requests,
            lambda_time: self.lambda_time.saturating_sub(before.lambda_time),
            posts: self.posts - before.posts,
            publishes: self.publishes - before.publishes,
            dynamodb_half_reads: self.dynamodb_half_reads - before.dynamodb_half_reads,
            dynamodb_writes: self.dynamodb_writes - before.dynamodb_writes,
        }
    }
}

impl Operations {
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.zip(other, |one, other| one + other)
    }

    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        self.zip(self, |one, _| one * factor)
    }

    fn zip(&self, other: &Self, join: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            lambda_requests: join(self.lambda_requests, other.lambda_requests),
            lambda_seconds: join(self.lambda_seconds, other.lambda_seconds),
            messages: join(self.messages, other.messages),
            connected_minutes: join(self.connected_minutes, other.connected_minutes),
            appsync_operations: join(self.appsync_operations, other.appsync_operations),
            updates: join(self.updates, other.updates),
            sqs_requests: join(self.sqs_requests, other.sqs_requests),
            dynamodb_writes: join(self.dynamodb_writes, other.dynamodb_writes),
            dynamodb_reads: join(self.dynamodb_reads, other.dynamodb_reads),
        }
    }
}
