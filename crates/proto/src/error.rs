//! The table that maps failures to gRPC statuses with google.rpc details. There is no other one.
//!
//! A code is a guarantee: UNAVAILABLE means that the request is valid, and that a retry with the same request id is safe.

use std::{collections::HashMap, time::Duration};

use roomcast_core::CommandDenial;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::violation::Invalid;

/// The domain of every `ErrorInfo`.
const DOMAIN: &str = "roomcast";
/// How long a caller should wait before a retry.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The whole text of an internal error.
const INTERNAL_TEXT: &str = "internal error; the control plane's log has the details";

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Fields of the request are invalid.
    Invalid(Invalid),
    /// The request is larger than the limit.
    RequestTooLarge {
        /// The limit, in bytes, inclusive.
        limit: usize,
    },
    /// A rule denies the command.
    Denied {
        /// The rule that denies it.
        denial: CommandDenial,
        /// The path of the request's field that can make the event too large; empty if there is none.
        large_field: &'static str,
    },
    /// The store is unreachable.
    StoreUnavailable,
    /// This control plane drains. Another one can serve the call.
    Draining,
    /// The call took longer than its caller or this control plane allows.
    DeadlineExceeded,
    /// The reader of a stream does not take events fast enough. It can continue from its last position.
    TooSlow,
    /// The call's token is missing or not valid.
    Token(TokenFault),
    /// The call's token cannot be verified yet.
    KeysUnavailable,
    /// An error of this control plane. The caller gets no details; the code that detects the error logs it.
    Internal,
}

/// Why a call's token is not accepted. The log, and not the caller, gets the reason why a token is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// The call has no token.
    Missing,
    /// The token is malformed, or its signature or claims are not accepted.
    Invalid,
    /// The token has expired.
    Expired,
}

/// The parts of a status that do not depend on the request's fields.
struct Row {
    code: Code,
    reason: &'static str,
    text: String,
    metadata: HashMap<String, String>,
}

impl Row {
    fn new(code: Code, reason: &'static str, text: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            text: text.into(),
            metadata: HashMap::new(),
        }
    }

    fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.metadata.insert(name.to_owned(), value.to_string());
        self
    }
}

fn row(failure: &Failure) -> Row {
    match failure {
        Failure::Invalid(invalid) => Row::new(
            Code::InvalidArgument,
            "INVALID_REQUEST",
            format!("invalid request: {invalid}"),
        ),
        Failure::RequestTooLarge { limit } => {
            let text = format!("the request is too large: at most {limit} bytes are allowed");
            Row::new(Code::InvalidArgument, "REQUEST_TOO_LARGE", text).with("max_bytes", limit)
        }
        Failure::Denied { denial, .. } => denied(denial),
        Failure::StoreUnavailable => Row::new(
            Code::Unavailable,
            "STORE_UNAVAILABLE",
            "the store is unreachable; a retry with the same request id is safe",
        ),
        Failure::Draining => Row::new(
            Code::Unavailable,
            "DRAINING",
            "this control plane is draining; retry to reach another one",
        ),
        Failure::DeadlineExceeded => Row::new(
            Code::DeadlineExceeded,
            "DEADLINE_EXCEEDED",
            "the call took longer than its deadline allows",
        ),
        Failure::TooSlow => Row::new(
            Code::Unavailable,
            "TOO_SLOW",
            "the reader is too slow and its queue is full; continue from the last position received",
        ),
        Failure::Token(TokenFault::Missing) => Row::new(
            Code::Unauthenticated,
            "TOKEN_MISSING",
            "the call requires a service token in the metadata `authorization: Bearer TOKEN`",
        ),
        Failure::Token(TokenFault::Invalid) => Row::new(
            Code::Unauthenticated,
            "TOKEN_INVALID",
            "the service token is not valid",
        ),
        Failure::Token(TokenFault::Expired) => Row::new(
            Code::Unauthenticated,
            "TOKEN_EXPIRED",
            "the service token has expired",
        ),
        Failure::KeysUnavailable => Row::new(
            Code::Unavailable,
            "KEYS_UNAVAILABLE",
            "the keys that verify service tokens are not available yet; retry",
        ),
        Failure::Internal => Row::new(Code::Internal, "INTERNAL", INTERNAL_TEXT),
    }
}

fn denied(denial: &CommandDenial) -> Row {
    let text = denial.to_string();
    match denial {
        CommandDenial::SessionNotFound => Row::new(Code::NotFound, "SESSION_NOT_FOUND", text),
        CommandDenial::RoleTaken(role) => {
            Row::new(Code::FailedPrecondition, "ROLE_TAKEN", text).with("role", role)
        }
        CommandDenial::RevisionMismatch { current } => {
            Row::new(Code::Aborted, "REVISION_MISMATCH", text).with("current_revision", current)
        }
        CommandDenial::NotAParticipant => Row::new(Code::NotFound, "NOT_A_PARTICIPANT", text),
        CommandDenial::PayloadTooLarge { bytes, limit } => {
            Row::new(Code::InvalidArgument, "PAYLOAD_TOO_LARGE", text)
                .with("bytes", bytes)
                .with("max_bytes", limit)
        }
        CommandDenial::RequestIdReused => Row::new(Code::AlreadyExists, "REQUEST_ID_REUSED", text),
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let Row {
            code,
            reason,
            text,
            metadata,
        } = row(&failure);
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
        if code == Code::Unavailable {
            details.set_retry_info(Some(RETRY_DELAY));
        }
        match &failure {
            Failure::Invalid(invalid) => {
                for violation in invalid.violations() {
                    details.add_bad_request_violation(&violation.field, &violation.description);
                }
            }
            Failure::Denied {
                denial: CommandDenial::PayloadTooLarge { .. },
                large_field,
            } => {
                details.add_bad_request_violation(*large_field, &text);
            }
            Failure::RequestTooLarge { .. } => {
                details.add_bad_request_violation("", &text);
            }
            Failure::Denied { .. }
            | Failure::StoreUnavailable
            | Failure::Draining
            | Failure::DeadlineExceeded
            | Failure::TooSlow
            | Failure::Token(_)
            | Failure::KeysUnavailable
            | Failure::Internal => {}
        }
        Self::with_error_details(code, text, details)
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<Invalid> for Status {
    fn from(invalid: Invalid) -> Self {
        Failure::Invalid(invalid).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(status: &Status) -> Option<String> {
        let info = status.get_details_error_info()?;
        assert_eq!(info.domain, DOMAIN);
        Some(info.reason)
    }

    fn status(denial: CommandDenial) -> Status {
        Failure::Denied {
            denial,
            large_field: "updates",
        }
        .into()
    }

    #[test]
    fn a_denial_has_a_reason_and_the_facts_to_continue_with() {
        let status = status(CommandDenial::RevisionMismatch { current: 7 });
        assert_eq!(
            (status.code(), reason(&status).as_deref()),
            (Code::Aborted, Some("REVISION_MISMATCH"))
        );
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.metadata["current_revision"], "7");
    }

    #[test]
    fn the_field_that_makes_an_event_too_large_is_named() {
        let status = status(CommandDenial::PayloadTooLarge {
            bytes: 70_000,
            limit: 65_536,
        });
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(
            (status.code(), violations[0].field.as_str()),
            (Code::InvalidArgument, "updates")
        );
    }

    #[test]
    fn unavailable_always_has_a_retry_delay() {
        for failure in [
            Failure::StoreUnavailable,
            Failure::Draining,
            Failure::TooSlow,
            Failure::KeysUnavailable,
        ] {
            let status = Status::from(failure);
            assert_eq!(status.code(), Code::Unavailable);
            assert_eq!(
                status.get_details_retry_info().unwrap().retry_delay,
                Some(RETRY_DELAY)
            );
        }
    }

    #[test]
    fn an_internal_error_contains_no_details() {
        let status = Status::from(Failure::Internal);
        assert_eq!(status.code(), Code::Internal);
        assert_eq!(
            status.message(),
            "internal error; the control plane's log has the details"
        );
        let details = status.get_error_details_vec();
        assert_eq!(details.len(), 1, "{details:?}");
        let info = status.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("INTERNAL", DOMAIN));
        assert!(info.metadata.is_empty(), "{info:?}");
    }
}
