//! Redis away, and back.

use std::time::{Duration, Instant};

use roomcast_proto::v1;
use roomcast_tests::{Browsers, Client, Cluster, Redis, eventually, reason, session, token};
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt;

#[tokio::test]
async fn redis_away_is_unavailable_at_once_and_back_is_well() {
    let mut cluster = Cluster::over(Redis::durable().await, 1, 1).await;
    let mut backend = cluster.backend(0).await;
    let browsers = Browsers::start(Client::Js48);
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    alice.join("s1").await;

    cluster.redis.kill().await;
    for _ in 0..3 {
        let asked = Instant::now();
        let error = backend.select_role("s1", "bob", "observer").await.unwrap_err();
        assert!(asked.elapsed() < Duration::from_secs(2), "at once");
        assert_eq!(
            (error.code(), reason(&error)),
            (Code::Unavailable, "STORE_UNAVAILABLE".to_owned())
        );
        assert!(
            error
                .get_details_retry_info()
                .is_some_and(|info| info.retry_delay.is_some()),
            "{error:?}"
        );
    }
    let why = cluster.control_planes[0].not_ready().await;
    assert!(why.contains("store"), "{why}");
    let answer = alice.ask("join-session", json!(["s2"])).await;
    assert_eq!(answer["error"]["code"], "unavailable", "{answer}");

    cluster.redis.restart().await;
    cluster.control_planes[0].ready().await;
    let request = v1::SelectRoleRequest {
        session_id: "s1".to_owned(),
        user_id: "bob".to_owned(),
        role: v1::Role::Observer.into(),
        request_id: "retried".to_owned(),
    };
    eventually("a store that takes commands", || {
        let (mut client, request) = (backend.0.clone(), request.clone());
        async move { client.select_role(request).await.ok() }
    })
    .await;
    // The same socket, never disconnected, is told.
    assert_eq!(alice.told("role-selected").await["userId"], "bob");
    backend.publish(session("s1", "b", "alice=interviewer")).await;
    assert_eq!(alice.told("session-updated").await["session"]["status"], "b");
}

#[tokio::test]
async fn redis_back_without_its_data_is_a_reset_and_never_silence() {
    let mut cluster = Cluster::start(1, 1).await;
    let mut backend = cluster.backend(0).await;
    let browsers = Browsers::start(Client::Js48);
    for id in ["s1", "s2"] {
        backend
            .publish(session(id, "a", "alice=interviewer bob=interviewee"))
            .await;
    }
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    let mut bob = browsers.connect(&cluster.edges[0].url(), &token("bob")).await;
    alice.join("s1").await;
    bob.join("s2").await;
    cluster.redis.kill().await;
    cluster.control_planes[0].not_ready().await;
    cluster.redis.restart().await;
    cluster.control_planes[0].ready().await;
    eventually("a session that begins anew", || {
        let mut client = backend.0.clone();
        let session = Some(session("s1", "new", "alice=interviewer"));
        async move {
            client
                .publish_session_update(v1::PublishSessionUpdateRequest {
                    session,
                    ..Default::default()
                })
                .await
                .ok()
        }
    })
    .await;
    // One session began anew, the other is no more. (A page may see the lost session revoked first, where the
    // edge learns of the loss before the backend begins anew.)
    let (name, payload, _) = alice.event().await;
    assert!(name == "session-reset" || name == "session-revoked", "{name}");
    if name == "session-reset" {
        assert_eq!(payload["session"]["status"], "new");
        assert!(payload["position"].is_string());
    }
    assert_eq!(bob.told("session-revoked").await["sessionId"], "s2");
}

#[tokio::test]
async fn a_frozen_redis_is_unavailable_and_then_well() {
    let cluster = Cluster::start(1, 1).await;
    let mut backend = cluster.backend(0).await;
    let browsers = Browsers::start(Client::Js48);
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    alice.join("s1").await;
    cluster.redis.signal("STOP");
    let asked = Instant::now();
    let error = backend.select_role("s1", "bob", "observer").await.unwrap_err();
    assert!(asked.elapsed() < Duration::from_secs(4), "no long hang");
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::Unavailable, "STORE_UNAVAILABLE".to_owned())
    );
    cluster.redis.signal("CONT");
    cluster.control_planes[0].ready().await;
    // What had no answer may have been done all the same: its event then comes first.
    let session = Some(session("s1", "b", "alice=interviewer"));
    let request = v1::PublishSessionUpdateRequest {
        session,
        ..Default::default()
    };
    eventually("a store that takes commands", || {
        let (mut client, request) = (backend.0.clone(), request.clone());
        async move { client.publish_session_update(request).await.ok() }
    })
    .await;
    let (mut name, mut payload, _) = alice.event().await;
    if name == "role-selected" {
        (name, payload, _) = alice.event().await;
    }
    assert_eq!(
        (name.as_str(), &payload["session"]["status"]),
        ("session-updated", &json!("b"))
    );
}
