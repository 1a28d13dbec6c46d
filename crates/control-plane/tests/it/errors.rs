//! The code, the reason and the details of each error.

use roomcast_core::limits::DEFAULT_MAX_PAYLOAD_BYTES;
use roomcast_proto::v1;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::{
    faulty_store::CORRUPTION,
    harness::TestServer,
    log_capture::LogCapture,
    requests::{code_and_reason, invalid_fields, object, publish, select, watch},
};

#[tokio::test]
async fn every_invalid_field_is_named() {
    let server = TestServer::start().await;
    let status = server
        .backend()
        .select_role(v1::SelectRoleRequest::default())
        .await
        .unwrap_err();
    assert_eq!(
        code_and_reason(&status),
        (Code::InvalidArgument, "INVALID_REQUEST".into())
    );
    assert_eq!(invalid_fields(&status), ["session_id", "user_id", "role"]);
}

#[tokio::test]
async fn an_unknown_session_is_not_found() {
    let server = TestServer::start().await;
    let not_found = (Code::NotFound, "SESSION_NOT_FOUND".to_owned());
    let mut backend = server.backend();
    let status = backend
        .select_role(select("s1", "alice", v1::Role::Observer))
        .await
        .unwrap_err();
    assert_eq!(code_and_reason(&status), not_found);
    let get = v1::GetSessionRequest {
        session_id: "s1".into(),
    };
    assert_eq!(
        code_and_reason(&backend.get_session(get).await.unwrap_err()),
        not_found
    );
    assert_eq!(
        code_and_reason(&backend.watch_events(watch("s1", None)).await.unwrap_err()),
        not_found
    );
    let require = v1::RequireFeedbackRequest {
        session_id: "s1".into(),
        ..Default::default()
    };
    assert_eq!(
        code_and_reason(&backend.require_feedback(require).await.unwrap_err()),
        not_found
    );
}

#[tokio::test]
async fn a_denial_has_a_reason() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let mut backend = server.backend();
    let status = backend
        .select_role(select("s1", "carol", v1::Role::Interviewer))
        .await
        .unwrap_err();
    assert_eq!(
        code_and_reason(&status),
        (Code::FailedPrecondition, "ROLE_TAKEN".into())
    );

    let remove = v1::RemoveParticipantRequest {
        session_id: "s1".into(),
        user_id: "carol".into(),
        ..Default::default()
    };
    let status = backend.remove_participant(remove).await.unwrap_err();
    assert_eq!(
        code_and_reason(&status),
        (Code::NotFound, "NOT_A_PARTICIPANT".into())
    );

    let stale = v1::PublishSessionUpdateRequest {
        expected_revision: Some(0),
        ..publish("s1")
    };
    let status = backend.publish_session_update(stale).await.unwrap_err();
    assert_eq!(
        code_and_reason(&status),
        (Code::Aborted, "REVISION_MISMATCH".into())
    );
    assert_eq!(
        status.get_details_error_info().unwrap().metadata["current_revision"],
        "1"
    );
}

#[tokio::test]
async fn a_request_id_with_another_request_already_exists() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let request = |role| v1::SelectRoleRequest {
        request_id: "r1".into(),
        ..select("s1", "carol", role)
    };
    server
        .backend()
        .select_role(request(v1::Role::Observer))
        .await
        .unwrap();
    let status = server
        .backend()
        .select_role(request(v1::Role::Interviewer))
        .await
        .unwrap_err();
    assert_eq!(
        code_and_reason(&status),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".into())
    );
}

#[tokio::test]
async fn the_field_that_makes_an_event_too_large_is_named() {
    let server = TestServer::start().await;
    let mut large = publish("s1");
    let text = "x".repeat(DEFAULT_MAX_PAYLOAD_BYTES);
    large.session.as_mut().unwrap().attributes = Some(object("text", &text));
    let status = server.backend().publish_session_update(large).await.unwrap_err();
    assert_eq!(
        code_and_reason(&status),
        (Code::InvalidArgument, "PAYLOAD_TOO_LARGE".into())
    );
    assert_eq!(invalid_fields(&status), ["session.attributes"]);
}

#[tokio::test]
async fn an_unreachable_store_is_unavailable_with_a_retry_delay() {
    let server = TestServer::start().await;
    server.store.set_unreachable(true);
    let status = server
        .backend()
        .publish_session_update(publish("s1"))
        .await
        .unwrap_err();
    assert_eq!(
        code_and_reason(&status),
        (Code::Unavailable, "STORE_UNAVAILABLE".into())
    );
    assert!(status.get_details_retry_info().unwrap().retry_delay.is_some());
    server.store.set_unreachable(false);
    server.publish("s1").await;
}

#[tokio::test]
async fn a_corrupt_store_is_an_internal_error_without_details() {
    let log = LogCapture::start();
    let server = TestServer::start().await;
    server.store.corrupt();
    let status = server
        .backend()
        .publish_session_update(publish("s1"))
        .await
        .unwrap_err();
    assert_eq!(code_and_reason(&status), (Code::Internal, "INTERNAL".into()));
    assert_eq!(
        status.message(),
        "internal error; the control plane's log has the details"
    );
    let details = status.get_error_details_vec();
    assert_eq!(details.len(), 1, "{details:?}");
    assert!(status.get_details_error_info().unwrap().metadata.is_empty());
    assert!(!log.lines_with(CORRUPTION).is_empty());
}
