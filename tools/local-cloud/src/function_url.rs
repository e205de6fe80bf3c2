//! Lambda Function URLs with `InvokeMode: RESPONSE_STREAM` and `AuthType: NONE`.

use axum::Router;

use crate::lambda::Lambda;

/// What Terraform calls `cors` on `aws_lambda_function_url`.
#[derive(Debug, Clone)]
pub struct Cors {
    pub allow_origins: Vec<String>,
    pub allow_methods: Vec<String>,
    pub allow_headers: Vec<String>,
    pub expose_headers: Vec<String>,
    pub max_age_seconds: u32,
}

/// The URL of one function.
pub fn router(lambda: Lambda, function: &str, cors: Cors) -> Router {
    let _ = (lambda, function, cors);
    todo!()
}
