//! Bedrock's errors as what they mean to a caller.

use aws_sdk_bedrockruntime::{
    error::{ProvideErrorMetadata, SdkError},
    operation::converse_stream::ConverseStreamError,
    types::error::ConverseStreamOutputError,
};
use chat::{ModelError, ModelErrorKind};

/// Before the stream: an HTTP status and an error type.
pub(crate) fn of_call(error: SdkError<ConverseStreamError>) -> ModelError {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default().to_owned();
    classify(error, &code, status)
}

/// In the stream: an exception frame, or a connection or a frame that broke.
pub(crate) fn of_stream<R: std::fmt::Debug + Send + Sync + 'static>(
    error: SdkError<ConverseStreamOutputError, R>,
) -> ModelError {
    let code = error.as_service_error().map_or("", exception).to_owned();
    classify(error, &code, None)
}

/// The SDK gives an exception frame no error code, only a type.
fn exception(error: &ConverseStreamOutputError) -> &str {
    match error {
        ConverseStreamOutputError::InternalServerException(_) => "InternalServerException",
        ConverseStreamOutputError::ModelStreamErrorException(_) => "ModelStreamErrorException",
        ConverseStreamOutputError::ServiceUnavailableException(_) => "ServiceUnavailableException",
        ConverseStreamOutputError::ThrottlingException(_) => "ThrottlingException",
        ConverseStreamOutputError::ValidationException(_) => "ValidationException",
        other => other.code().unwrap_or_default(),
    }
}

fn classify<E, R>(error: SdkError<E, R>, code: &str, status: Option<u16>) -> ModelError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let kind = match &error {
        SdkError::ServiceError(_) => kind_of(code, status),
        SdkError::TimeoutError(_) => ModelErrorKind::TimedOut,
        SdkError::ResponseError(_) => ModelErrorKind::Garbled,
        SdkError::ConstructionFailure(_) => ModelErrorKind::Rejected,
        // Not reached, or not reached any more. The enum is open.
        _ => ModelErrorKind::Unavailable,
    };
    ModelError::new(kind, error)
}

/// By the error type where it is known
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>), else by status.
fn kind_of(code: &str, status: Option<u16>) -> ModelErrorKind {
    let code = code.trim_end_matches("Exception");
    match code.to_ascii_lowercase().as_str() {
        "throttling" | "servicequotaexceeded" => ModelErrorKind::Throttled,
        "serviceunavailable" | "internalserver" | "modelnotready" | "modelstreamerror" => {
            ModelErrorKind::Unavailable
        }
        "modeltimeout" => ModelErrorKind::TimedOut,
        "validation" | "accessdenied" | "resourcenotfound" | "modelerror" => ModelErrorKind::Rejected,
        _ => match status {
            Some(429) => ModelErrorKind::Throttled,
            Some(400..=499) => ModelErrorKind::Rejected,
            _ => ModelErrorKind::Unavailable,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_types_mean_the_same_before_and_in_the_stream() {
        let check =
            |code: &str, status, expect| assert_eq!(kind_of(code, status), expect, "{code} {status:?}");
        check("ThrottlingException", Some(429), ModelErrorKind::Throttled);
        check("throttlingException", None, ModelErrorKind::Throttled);
        check("modelStreamErrorException", None, ModelErrorKind::Unavailable);
        check("ModelNotReadyException", Some(429), ModelErrorKind::Unavailable);
        check("ValidationException", Some(400), ModelErrorKind::Rejected);
        check("AccessDeniedException", Some(403), ModelErrorKind::Rejected);
        check("ModelTimeoutException", Some(408), ModelErrorKind::TimedOut);
        check("", Some(429), ModelErrorKind::Throttled);
        check("UnrecognizedClientException", Some(403), ModelErrorKind::Rejected);
        check("", Some(503), ModelErrorKind::Unavailable);
        check("somethingNewException", None, ModelErrorKind::Unavailable);
    }
}
