//! The one table from failures to gRPC statuses, with google.rpc details.
//!
//! A code is a promise: UNAVAILABLE means that nothing is wrong with the request, and that a retry with the same
//! request id is safe.

use std::{collections::HashMap, time::Duration};

use roomcast_core::CommandDenial;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::violation::Invalid;

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "roomcast";
/// When a caller may try again.
pub const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Fields of the request are wrong.
    Invalid(Invalid),
    /// The request is larger than this many bytes.
    RequestTooLarge {
        /// What a request may have.
        limit: usize,
    },
    /// A rule says no.
    Denied {
        /// Which.
        denial: CommandDenial,
        /// The request's field that makes an event large.
        large_field: &'static str,
    },
    /// The store is out of reach.
    StoreUnavailable,
    /// This control plane is going away; another one will do.
    Draining,
    /// The call took longer than the caller, or this control plane, allows.
    DeadlineExceeded,
    /// The reader does not take what it is sent; it may go on from its last position.
    TooSlow,
    /// The call's token gives no identity.
    Token(TokenFault),
    /// Whether the call's token is good can't be told yet.
    KeysUnavailable,
    /// We are wrong. Callers learn nothing more; the log does, where it was noticed.
    Internal,
}

/// What is wrong with a call's token. Why an invalid one is invalid is for the log, not for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// There is none.
    Missing,
    /// It can never be taken.
    Invalid,
    /// Its time is over.
    Expired,
}

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
            format!("the request is not valid: {invalid}"),
        ),
        Failure::RequestTooLarge { limit } => {
            let text = format!("the request is too large: at most {limit} bytes are allowed");
            Row::new(Code::InvalidArgument, "REQUEST_TOO_LARGE", text).with("max_bytes", limit)
        }
        Failure::Denied { denial, .. } => rejected(denial),
        Failure::StoreUnavailable => Row::new(
            Code::Unavailable,
            "STORE_UNAVAILABLE",
            "the store is out of reach: a retry with the same request id is safe",
        ),
        Failure::Draining => Row::new(
            Code::Unavailable,
            "DRAINING",
            "this control plane is going away: try again",
        ),
        Failure::DeadlineExceeded => Row::new(
            Code::DeadlineExceeded,
            "DEADLINE_EXCEEDED",
            "the call took longer than its deadline allows",
        ),
        Failure::TooSlow => Row::new(
            Code::Unavailable,
            "TOO_SLOW",
            "events come faster than they are taken: go on from your last position",
        ),
        Failure::Token(TokenFault::Missing) => Row::new(
            Code::Unauthenticated,
            "TOKEN_MISSING",
            "the call needs the metadata `authorization: Bearer` with a service token",
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
            "the keys that verify tokens are not there yet: try again",
        ),
        Failure::Internal => Row::new(
            Code::Internal,
            "INTERNAL",
            "an internal error: it is in the control plane's log",
        ),
    }
}

fn rejected(denial: &CommandDenial) -> Row {
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

/// The `reason` of a status of ours, such as `ROLE_TAKEN`.
#[must_use]
pub fn reason(status: &Status) -> Option<String> {
    status
        .get_details_error_info()
        .filter(|info| info.domain == DOMAIN)
        .map(|info| info.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(denial: CommandDenial) -> Status {
        Failure::Denied {
            denial,
            large_field: "updates",
        }
        .into()
    }

    #[test]
    fn a_rejection_tells_its_reason_and_what_to_go_on_with() {
        let status = status(CommandDenial::RevisionMismatch { current: 7 });
        assert_eq!(
            (status.code(), reason(&status).as_deref()),
            (Code::Aborted, Some("REVISION_MISMATCH"))
        );
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.metadata["current_revision"], "7");
    }

    #[test]
    fn an_event_that_is_too_large_names_the_field_that_makes_it_so() {
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
    fn unavailable_always_says_when_to_try_again() {
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
    fn an_internal_error_tells_nothing() {
        assert_eq!(Status::from(Failure::Internal).code(), Code::Internal);
    }
}
