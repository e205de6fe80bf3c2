//! The plans over HTTP, for tests in another process.

use std::time::Instant;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Faults, Plan};
use crate::bedrock::{Bedrock, ModelCall};

#[derive(Clone)]
struct Control {
    faults: Faults,
    bedrock: Bedrock,
}

/// `PUT` and `DELETE /plans/{marker}`, without a marker those of every stream; `GET /model-calls?marker=`.
pub(crate) fn router(faults: Faults, bedrock: Bedrock) -> Router {
    Router::new()
        .route("/plans", put(plan_all).delete(forget_all))
        .route("/plans/{marker}", put(plan).delete(forget))
        .route("/model-calls", get(model_calls))
        .with_state(Control { faults, bedrock })
}

async fn plan_all(State(control): State<Control>, body: Bytes) -> Response {
    control.plan("", &body)
}

async fn plan(State(control): State<Control>, Path(marker): Path<String>, body: Bytes) -> Response {
    control.plan(&marker, &body)
}

async fn forget_all(State(control): State<Control>) -> StatusCode {
    control.forget("")
}

async fn forget(State(control): State<Control>, Path(marker): Path<String>) -> StatusCode {
    control.forget(&marker)
}

impl Control {
    fn plan(&self, marker: &str, body: &[u8]) -> Response {
        match serde_json::from_slice::<Plan>(body) {
            Ok(plan) => {
                self.faults.plan(marker, plan);
                StatusCode::NO_CONTENT.into_response()
            }
            Err(reason) => (StatusCode::BAD_REQUEST, format!("{reason}\n")).into_response(),
        }
    }

    fn forget(&self, marker: &str) -> StatusCode {
        self.faults.forget(marker);
        StatusCode::NO_CONTENT
    }
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    marker: String,
}

/// A call without its texts.
#[derive(Serialize)]
struct Summary {
    opened_ms_ago: u128,
    tokens: usize,
    completed: bool,
    closed: bool,
}

async fn model_calls(
    State(control): State<Control>,
    Query(Wanted { marker }): Query<Wanted>,
) -> Json<Vec<Summary>> {
    Json(control.bedrock.calls_of(&marker).iter().map(Summary::of).collect())
}

impl Summary {
    fn of(call: &ModelCall) -> Self {
        Self {
            opened_ms_ago: Instant::now().saturating_duration_since(call.opened).as_millis(),
            tokens: call.tokens.len(),
            completed: call.completed,
            closed: call.closed.is_some(),
        }
    }
}
