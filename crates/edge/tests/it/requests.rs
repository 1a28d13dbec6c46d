//! The requests of browsers: denials never close the connection.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    control_plane::Call,
    time::eventually,
    world::{STEP, World},
};

fn code(denied: &Value) -> &str {
    assert_eq!(denied["ok"], false, "{denied}");
    denied["error"]["code"].as_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_malformed_request_is_a_bad_request_and_the_connection_stays() {
    let world = World::start(1).await;
    let mut alice = world.browser("alice").await;
    let malformed = [
        (json!(["no-such-event", "s1"]), Value::Null),
        (json!(["join-session"]), Value::Null),
        (json!(["join-session", 7]), Value::Null),
        (json!(["join-session", "a b"]), json!("a b")),
        (json!(["join-session", "s1", { "after": "x" }]), json!("s1")),
        (json!(["leave-session", {}]), Value::Null),
        (json!(["refresh-token", 1]), Value::Null),
        (json!([r#"say "hi""#]), Value::Null),
    ];
    for (event, session) in &malformed {
        let denied = alice.request(event).await;
        assert_eq!(
            (code(&denied), &denied["sessionId"]),
            ("bad_request", session),
            "{event}"
        );
        alice.emit(event);
        let denied = alice.event().await;
        assert_eq!(denied.name, "session-error", "{event}");
        let payload = denied.payload;
        assert_eq!(
            (&payload["code"], &payload["sessionId"]),
            (&json!("bad_request"), session),
            "{event}"
        );
    }
    alice.is_served().await;
    assert_eq!(world.metric("denied_requests_total"), 2 * malformed.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn arguments_that_are_nested_too_deeply_are_a_bad_request() {
    let world = World::start(1).await;
    let mut alice = world.browser("alice").await;
    alice.send(&format!(
        r#"429["join-session",{}{}]"#,
        "[".repeat(200),
        "]".repeat(200)
    ));
    assert_eq!(code(&alice.acknowledgement(9).await), "bad_request");
    alice.is_served().await;
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_rate_are_rate_limited_and_the_connection_stays() {
    let limit = |config: &mut roomcast_edge::Config| {
        (config.limits.event_burst, config.limits.event_rate) = (3, 2);
    };
    let world = World::with(1, limit).await;
    let (mut alice, mut bob) = (world.browser("alice").await, world.browser("bob").await);
    for _ in 0..3 {
        alice.is_served().await;
    }
    let beyond = [
        json!(["leave-session", "s1"]),
        json!(["join-session", "s1"]),
        json!(["refresh-token", "x"]),
        json!(["no-such-event"]),
    ];
    for event in &beyond {
        assert_eq!(code(&alice.request(event).await), "rate_limited", "{event}");
    }
    alice.emit(&beyond[0]);
    assert_eq!(alice.event().await.payload["code"], "rate_limited");
    // The limit of one socket is not that of another.
    bob.is_served().await;
    tokio::time::advance(STEP).await;
    alice.is_served().await;
    assert_eq!(code(&alice.request(&beyond[0]).await), "rate_limited");
}

#[tokio::test(start_paused = true)]
async fn a_join_is_denied_with_the_reason_of_the_control_plane() {
    let world = World::start(1).await;
    world.create_session("s1", &["bob"]);
    let mut alice = world.browser("alice").await;
    let denied = alice.request(&json!(["join-session", "s1"])).await;
    assert_eq!(
        (code(&denied), &denied["sessionId"]),
        ("not_a_participant", &json!("s1"))
    );
    let denied = alice.request(&json!(["join-session", "s2"])).await;
    assert_eq!(code(&denied), "session_not_found");
    alice.emit(&json!(["join-session", "s2"]));
    let denied = alice.event().await;
    assert_eq!(
        (denied.name.as_str(), &denied.payload["code"]),
        ("session-error", &json!("session_not_found"))
    );
    alice.is_served().await;
}

#[tokio::test(start_paused = true)]
async fn a_socket_may_be_in_a_limited_number_of_sessions() {
    let world = World::with(1, |config| config.limits.sessions_per_socket = 2).await;
    for session in ["s1", "s2", "s3"] {
        world.create_session(session, &["alice"]);
    }
    let mut alice = world.member("alice", "s1").await;
    alice.join("s2").await;
    let denied = alice.request(&json!(["join-session", "s3"])).await;
    assert_eq!(code(&denied), "too_many_sessions");
    alice.request(&json!(["leave-session", "s1"])).await;
    alice.join("s3").await;
}

#[tokio::test(start_paused = true)]
async fn a_join_is_unavailable_after_a_time_without_a_control_plane() {
    let world = World::start(1).await;
    world.create_session("s1", &["alice"]);
    let mut alice = world.browser("alice").await;
    world.control_planes[0].script().is_unavailable = true;
    world.control_planes[0].drop_links();
    eventually("the closed gate", || world.readiness.check().err()).await;
    let request = alice.send_request(&json!(["join-session", "s1"]));
    let denied = world
        .pass_until(|| (!alice.unread().is_empty()).then_some(()))
        .await;
    assert!(
        denied >= Duration::from_millis(1_500),
        "the edge may attach again meanwhile"
    );
    assert_eq!(code(&alice.acknowledgement(request).await), "unavailable");
    alice.is_served().await;
    assert!(
        !world.control_planes[0]
            .calls()
            .iter()
            .any(|call| matches!(call, Call::AuthorizeJoins(_)))
    );
}

#[tokio::test(start_paused = true)]
async fn a_browser_connects_without_a_control_plane_and_joins_its_room_later() {
    let world = World::not_attached(1, |it| it.script().is_unavailable = true, |_| {}).await;
    let mut alice = world.start_connecting("alice").await;
    world
        .pass_until(|| (!alice.unread().is_empty()).then_some(()))
        .await;
    assert!(alice.packet().await.starts_with(r#"40{"sid":"#));
    alice.is_served().await;
    world.create_session("s1", &["alice"]);
    world.control_planes[0].script().is_unavailable = false;
    world.pass_until(|| world.readiness.check().ok()).await;
    alice.join("s1").await;
}
