//! Joins with a position: what is replayed, and what is not.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browsers, Client, Process, session, token};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Publishes these statuses to `s1`.
async fn publish(backend: &mut Backend, statuses: std::ops::Range<u32>) {
    for status in statuses {
        backend
            .publish(session("s1", &status.to_string(), "alice=interviewer"))
            .await;
    }
}

#[tokio::test]
async fn a_join_with_a_position_replays_exactly_the_missed_events() {
    // The log is longer than an edge's window of recent events, and longer than one read.
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, 0..1).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let joined = alice.join("s1").await;
    publish(&mut backend, 1..3).await;
    alice.expect_event("session-updated").await;
    let (_, _, cursor) = alice.next_event().await;
    alice.close().await;
    publish(&mut backend, 3..700).await;
    let mut positions = vec![(joined["position"].clone(), 1), (json!(cursor), 3)];
    for _ in 0..2 {
        for (position, first) in &positions {
            let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
            let response = alice
                .request("join-session", json!(["s1", { "after": position }]))
                .await;
            assert_eq!(
                (&response["ok"], &response["recovered"]),
                (&json!(true), &json!(true)),
                "{response}"
            );
            assert_eq!(response["session"]["status"], "699");
            alice.expect_event("session-joined").await;
            alice.expect_statuses("s1", *first..700).await;
        }
        // The second time, the replay comes from the edge's window, because another socket keeps the room on the edge.
        positions.truncate(1);
    }
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    for (after, case) in [
        ("1;s1,0123456789ab,3", "another epoch"),
        ("1", "a malformed position"),
    ] {
        let response = alice
            .request("join-session", json!(["s1", { "after": after }]))
            .await;
        assert_eq!(
            (&response["ok"], &response["recovered"]),
            (&json!(true), &json!(false)),
            "{case}: {response}"
        );
        assert_eq!(response["session"]["status"], "699");
        alice.expect_event("session-joined").await;
        alice.request("leave-session", json!(["s1"])).await;
    }
}

#[tokio::test]
async fn a_join_from_a_trimmed_position_is_not_recovered() {
    let dev = Process::dev(&["--log-entries", "5"]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, 0..1).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let after = alice.join("s1").await["position"].clone();
    alice.close().await;
    publish(&mut backend, 1..9).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let response = alice
        .request("join-session", json!(["s1", { "after": after }]))
        .await;
    assert_eq!(
        (&response["recovered"], &response["session"]["status"]),
        (&json!(false), &json!("8")),
        "{response}"
    );
    alice.expect_event("session-joined").await;
    publish(&mut backend, 9..10).await;
    assert_eq!(
        alice.expect_event("session-updated").await["session"]["status"],
        "9"
    );
}

#[tokio::test]
async fn a_replay_contains_nothing_from_before_the_user_became_a_participant() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, 0..5).await;
    let position = backend
        .0
        .get_session(v1::GetSessionRequest {
            session_id: "s1".to_owned(),
        })
        .await
        .unwrap()
        .into_inner()
        .position
        .unwrap();
    backend.select_role("s1", "bob", "observer").await.unwrap();
    let mut bob = browsers.connect(&dev.url(), &token("bob")).await;
    let after = format!("1;s1,{},1", position.epoch);
    let response: Value = bob
        .request("join-session", json!(["s1", { "after": after }]))
        .await;
    assert_eq!(response["ok"], true, "{response}");
    bob.expect_event("session-joined").await;
    assert_eq!(bob.expect_event("role-selected").await["userId"], "bob");
}

/// The publisher does not pause, so that every join replays while live events arrive.
#[tokio::test]
async fn i5_a_replay_never_interleaves_with_live_events() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, 0..1).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let after = alice.join("s1").await["position"].clone();
    alice.close().await;
    publish(&mut backend, 1..400).await;
    let (stop, stopped) = watch::channel(false);
    let mut publisher = backend.clone();
    let publishing = tokio::spawn(async move {
        let mut next = 400;
        while !*stopped.borrow() {
            publish(&mut publisher, next..next + 1).await;
            next += 1;
        }
        next
    });
    let mut sockets = Vec::new();
    for transport in ["websocket", "polling", "websocket", "polling"] {
        let options = json!({ "token": token("alice"), "transports": [transport] });
        let mut alice = browsers.connect_with(&dev.url(), options).await;
        let response = alice
            .request("join-session", json!(["s1", { "after": after }]))
            .await;
        assert_eq!(response["recovered"], true, "{response}");
        alice.expect_event("session-joined").await;
        alice.expect_statuses("s1", 1..450).await;
        sockets.push(alice);
    }
    stop.send(true).unwrap();
    let end = publishing.await.unwrap();
    assert!(end > 450, "events were published during the replays");
    for alice in &mut sockets {
        alice.expect_statuses("s1", 450..end).await;
    }
}
