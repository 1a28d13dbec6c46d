//! Slow sockets and slow edges: each is closed or catches up, and slows no other.

use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browsers, Client, Cluster, Process, eventually, get, session, structure, token,
};
use serde_json::json;

#[tokio::test]
async fn i7_a_stalled_socket_slows_no_other_socket_and_resumes() {
    let dev = Process::dev(&["--write-stall-timeout", "1s"]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend.publish(session("s1", "0", "alice=interviewer")).await;
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
    // More than the kernel's buffers and the outbound queue hold.
    let large = structure(&json!({ "text": "x".repeat(60_000) }));
    for n in 1..=400 {
        let attributes = Some(large.clone());
        let session = v1::Session {
            attributes,
            ..session("s1", &n.to_string(), "alice=interviewer")
        };
        backend.publish(session).await;
        assert_eq!(
            neighbour.expect_event("session-updated").await["session"]["status"],
            n.to_string()
        );
    }
    let admin = dev.addr("admin");
    eventually("the end of the stalled socket", async || {
        let (_, metrics) = get(admin, "/metrics").await?;
        metrics.contains("roomcast_edge_sockets 1\n").then_some(())
    })
    .await;
    stalled.resume().await;
    let (mut last, mut after) = (0, String::new());
    for report in stalled.reports_until("disconnect").await {
        if report["event"] == "session-updated" {
            last += 1;
            assert_eq!(report["args"][0]["session"]["status"], last.to_string());
            after = report["args"][1].as_str().expect("a cursor").to_owned();
        }
    }
    assert!(last < 400, "the socket is closed before the last event");
    stalled.connected().await;
    let after = if after.is_empty() {
        json!({})
    } else {
        json!({ "after": after })
    };
    let response = stalled.request("join-session", json!(["s1", after])).await;
    assert_eq!(response["recovered"], last > 0, "{response}");
    stalled.expect_event("session-joined").await;
    if last > 0 {
        stalled.expect_statuses("s1", last + 1..401).await;
    }
}

#[tokio::test]
async fn i7_a_stopped_edge_slows_no_other_edge_and_catches_up() {
    const EVENTS: u32 = 400;
    let cluster = Cluster::start(1, 2).await;
    let mut backend = cluster.backend(0).await;
    backend.publish(session("s1", "0", "alice=interviewer")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut sockets = Vec::new();
    for edge in &cluster.edges {
        let options = json!({ "token": token("alice"), "transports": ["websocket"] });
        let mut alice = browsers.connect_with(&edge.url(), options).await;
        alice.join("s1").await;
        sockets.push(alice);
    }
    let [behind, neighbour] = &mut sockets[..] else {
        unreachable!("two edges")
    };
    cluster.edges[0].signal("STOP");
    // More than the kernel's buffers and the queue of the link hold.
    let attributes = structure(&json!({ "text": "x".repeat(60_000) }));
    for n in 1..=EVENTS {
        let update = v1::Session {
            attributes: Some(attributes.clone()),
            ..session("s1", &n.to_string(), "alice=interviewer")
        };
        backend.publish(update).await;
        neighbour.expect_statuses("s1", n..n + 1).await;
    }
    cluster.edges[0].signal("CONT");
    // The transport of the stopped edge may be closed; then the socket is recovered.
    let mut next = 1;
    while next <= EVENTS {
        let report = behind.next_of("event", "connect").await;
        if report["event"] == "session-updated" {
            assert_eq!(report["args"][0]["session"]["status"], next.to_string());
            next += 1;
        } else if report["on"] == "connect" {
            assert_eq!(report["recovered"], true, "{report}");
        }
    }
}
