//! What each error tells.

use roomcast_core::limits::DEFAULT_MAX_PAYLOAD_BYTES;
use roomcast_proto::v1;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::harness::{World, fields, object, publish, select, told, watch};

#[tokio::test]
async fn every_wrong_field_is_named() {
    let world = World::start().await;
    let status = world
        .backend()
        .select_role(v1::SelectRoleRequest::default())
        .await
        .unwrap_err();
    assert_eq!(told(&status), (Code::InvalidArgument, "INVALID_REQUEST".into()));
    assert_eq!(fields(&status), ["session_id", "user_id", "role"]);
}

#[tokio::test]
async fn an_unknown_session_is_not_found() {
    let world = World::start().await;
    let not_found = (Code::NotFound, "SESSION_NOT_FOUND".to_owned());
    let mut backend = world.backend();
    let status = backend
        .select_role(select("s1", "alice", v1::Role::Observer))
        .await
        .unwrap_err();
    assert_eq!(told(&status), not_found);
    let get = v1::GetSessionRequest {
        session_id: "s1".into(),
    };
    assert_eq!(told(&backend.get_session(get).await.unwrap_err()), not_found);
    assert_eq!(
        told(&backend.watch_events(watch("s1", None)).await.unwrap_err()),
        not_found
    );
    let require = v1::RequireFeedbackRequest {
        session_id: "s1".into(),
        ..Default::default()
    };
    assert_eq!(
        told(&backend.require_feedback(require).await.unwrap_err()),
        not_found
    );
}

#[tokio::test]
async fn a_rule_that_says_no_has_a_reason() {
    let world = World::start().await;
    world.publish("s1").await;
    let mut backend = world.backend();
    let status = backend
        .select_role(select("s1", "carol", v1::Role::Interviewer))
        .await
        .unwrap_err();
    assert_eq!(told(&status), (Code::FailedPrecondition, "ROLE_TAKEN".into()));

    let remove = v1::RemoveParticipantRequest {
        session_id: "s1".into(),
        user_id: "carol".into(),
        ..Default::default()
    };
    let status = backend.remove_participant(remove).await.unwrap_err();
    assert_eq!(told(&status), (Code::NotFound, "NOT_A_PARTICIPANT".into()));

    let stale = v1::PublishSessionUpdateRequest {
        expected_revision: Some(0),
        ..publish("s1")
    };
    let status = backend.publish_session_update(stale).await.unwrap_err();
    assert_eq!(told(&status), (Code::Aborted, "REVISION_MISMATCH".into()));
    assert_eq!(
        status.get_details_error_info().unwrap().metadata["current_revision"],
        "1"
    );
}

#[tokio::test]
async fn a_request_id_with_another_request_already_exists() {
    let world = World::start().await;
    world.publish("s1").await;
    let request = |role| v1::SelectRoleRequest {
        request_id: "r1".into(),
        ..select("s1", "carol", role)
    };
    world
        .backend()
        .select_role(request(v1::Role::Observer))
        .await
        .unwrap();
    let status = world
        .backend()
        .select_role(request(v1::Role::Interviewer))
        .await
        .unwrap_err();
    assert_eq!(told(&status), (Code::AlreadyExists, "REQUEST_ID_REUSED".into()));
}

#[tokio::test]
async fn an_event_that_is_too_large_names_its_field() {
    let world = World::start().await;
    let mut large = publish("s1");
    let text = "x".repeat(DEFAULT_MAX_PAYLOAD_BYTES);
    large.session.as_mut().unwrap().attributes = Some(object("text", &text));
    let status = world.backend().publish_session_update(large).await.unwrap_err();
    assert_eq!(told(&status), (Code::InvalidArgument, "PAYLOAD_TOO_LARGE".into()));
    assert_eq!(fields(&status), ["session.attributes"]);
}

#[tokio::test]
async fn a_store_out_of_reach_is_unavailable_and_says_when_to_try_again() {
    let world = World::start().await;
    world.store.set_away(true);
    let status = world
        .backend()
        .publish_session_update(publish("s1"))
        .await
        .unwrap_err();
    assert_eq!(told(&status), (Code::Unavailable, "STORE_UNAVAILABLE".into()));
    assert!(status.get_details_retry_info().unwrap().retry_delay.is_some());
    world.store.set_away(false);
    world.publish("s1").await;
}
