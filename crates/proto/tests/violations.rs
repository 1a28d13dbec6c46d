//! All invalid fields of a request are named at once.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use prost_types::{Struct, Timestamp};
use roomcast_proto::{
    Invalid,
    command::{DisconnectUser, RequireFeedback, SessionChange},
    v1,
    watch::WatchRoom,
};

fn fields(result: Result<impl std::fmt::Debug, Invalid>) -> Vec<String> {
    result
        .unwrap_err()
        .violations()
        .iter()
        .map(|violation| violation.field.clone())
        .collect()
}

fn participant(user: &str, role: v1::Role) -> v1::Participant {
    v1::Participant {
        user_id: user.into(),
        role: role.into(),
    }
}

fn publish(list: Vec<v1::Participant>) -> v1::PublishSessionUpdateRequest {
    let session = v1::Session {
        id: "s1".into(),
        status: "scheduled".into(),
        participants: Some(v1::Participants { list }),
        attributes: None,
    };
    v1::PublishSessionUpdateRequest {
        session: Some(session),
        expected_revision: None,
        request_id: "r1".into(),
    }
}

#[test]
fn every_invalid_field_of_a_session_is_named() {
    let mut request = publish(vec![
        participant("alice", v1::Role::Interviewer),
        participant("a b", v1::Role::Unspecified),
        participant("alice", v1::Role::Observer),
        participant("bob", v1::Role::Interviewer),
    ]);
    request.request_id = "x".repeat(129);
    let session = request.session.as_mut().unwrap();
    session.id = String::new();
    session.status = "x".repeat(129);
    let reserved = ["id", "status", "participants"].map(|name| (name.to_owned(), true.into()));
    session.attributes = Some(Struct {
        fields: reserved.into_iter().collect(),
    });
    assert_eq!(
        fields(SessionChange::try_from(request)),
        [
            "request_id",
            "session.id",
            "session.status",
            "session.participants.list[1].user_id",
            "session.participants.list[1].role",
            "session.participants.list[2].user_id",
            "session.participants.list[3].role",
            "session.attributes.id",
            "session.attributes.status",
            "session.attributes.participants",
        ]
    );
}

#[test]
fn a_session_is_required() {
    assert_eq!(
        fields(SessionChange::try_from(v1::PublishSessionUpdateRequest::default())),
        ["session"]
    );
}

#[test]
fn every_invalid_field_of_the_other_requests_is_named() {
    let feedback = v1::UpdateFeedbackRequest {
        author_id: "?".into(),
        timestamp: Some(Timestamp {
            seconds: 0,
            nanos: -1,
        }),
        ..Default::default()
    };
    assert_eq!(
        fields(SessionChange::try_from(feedback)),
        ["session_id", "feedback_id", "author_id", "timestamp"]
    );
    assert_eq!(
        fields(SessionChange::try_from(v1::SelectRoleRequest::default())),
        ["session_id", "user_id", "role"]
    );
    assert_eq!(
        fields(SessionChange::try_from(v1::RemoveParticipantRequest::default())),
        ["session_id", "user_id"]
    );
    let users = |user_ids| v1::RequireFeedbackRequest {
        session_id: "s1".into(),
        user_ids,
        ..Default::default()
    };
    assert_eq!(
        fields(RequireFeedback::try_from(users(vec!["u".into(), "?".into()]))),
        ["user_ids[1]"]
    );
    assert_eq!(
        fields(RequireFeedback::try_from(users(vec!["u".into(); 1_001]))),
        ["user_ids"]
    );
    let disconnect = v1::DisconnectUserRequest {
        user_id: String::new(),
        reason: "x".repeat(257),
    };
    assert_eq!(
        fields(DisconnectUser::try_from(disconnect)),
        ["user_id", "reason"]
    );
    let after = Some(v1::Position {
        epoch: "x".into(),
        offset: 1,
    });
    assert_eq!(
        fields(WatchRoom::try_from(v1::WatchEventsRequest { room: None, after })),
        ["session_id", "after.epoch"]
    );
}

#[test]
fn the_size_of_an_error_is_limited() {
    let list = (0..5_000)
        .map(|_| participant(&"?".repeat(1_000), v1::Role::Unspecified))
        .collect();
    let status = tonic::Status::from(roomcast_proto::Failure::from(
        SessionChange::try_from(publish(list)).unwrap_err(),
    ));
    // HTTP/2 peers commonly accept 8 to 16 KiB of headers.
    assert!(
        status.details().len() + status.message().len() < 6 * 1024,
        "{}",
        status.details().len()
    );
}

#[test]
fn equal_requests_have_equal_fingerprints_whatever_their_ids() {
    let key = |id: &str, status: &str| {
        let mut request = publish(vec![]);
        request.request_id = id.into();
        request.session.as_mut().unwrap().status = status.into();
        SessionChange::try_from(request).unwrap().request.unwrap()
    };
    assert_eq!(key("r1", "open").fingerprint, key("r2", "open").fingerprint);
    assert_ne!(key("r1", "open").fingerprint, key("r1", "closed").fingerprint);
}

#[test]
fn each_user_appears_once_in_the_order_of_the_request() {
    let user_ids = ["b", "a", "b"].map(String::from).into();
    let request = v1::RequireFeedbackRequest {
        session_id: "s1".into(),
        user_ids,
        ..Default::default()
    };
    let users: Vec<String> = RequireFeedback::try_from(request)
        .unwrap()
        .users
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(users, ["b", "a"]);
}
