//! Requests that many tests send, and what they read from responses.

use prost_types::Struct;
use roomcast_proto::v1;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Publishes a session with alice as interviewer and bob as interviewee.
pub(crate) fn publish(id: &str) -> v1::PublishSessionUpdateRequest {
    let participant = |user: &str, role: v1::Role| v1::Participant {
        user_id: user.into(),
        role: role.into(),
    };
    let list = vec![
        participant("alice", v1::Role::Interviewer),
        participant("bob", v1::Role::Interviewee),
    ];
    let session = v1::Session {
        id: id.into(),
        status: "scheduled".into(),
        participants: Some(v1::Participants { list }),
        attributes: Some(object("topic", "Rust")),
    };
    v1::PublishSessionUpdateRequest {
        session: Some(session),
        expected_revision: None,
        request_id: String::new(),
    }
}

pub(crate) fn object(name: &str, text: &str) -> Struct {
    Struct {
        fields: [(name.to_owned(), text.into())].into(),
    }
}

pub(crate) fn select(session: &str, user: &str, role: v1::Role) -> v1::SelectRoleRequest {
    v1::SelectRoleRequest {
        session_id: session.into(),
        user_id: user.into(),
        role: role.into(),
        request_id: String::new(),
    }
}

pub(crate) fn watch(session: &str, after: Option<v1::Position>) -> v1::WatchEventsRequest {
    let room = Some(v1::watch_events_request::Room::SessionId(session.into()));
    v1::WatchEventsRequest { room, after }
}

pub(crate) fn offset(event: Option<&v1::EventRef>) -> u64 {
    event.unwrap().position.as_ref().unwrap().offset
}

/// The status's gRPC code, and its reason in the domain `roomcast`.
pub(crate) fn code_and_reason(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info();
    let reason = info
        .filter(|info| info.domain == "roomcast")
        .map(|info| info.reason);
    (status.code(), reason.unwrap_or_default())
}

/// The paths of the fields that the status names as invalid.
pub(crate) fn invalid_fields(status: &Status) -> Vec<String> {
    let violations = status
        .get_details_bad_request()
        .map(|bad| bad.field_violations)
        .unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}
