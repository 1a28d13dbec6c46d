//! The effect of each method of `SessionService`.

use roomcast_proto::v1;

use crate::{
    harness::TestServer,
    requests::{object, offset, publish, select},
};

#[tokio::test]
async fn a_published_session_can_be_read() {
    let server = TestServer::start().await;
    let published = server.publish("s1").await;
    let event = published.event.unwrap();
    assert_eq!(
        (event.room.as_str(), published.revision, published.duplicate),
        ("session:s1", 1, false)
    );
    assert!(event.published_at.is_some());
    let get = v1::GetSessionRequest {
        session_id: "s1".into(),
    };
    let found = server.backend().get_session(get).await.unwrap().into_inner();
    assert_eq!(found.session, publish("s1").session);
    assert_eq!((found.revision, found.position), (1, event.position));
}

#[tokio::test]
async fn a_user_with_a_role_may_join() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let join = |session: &str, user: &str| v1::AuthorizeJoinRequest {
        session_id: session.into(),
        user_id: user.into(),
    };
    let mut backend = server.backend();
    let denied = backend
        .authorize_join(join("s1", "carol"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (denied.allowed, denied.denial()),
        (false, v1::Denial::NotAParticipant)
    );
    let unknown = backend
        .authorize_join(join("s2", "carol"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (unknown.allowed, unknown.denial()),
        (false, v1::Denial::SessionNotFound)
    );
    assert_eq!(unknown.position, None);
    let selected = backend
        .select_role(select("s1", "carol", v1::Role::Observer))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((offset(selected.event.as_ref()), selected.revision), (2, 2));
    let allowed = backend
        .authorize_join(join("s1", "carol"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((allowed.allowed, allowed.role()), (true, v1::Role::Observer));
    assert_eq!(allowed.position, selected.event.unwrap().position);
}

#[tokio::test]
async fn a_removed_participant_may_not_join() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let remove = v1::RemoveParticipantRequest {
        session_id: "s1".into(),
        user_id: "bob".into(),
        ..Default::default()
    };
    let removed = server
        .backend()
        .remove_participant(remove)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((offset(removed.event.as_ref()), removed.revision), (2, 2));
    let join = v1::AuthorizeJoinRequest {
        session_id: "s1".into(),
        user_id: "bob".into(),
    };
    assert!(
        !server
            .backend()
            .authorize_join(join)
            .await
            .unwrap()
            .into_inner()
            .allowed
    );
}

#[tokio::test]
async fn required_feedback_is_pending_until_its_author_submits_it() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let mut backend = server.backend();
    let require = v1::RequireFeedbackRequest {
        session_id: "s1".into(),
        ..Default::default()
    };
    let required = backend.require_feedback(require).await.unwrap().into_inner();
    let rooms: Vec<_> = required.event.iter().map(|event| event.room.as_str()).collect();
    assert_eq!(rooms, ["user:alice", "user:bob"]);
    let update = v1::UpdateFeedbackRequest {
        session_id: "s1".into(),
        feedback_id: "f1".into(),
        author_id: "alice".into(),
        updates: Some(object("grade", "good")),
        ..Default::default()
    };
    let updated = backend.update_feedback(update).await.unwrap().into_inner();
    assert_eq!(updated.event.unwrap().room, "session:s1");
    let get = v1::GetSessionRequest {
        session_id: "s1".into(),
    };
    assert_eq!(
        backend
            .get_session(get)
            .await
            .unwrap()
            .into_inner()
            .open_feedback_user_ids,
        ["bob"]
    );
}

#[tokio::test]
async fn a_disconnection_has_a_position_in_the_users_log() {
    let server = TestServer::start().await;
    let disconnect = v1::DisconnectUserRequest {
        user_id: "alice".into(),
        reason: "logged out".into(),
    };
    let event = server
        .backend()
        .disconnect_user(disconnect)
        .await
        .unwrap()
        .into_inner()
        .event
        .unwrap();
    assert_eq!((event.room.as_str(), offset(Some(&event))), ("user:alice", 1));
}

#[tokio::test]
async fn a_repeated_request_id_has_one_effect_and_one_response() {
    let server = TestServer::start().await;
    let request = v1::PublishSessionUpdateRequest {
        request_id: "r1".into(),
        ..publish("s1")
    };
    let mut backend = server.backend();
    let first = backend
        .publish_session_update(request.clone())
        .await
        .unwrap()
        .into_inner();
    let again = backend
        .publish_session_update(request)
        .await
        .unwrap()
        .into_inner();
    assert!(!first.duplicate && again.duplicate);
    assert_eq!((first.event, first.revision), (again.event, again.revision));
}
