//! `CloudWatch`'s embedded metric format: a log line that says which of its members are metrics
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

const NAMESPACE: &str = "tristream";

/// Everything that becomes a metric, under the variant's name. Each costs money every month, per function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Metric {
    FirstTokenMs,
    TotalMs,
    OutputTokens,
    MessagesSent,
    Failures,
    /// Of the stream log; only where there are any.
    LogFailures,
}

/// The members that make a line a source of metrics.
#[derive(Debug, Serialize)]
pub(crate) struct Metrics<'a> {
    /// The one dimension: unique in an account and region, so two deployments do not mix.
    #[serde(rename = "FunctionName")]
    function_name: &'a str,
    #[serde(flatten)]
    values: BTreeMap<Metric, u64>,
    #[serde(rename = "_aws")]
    metadata: Metadata,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    /// Milliseconds since the epoch.
    timestamp: u64,
    cloud_watch_metrics: [Directive; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [[&'static str; 1]; 1],
    metrics: Vec<Definition>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: Metric,
    unit: &'static str,
}

impl<'a> Metrics<'a> {
    pub(crate) fn new(at: SystemTime, function_name: &'a str, values: BTreeMap<Metric, u64>) -> Self {
        let millis = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let metrics = values.keys().map(|&name| Definition { name, unit: name.unit() }).collect();
        Self {
            function_name,
            values,
            metadata: Metadata {
                timestamp: u64::try_from(millis).unwrap_or(u64::MAX),
                cloud_watch_metrics: [Directive {
                    namespace: NAMESPACE,
                    dimensions: [["FunctionName"]],
                    metrics,
                }],
            },
        }
    }
}

impl Metric {
    fn unit(self) -> &'static str {
        match self {
            Self::FirstTokenMs | Self::TotalMs => "Milliseconds",
            Self::OutputTokens | Self::MessagesSent | Self::Failures | Self::LogFailures => "Count",
        }
    }
}
