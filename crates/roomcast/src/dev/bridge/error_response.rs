//! What the bridge answers where it has no answer: a gRPC status as JSON, its details as proto-JSON has them.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// A status, and what it is in HTTP.
pub(super) struct Refusal {
    http: StatusCode,
    status: Status,
}

impl Refusal {
    pub(super) fn of(code: Code, text: impl Into<String>) -> Self {
        Status::new(code, text).into()
    }

    /// For what HTTP has a word of its own.
    pub(super) fn in_http(self, http: StatusCode) -> Self {
        Self { http, ..self }
    }
}

impl<S: Into<Status>> From<S> for Refusal {
    fn from(status: S) -> Self {
        let status = status.into();
        let http = http_status(status.code());
        Self { http, status }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "code": name(self.status.code()),
            "message": self.status.message(),
            "details": details(&self.status.get_error_details()),
        });
        (self.http, Json(body)).into_response()
    }
}

fn details(details: &ErrorDetails) -> Vec<Value> {
    let kind = |name: &str| format!("type.googleapis.com/google.rpc.{name}");
    let mut all = Vec::new();
    if let Some(info) = details.error_info() {
        all.push(json!({
            "@type": kind("ErrorInfo"),
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
            "@type": kind("BadRequest"),
            "fieldViolations": violations.collect::<Vec<_>>(),
        }));
    }
    if let Some(delay) = details.retry_info().and_then(|retry| retry.retry_delay) {
        all.push(json!({ "@type": kind("RetryInfo"), "retryDelay": format!("{}s", delay.as_secs_f64()) }));
    }
    all
}

/// The name of a code, and its status in HTTP, as google/rpc/code.proto has them.
fn named(code: Code) -> (&'static str, u16) {
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
    named(code).0
}

fn http_status(code: Code) -> StatusCode {
    StatusCode::from_u16(named(code).1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_name_of_its_own() {
        for code in (0..17).map(Code::from_i32) {
            // Both are made of the same words: FAILED_PRECONDITION, FailedPrecondition.
            let words = format!("{code:?}").to_lowercase();
            assert_eq!(name(code).replace('_', "").to_lowercase(), words);
            let is_failure = http_status(code).is_client_error() || http_status(code).is_server_error();
            assert_eq!(is_failure, code != Code::Ok, "{code:?}");
        }
    }

    #[test]
    fn details_are_those_of_proto_json() {
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
