//! A Redis that is killed or stopped, and is started again with or without its data.

use roomcast_proto::v1;
use roomcast_tests::{Browsers, Client, Cluster, Redis, eventually, reason, session, token, within};
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt;

const CALLS: usize = 40;

#[tokio::test]
async fn commands_fail_without_a_wait_while_redis_is_down_and_work_after_its_restart() {
    let mut cluster = Cluster::over(Redis::durable().await, 1, 1).await;
    let mut backend = cluster.backend(0).await;
    let browsers = Browsers::start(Client::Js48);
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    alice.join("s1").await;

    cluster.redis.kill().await;
    // If each call waited for the timeout of a Redis that hangs, so many would take longer than the deadline.
    let errors = within("the errors of many calls", async {
        let mut errors = Vec::new();
        for _ in 0..CALLS {
            errors.push(backend.select_role("s1", "bob", "observer").await.unwrap_err());
        }
        errors
    });
    for error in errors.await {
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
    let reasons = cluster.control_planes[0].not_ready().await;
    assert!(reasons.contains("store"), "{reasons}");
    let response = alice.request("join-session", json!(["s2"])).await;
    assert_eq!(response["error"]["code"], "unavailable", "{response}");

    cluster.redis.restart().await;
    cluster.control_planes[0].ready().await;
    let request = v1::SelectRoleRequest {
        session_id: "s1".to_owned(),
        user_id: "bob".to_owned(),
        role: v1::Role::Observer.into(),
        request_id: "retried".to_owned(),
    };
    eventually("a store that accepts the command", || {
        let (mut client, request) = (backend.0.clone(), request.clone());
        async move { client.select_role(request).await.ok() }
    })
    .await;
    // The same socket, which was never disconnected, receives the event.
    assert_eq!(alice.expect_event("role-selected").await["userId"], "bob");
    backend.publish(session("s1", "b", "alice=interviewer")).await;
    assert_eq!(
        alice.expect_event("session-updated").await["session"]["status"],
        "b"
    );
}

#[tokio::test]
async fn a_redis_that_lost_its_data_causes_resets_and_revocations() {
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
    eventually("a store that accepts the command", || {
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
    // One session was created again, the other no longer exists. The first may be revoked as well, if the edge detects
    // the loss before the backend creates the session again.
    let (name, payload, _) = alice.next_event().await;
    assert!(name == "session-reset" || name == "session-revoked", "{name}");
    if name == "session-reset" {
        assert_eq!(payload["session"]["status"], "new");
        assert!(payload["position"].is_string());
    }
    assert_eq!(bob.expect_event("session-revoked").await["sessionId"], "s2");
}

#[tokio::test]
async fn commands_are_unavailable_while_redis_is_stopped_and_work_afterwards() {
    let cluster = Cluster::start(1, 1).await;
    let mut backend = cluster.backend(0).await;
    let browsers = Browsers::start(Client::Js48);
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    alice.join("s1").await;
    cluster.redis.signal("STOP");
    // Redis does not respond before the signal below: the control plane ends the call by itself.
    let error = backend.select_role("s1", "bob", "observer").await.unwrap_err();
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::Unavailable, "STORE_UNAVAILABLE".to_owned())
    );
    cluster.redis.signal("CONT");
    cluster.control_planes[0].ready().await;
    // The command without a result may have taken effect: its event then comes first.
    let session = Some(session("s1", "b", "alice=interviewer"));
    let request = v1::PublishSessionUpdateRequest {
        session,
        ..Default::default()
    };
    eventually("a store that accepts the command", || {
        let (mut client, request) = (backend.0.clone(), request.clone());
        async move { client.publish_session_update(request).await.ok() }
    })
    .await;
    let (mut name, mut payload, _) = alice.next_event().await;
    if name == "role-selected" {
        (name, payload, _) = alice.next_event().await;
    }
    assert_eq!(
        (name.as_str(), &payload["session"]["status"]),
        ("session-updated", &json!("b"))
    );
}
