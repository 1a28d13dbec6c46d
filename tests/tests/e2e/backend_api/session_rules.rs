//! The rules of sessions, idempotency, and errors of unary calls.

use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browser, Browsers, Client, Process, Redis, grpcurl, grpcurl_until, reason, session, token,
};
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// The reason and the metadata of an error, whose domain must be ours.
fn info(status: &Status) -> (String, std::collections::BTreeMap<String, String>) {
    let info = status
        .get_details_error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "roomcast");
    (info.reason, info.metadata.into_iter().collect())
}

#[tokio::test]
async fn an_exclusive_role_has_one_holder() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend
        .publish(session("s1", "a", "alice=interviewer bob=observer"))
        .await;
    let error = backend.select_role("s1", "bob", "interviewer").await.unwrap_err();
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::FailedPrecondition, "ROLE_TAKEN".to_owned())
    );
    let metadata = [("role".to_owned(), "interviewer".to_owned())].into();
    assert_eq!(info(&error), ("ROLE_TAKEN".to_owned(), metadata));
    // The holder may select the role again; when the holder selects another, the role is free.
    backend.select_role("s1", "alice", "interviewer").await.unwrap();
    backend.select_role("s1", "alice", "observer").await.unwrap();
    backend.select_role("s1", "bob", "interviewer").await.unwrap();
    let error = backend
        .select_role("nowhere", "bob", "interviewer")
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::NotFound, "SESSION_NOT_FOUND".to_owned())
    );
}

/// Selects a role twice with the same request id; returns the request.
async fn select_role_twice(backend: &mut Backend) -> v1::SelectRoleRequest {
    let request = v1::SelectRoleRequest {
        session_id: "s1".to_owned(),
        user_id: "bob".to_owned(),
        role: v1::Role::Observer.into(),
        request_id: "any text: {}\n\"ü\"".to_owned(),
    };
    let first = backend.0.select_role(request.clone()).await.unwrap().into_inner();
    let again = backend.0.select_role(request.clone()).await.unwrap().into_inner();
    assert!(!first.duplicate && again.duplicate);
    assert_eq!((&first.event, first.revision), (&again.event, again.revision));
    request
}

/// Another request, and a call of another method, with the request id of an earlier request.
async fn reuse_request_id(backend: &mut Backend, request: v1::SelectRoleRequest) {
    let other = v1::SelectRoleRequest {
        user_id: "carol".to_owned(),
        ..request.clone()
    };
    let error = backend.0.select_role(other).await.unwrap_err();
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned())
    );
    let other = v1::RemoveParticipantRequest {
        session_id: "s1".to_owned(),
        user_id: "bob".to_owned(),
        request_id: request.request_id,
    };
    assert_eq!(
        backend.0.remove_participant(other).await.unwrap_err().code(),
        Code::AlreadyExists
    );
}

async fn require_feedback_twice(backend: &mut Backend) {
    let request = v1::RequireFeedbackRequest {
        session_id: "s1".to_owned(),
        user_ids: vec![],
        request_id: "r".to_owned(),
    };
    let first = backend
        .0
        .require_feedback(request.clone())
        .await
        .unwrap()
        .into_inner();
    let again = backend.0.require_feedback(request).await.unwrap().into_inner();
    assert!(!first.duplicate && again.duplicate);
    assert_eq!(first.event, again.event);
}

#[tokio::test]
async fn a_repeated_request_id_returns_the_first_response() {
    let redis = Redis::start().await;
    for dev in [
        Process::dev(&[]).await,
        Process::dev(&["--redis-url", &redis.url()]).await,
    ] {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        let browsers = Browsers::start(Client::Js48);
        backend.publish(session("s1", "a", "alice=interviewer")).await;
        let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
        alice.join("s1").await;
        let request = select_role_twice(&mut backend).await;
        reuse_request_id(&mut backend, request).await;
        require_feedback_twice(&mut backend).await;
        // Delivered once: the next event of each kind is the next that was published.
        backend.publish(session("s1", "b", "alice=interviewer")).await;
        backend.require_feedback("s1", &["alice"]).await;
        let mut names = Vec::new();
        for _ in 0..4 {
            names.push(alice.next_event().await.0);
        }
        names.sort();
        assert_eq!(
            names,
            [
                "feedback-required",
                "feedback-required",
                "role-selected",
                "session-updated"
            ]
        );
    }
}

#[tokio::test]
async fn an_unexpected_revision_aborts_the_call() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let publish = |expected| v1::PublishSessionUpdateRequest {
        session: Some(session("s1", "a", "")),
        expected_revision: Some(expected),
        ..Default::default()
    };
    assert_eq!(
        backend
            .0
            .publish_session_update(publish(0))
            .await
            .unwrap()
            .into_inner()
            .revision,
        1
    );
    let error = backend.0.publish_session_update(publish(0)).await.unwrap_err();
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::Aborted, "REVISION_MISMATCH".to_owned())
    );
    let metadata = [("current_revision".to_owned(), "1".to_owned())].into();
    assert_eq!(info(&error).1, metadata);
    assert_eq!(
        backend
            .0
            .publish_session_update(publish(1))
            .await
            .unwrap()
            .into_inner()
            .revision,
        2
    );
}

#[tokio::test]
async fn a_denied_join_is_a_response_and_not_an_error() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    for (id, user, allowed, role, denial) in [
        (
            "s1",
            "alice",
            true,
            v1::Role::Interviewer,
            v1::Denial::Unspecified,
        ),
        (
            "s1",
            "eve",
            false,
            v1::Role::Unspecified,
            v1::Denial::NotAParticipant,
        ),
        (
            "s2",
            "eve",
            false,
            v1::Role::Unspecified,
            v1::Denial::SessionNotFound,
        ),
    ] {
        let request = v1::AuthorizeJoinRequest {
            session_id: id.to_owned(),
            user_id: user.to_owned(),
        };
        let response = backend.0.authorize_join(request).await.unwrap().into_inner();
        assert_eq!(
            (response.allowed, response.role(), response.denial()),
            (allowed, role, denial)
        );
        assert_eq!(response.position.is_some(), id == "s1");
    }
}

#[tokio::test]
async fn a_published_session_can_be_read_and_watched_with_grpcurl() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let grpc = dev.addr("grpc");
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    let read = grpcurl(
        grpc,
        "ADDR roomcast.v1.SessionService/GetSession",
        r#"{"session_id":"s1"}"#,
    )
    .await
    .json();
    assert_eq!(
        (&read["session"]["status"], &read["revision"]),
        (&json!("a"), &json!("1"))
    );
    backend.select_role("s1", "bob", "observer").await.unwrap();
    let watch = "ADDR roomcast.v1.SessionService/WatchEvents";
    let watched = grpcurl_until(grpc, watch, r#"{"session_id":"s1"}"#, "roleSelected").await;
    assert!(watched.contains("sessionUpdated"), "{watched}");
    let missing = grpcurl(grpc, watch, r#"{"session_id":"nowhere"}"#).await;
    assert!(missing.err.contains("NotFound"), "{missing:?}");
}

#[tokio::test]
async fn an_unknown_session_is_not_found_by_every_method() {
    const METHODS: [(&str, &str); 6] = [
        ("SelectRole", r#","user_id":"u","role":"ROLE_OBSERVER""#),
        ("RequireFeedback", r#","user_ids":["u"]"#),
        ("UpdateFeedback", r#","feedback_id":"f""#),
        ("RemoveParticipant", r#","user_id":"u""#),
        ("GetSession", ""),
        ("WatchEvents", ""),
    ];
    let dev = Process::dev(&[]).await;
    for (method, more) in METHODS {
        let request = format!(r#"{{"session_id":"nowhere"{more}}}"#);
        let arguments = format!("ADDR roomcast.v1.SessionService/{method}");
        let call = grpcurl(dev.addr("grpc"), &arguments, &request).await;
        assert!(
            !call.ok && call.err.contains("NotFound") && call.err.contains("SESSION_NOT_FOUND"),
            "{method}: {call:?}"
        );
    }
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    let request = v1::RemoveParticipantRequest {
        session_id: "s1".to_owned(),
        user_id: "eve".to_owned(),
        request_id: String::new(),
    };
    let error = backend.0.remove_participant(request).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert_eq!(info(&error).0, "NOT_A_PARTICIPANT");
}

/// Creates the session; returns a socket of Alice that joined between the first call and its repetition.
async fn publish_twice(dev: &Process, browsers: &Browsers, backend: &mut Backend) -> Browser {
    let request = v1::PublishSessionUpdateRequest {
        session: Some(session("s1", "a", "alice=interviewer bob=observer")),
        expected_revision: Some(0),
        request_id: "publish".to_owned(),
    };
    let first = backend
        .0
        .publish_session_update(request.clone())
        .await
        .unwrap()
        .into_inner();
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    alice.join("s1").await;
    // The first response again, although the revision is no longer the expected one.
    let again = backend
        .0
        .publish_session_update(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((first.duplicate, again.duplicate), (false, true));
    assert_eq!((first.event, first.revision), (again.event, again.revision));
    alice
}

async fn update_feedback_twice(backend: &mut Backend) {
    let request = v1::UpdateFeedbackRequest {
        session_id: "s1".to_owned(),
        feedback_id: "f1".to_owned(),
        request_id: "feedback".to_owned(),
        ..Default::default()
    };
    let first = backend
        .0
        .update_feedback(request.clone())
        .await
        .unwrap()
        .into_inner();
    let again = backend.0.update_feedback(request).await.unwrap().into_inner();
    assert_eq!((first.duplicate, again.duplicate), (false, true));
    assert_eq!(first.event, again.event);
}

/// The repetition has the first response, although Bob is no longer a participant.
async fn remove_bob_twice(backend: &mut Backend) {
    let request = v1::RemoveParticipantRequest {
        session_id: "s1".to_owned(),
        user_id: "bob".to_owned(),
        request_id: "remove".to_owned(),
    };
    let first = backend
        .0
        .remove_participant(request.clone())
        .await
        .unwrap()
        .into_inner();
    let again = backend.0.remove_participant(request).await.unwrap().into_inner();
    assert_eq!((first.duplicate, again.duplicate), (false, true));
    assert_eq!((first.event, first.revision), (again.event, again.revision));
}

#[tokio::test]
async fn every_method_takes_effect_once_per_request_id() {
    let redis = Redis::start().await;
    for dev in [
        Process::dev(&[]).await,
        Process::dev(&["--redis-url", &redis.url()]).await,
    ] {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        let browsers = Browsers::start(Client::Js48);
        let mut alice = publish_twice(&dev, &browsers, &mut backend).await;
        update_feedback_twice(&mut backend).await;
        remove_bob_twice(&mut backend).await;
        backend.publish(session("s1", "b", "alice=interviewer")).await;
        alice.expect_event("feedback-updated").await;
        assert_eq!(
            alice.expect_event("session-updated").await["session"]["status"],
            "b"
        );
    }
}
