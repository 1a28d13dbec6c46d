//! The error response of the bridge: a gRPC status as JSON, with its details in proto-JSON.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// A gRPC status and the HTTP status of the response.
pub(super) struct ErrorResponse {
    http_status: StatusCode,
    status: Status,
}

impl ErrorResponse {
    pub(super) fn new(code: Code, text: impl Into<String>) -> Self {
        Status::new(code, text).into()
    }

    /// Replaces the HTTP status, if HTTP has a more specific one.
    pub(super) fn with_http_status(self, http_status: StatusCode) -> Self {
        Self { http_status, ..self }
    }
}

impl<S: Into<Status>> From<S> for ErrorResponse {
    fn from(status: S) -> Self {
        let status = status.into();
        let http_status = http_status(status.code());
        Self { http_status, status }
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let body = json!({
            "code": name(self.status.code()),
            "message": self.status.message(),
            "details": details(&self.status.get_error_details()),
        });
        (self.http_status, Json(body)).into_response()
    }
}

fn details(details: &ErrorDetails) -> Vec<Value> {
    let type_url = |name: &str| format!("type.googleapis.com/google.rpc.{name}");
    let mut all = Vec::new();
    if let Some(info) = details.error_info() {
        all.push(json!({
            "@type": type_url("ErrorInfo"),
            "reason": info.reason,
            "domain": info.domain,
            "metadata": info.metadata,
        }));
    }
    if let Some(request) = details.bad_request() {
        let violations = request
            .field_violations
            .iter()
            .map(|violation| json!({ "field": violation.field, "description": violation.description }));
        all.push(json!({
            "@type": type_url("BadRequest"),
            "fieldViolations": violations.collect::<Vec<_>>(),
        }));
    }
    if let Some(delay) = details.retry_info().and_then(|retry| retry.retry_delay) {
        all.push(
            json!({ "@type": type_url("RetryInfo"), "retryDelay": format!("{}s", delay.as_secs_f64()) }),
        );
    }
    all
}

/// The name of a code and its HTTP status, as defined in google/rpc/code.proto.
fn name_and_http_status(code: Code) -> (&'static str, u16) {
    match code {
        Code::Ok => ("OK", 200),
        Code::Cancelled => ("CANCELLED", 499),
        Code::Unknown => ("UNKNOWN", 500),
        Code::InvalidArgument => ("INVALID_ARGUMENT", 400),
        Code::DeadlineExceeded => ("DEADLINE_EXCEEDED", 504),
        Code::NotFound => ("NOT_FOUND", 404),
        Code::AlreadyExists => ("ALREADY_EXISTS", 409),
        Code::PermissionDenied => ("PERMISSION_DENIED", 403),
        Code::ResourceExhausted => ("RESOURCE_EXHAUSTED", 429),
        Code::FailedPrecondition => ("FAILED_PRECONDITION", 400),
        Code::Aborted => ("ABORTED", 409),
        Code::OutOfRange => ("OUT_OF_RANGE", 400),
        Code::Unimplemented => ("UNIMPLEMENTED", 501),
        Code::Internal => ("INTERNAL", 500),
        Code::Unavailable => ("UNAVAILABLE", 503),
        Code::DataLoss => ("DATA_LOSS", 500),
        Code::Unauthenticated => ("UNAUTHENTICATED", 401),
    }
}

fn name(code: Code) -> &'static str {
    name_and_http_status(code).0
}

fn http_status(code: Code) -> StatusCode {
    StatusCode::from_u16(name_and_http_status(code).1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_name_and_an_http_status() {
        for code in (0..17).map(Code::from_i32) {
            // FAILED_PRECONDITION and FailedPrecondition differ only in case and underscores.
            let variant = format!("{code:?}").to_lowercase();
            assert_eq!(name(code).replace('_', "").to_lowercase(), variant);
            let is_failure = http_status(code).is_client_error() || http_status(code).is_server_error();
            assert_eq!(is_failure, code != Code::Ok, "{code:?}");
        }
    }

    #[test]
    fn details_are_in_proto_json() {
        let failure = Status::from(roomcast_proto::Failure::StoreUnavailable);
        assert_eq!(
            details(&failure.get_error_details()),
            [
                json!({
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "STORE_UNAVAILABLE",
                    "domain": "roomcast",
                    "metadata": {},
                }),
                json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s" }),
            ]
        );
    }
}
