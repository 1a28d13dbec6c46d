//! Who is in, who is out, and what they missed.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browsers, Client, Process, eventually, get, session, structure, token};
use serde_json::{Value, json};

#[tokio::test]
async fn whoever_is_removed_is_told_so_and_nothing_more() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend
        .publish(session(
            "s1",
            "a",
            "alice=interviewer bob=interviewee carol=observer",
        ))
        .await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let mut bob = browsers.connect(&dev.url(), &token("bob")).await;
    let mut carol = browsers.connect(&dev.url(), &token("carol")).await;
    for browser in [&mut alice, &mut bob, &mut carol] {
        browser.join("s1").await;
    }
    backend.remove("s1", "bob").await;
    backend.publish(session("s1", "b", "alice=interviewer")).await;
    backend.publish(session("s1", "c", "alice=interviewer")).await;
    // A fence in their own rooms: it comes after all that was published before.
    backend.require_feedback("s1", &["bob", "carol"]).await;
    for browser in [&mut bob, &mut carol] {
        let revoked = browser.told("session-revoked").await;
        assert_eq!(revoked["sessionId"], "s1");
        assert!(revoked["reason"].is_string());
        browser.told("feedback-required").await;
        let answer = browser.ask("join-session", json!(["s1"])).await;
        assert_eq!(answer["error"]["code"], "not_a_participant", "{answer}");
    }
    for status in ["b", "c"] {
        assert_eq!(alice.told("session-updated").await["session"]["status"], status);
    }
    // Back in the list, they are let in again.
    backend.select_role("s1", "bob", "interviewee").await.unwrap();
    bob.join("s1").await;
    alice.told("role-selected").await;
}

#[tokio::test]
async fn whoever_left_is_told_nothing_more() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    alice.join("s1").await;
    alice.ask("leave-session", json!(["s1"])).await;
    backend.publish(session("s1", "b", "alice=interviewer")).await;
    backend.require_feedback("s1", &["alice"]).await;
    alice.told("feedback-required").await;
}

/// Publishes these statuses.
async fn publish(backend: &mut Backend, statuses: std::ops::Range<u32>) {
    for status in statuses {
        backend
            .publish(session("s1", &status.to_string(), "alice=interviewer"))
            .await;
    }
}

#[tokio::test]
async fn a_join_with_a_position_brings_exactly_what_was_missed() {
    // A log longer than an edge's window of recent events, and than one read.
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, 0..1).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let joined = alice.join("s1").await;
    publish(&mut backend, 1..3).await;
    alice.told("session-updated").await;
    let (_, _, cursor) = alice.event().await;
    alice.close().await;
    publish(&mut backend, 3..700).await;
    let mut positions = vec![(joined["position"].clone(), 1), (json!(cursor), 3)];
    for _ in 0..2 {
        for (position, first) in &positions {
            let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
            let answer = alice
                .ask("join-session", json!(["s1", { "after": position }]))
                .await;
            assert_eq!(
                (&answer["ok"], &answer["recovered"]),
                (&json!(true), &json!(true)),
                "{answer}"
            );
            assert_eq!(answer["session"]["status"], "699");
            alice.told("session-joined").await;
            for status in *first..700 {
                assert_eq!(
                    alice.told("session-updated").await["session"]["status"],
                    status.to_string()
                );
            }
        }
        // From the edge's window, while another socket keeps the room alive there.
        positions.truncate(1);
    }
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    for (after, reason) in [
        ("1;s1,0123456789ab,3", "another epoch"),
        ("1", "no position of this session"),
    ] {
        let answer = alice.ask("join-session", json!(["s1", { "after": after }])).await;
        assert_eq!(
            (&answer["ok"], &answer["recovered"]),
            (&json!(true), &json!(false)),
            "{reason}: {answer}"
        );
        assert_eq!(answer["session"]["status"], "699");
        alice.told("session-joined").await;
        alice.ask("leave-session", json!(["s1"])).await;
    }
}

#[tokio::test]
async fn what_the_log_lost_is_an_honest_gap() {
    let dev = Process::dev(&["--log-entries", "5"]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, 0..1).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let after = alice.join("s1").await["position"].clone();
    alice.close().await;
    publish(&mut backend, 1..9).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let answer = alice.ask("join-session", json!(["s1", { "after": after }])).await;
    assert_eq!(
        (&answer["recovered"], &answer["session"]["status"]),
        (&json!(false), &json!("8")),
        "{answer}"
    );
    alice.told("session-joined").await;
    publish(&mut backend, 9..10).await;
    assert_eq!(alice.told("session-updated").await["session"]["status"], "9");
}

#[tokio::test]
async fn nothing_from_before_taking_part_is_replayed() {
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
    let answer: Value = bob.ask("join-session", json!(["s1", { "after": after }])).await;
    assert_eq!(answer["ok"], true, "{answer}");
    bob.told("session-joined").await;
    assert_eq!(bob.told("role-selected").await["userId"], "bob");
}

#[tokio::test]
async fn a_reader_that_stalls_is_closed_slows_nobody_and_resumes() {
    let dev = Process::dev(&["--write-stall-timeout", "1s"]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, 0..1).await;
    let options = json!({ "token": token("alice"), "transports": ["websocket"] });
    let (mut stalled, mut neighbour) = (
        browsers.open_with(&dev.url(), options.clone()).await,
        browsers.open_with(&dev.url(), options).await,
    );
    for socket in [&mut stalled, &mut neighbour] {
        socket.connected().await;
        socket.join("s1").await;
    }
    stalled.pause().await;
    // More than the kernel's buffers and the socket's queue hold.
    let large = structure(&json!({ "text": "x".repeat(60_000) }));
    for n in 1..=400 {
        let attributes = Some(large.clone());
        let session = v1::Session {
            attributes,
            ..session("s1", &n.to_string(), "alice=interviewer")
        };
        backend.publish(session).await;
        assert_eq!(
            neighbour.told("session-updated").await["session"]["status"],
            n.to_string()
        );
    }
    let admin = dev.addr("admin");
    eventually("the end of the stalled socket", || async move {
        let (_, metrics) = get(admin, "/metrics").await?;
        metrics.contains("roomcast_edge_sockets 1\n").then_some(())
    })
    .await;
    stalled.resume().await;
    let (mut last, mut after) = (0, String::new());
    for report in stalled.until("disconnect").await {
        if report["event"] == "session-updated" {
            last += 1;
            assert_eq!(report["args"][0]["session"]["status"], last.to_string());
            after = report["args"][1].as_str().expect("a cursor").to_owned();
        }
    }
    assert!(last < 400, "it was closed before the end");
    stalled.connected().await;
    let after = if after.is_empty() {
        json!({})
    } else {
        json!({ "after": after })
    };
    let answer = stalled.ask("join-session", json!(["s1", after])).await;
    assert_eq!(answer["recovered"], last > 0, "{answer}");
    stalled.told("session-joined").await;
    if last > 0 {
        for n in last + 1..=400 {
            assert_eq!(
                stalled.told("session-updated").await["session"]["status"],
                n.to_string()
            );
        }
    }
}
