//! The connection state recovery of stock clients: no event is lost or repeated, whatever fails.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browser, Browsers, Client, Cluster, Process, Redis, session, token};
use serde_json::{Value, json};

async fn publish(backend: &mut Backend, session_id: &str, statuses: std::ops::Range<u32>) {
    for status in statuses {
        let participants = "alice=interviewer bob=interviewee";
        backend
            .publish(session(session_id, &status.to_string(), participants))
            .await;
    }
}

/// Waits for a disconnection and the reconnection; returns whether the socket was recovered.
async fn reconnects(browser: &mut Browser) -> bool {
    browser.disconnected().await;
    browser.reconnected().await
}

async fn recovers(client: Client, transports: Value) {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(client);
    publish(&mut backend, "s1", 0..1).await;
    let mut alice = browsers
        .open_with(
            &dev.url(),
            json!({ "token": token("alice"), "transports": transports }),
        )
        .await;
    assert_eq!(alice.connected().await["recovered"], false);
    // The connection is lost before the first event.
    alice.close_transport().await;
    assert!(reconnects(&mut alice).await);
    alice.join("s1").await;
    let mut next = 1;
    // Several times in a row: without an event between, with a few, and with more than an edge's window holds.
    for missed in [0, 3, 0, 400] {
        alice.close_transport().await;
        publish(&mut backend, "s1", next..next + missed).await;
        assert!(reconnects(&mut alice).await);
        let joined = alice.expect_event("session-joined").await;
        assert_eq!(joined, json!({ "sessionId": "s1", "role": "interviewer" }));
        alice.expect_statuses("s1", next..next + missed).await;
        next += missed;
        publish(&mut backend, "s1", next..next + 1).await;
        alice.expect_statuses("s1", next..next + 1).await;
        next += 1;
    }
}

#[tokio::test]
async fn a_stock_client_is_recovered_on_websocket() {
    recovers(Client::Js48, json!(["websocket"])).await;
}

#[tokio::test]
async fn a_stock_client_is_recovered_on_polling() {
    recovers(Client::Js48, json!(["polling"])).await;
}

#[tokio::test]
async fn a_stock_client_is_recovered_across_the_upgrade() {
    recovers(Client::Js48, json!(["polling", "websocket"])).await;
}

#[tokio::test]
async fn an_old_stock_client_is_recovered() {
    recovers(Client::Js46, json!(["websocket"])).await;
}

#[tokio::test]
async fn a_socket_in_several_sessions_is_recovered_in_all_of_them() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    let sessions = ["s1", "s2", "s3"];
    for id in sessions {
        publish(&mut backend, id, 0..1).await;
    }
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    for id in sessions {
        alice.join(id).await;
    }
    for round in 1..4 {
        alice.close_transport().await;
        for id in sessions {
            publish(&mut backend, id, round..round + 1).await;
        }
        assert!(reconnects(&mut alice).await);
        let mut seen = Vec::new();
        for _ in 0..6 {
            let (name, payload, _) = alice.next_event().await;
            seen.push((payload["sessionId"].as_str().unwrap().to_owned(), name));
        }
        for id in sessions {
            let names: Vec<_> = seen
                .iter()
                .filter(|(session, _)| session == id)
                .map(|(_, name)| name.as_str())
                .collect();
            assert_eq!(names, ["session-joined", "session-updated"], "{id}");
        }
    }
}

#[tokio::test]
async fn a_user_removed_while_disconnected_receives_only_the_revocation() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, "s1", 0..1).await;
    publish(&mut backend, "s2", 0..1).await;
    let mut bob = browsers.connect(&dev.url(), &token("bob")).await;
    bob.join("s1").await;
    bob.join("s2").await;
    bob.close_transport().await;
    backend
        .publish(session("s1", "1", "alice=interviewer bob=interviewee"))
        .await;
    backend.remove("s1", "bob").await;
    backend.publish(session("s1", "2", "alice=interviewer")).await;
    publish(&mut backend, "s2", 1..2).await;
    assert!(reconnects(&mut bob).await);
    let revoked = bob.expect_event("session-revoked").await;
    assert_eq!(revoked["sessionId"], "s1");
    assert_eq!(bob.expect_event("session-joined").await["sessionId"], "s2");
    bob.expect_statuses("s2", 1..2).await;
}

#[tokio::test]
async fn a_connection_whose_events_were_trimmed_is_not_recovered() {
    let dev = Process::dev(&["--log-entries", "5"]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, "s1", 0..1).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    alice.join("s1").await;
    alice.close_transport().await;
    publish(&mut backend, "s1", 1..300).await;
    assert!(!reconnects(&mut alice).await, "out of the log");
    let response = alice.join("s1").await;
    assert_eq!(response["session"]["status"], "299");
    publish(&mut backend, "s1", 300..301).await;
    alice.expect_statuses("s1", 300..301).await;
}

#[tokio::test]
async fn a_page_that_reconnects_as_another_user_is_not_recovered() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, "s1", 0..1).await;
    let mut page = browsers.connect(&dev.url(), &token("alice")).await;
    page.join("s1").await;
    page.close().await;
    page.disconnected().await;
    page.reconnect(Some(&token("bob"))).await;
    assert_eq!(page.connected().await["recovered"], false);
    // A forged cursor and pid grant nothing.
    let forged = json!({
        "token": token("eve"),
        "pid": "x".repeat(48),
        "offset": "1;s1,000000000001,1",
    });
    let mut eve = browsers.open_with(&dev.url(), json!({ "auth": forged })).await;
    assert_eq!(eve.connected().await["recovered"], false);
}

#[tokio::test]
async fn sockets_of_a_killed_edge_are_recovered() {
    let mut cluster = Cluster::start(1, 1).await;
    let mut backend = cluster.backend(0).await;
    let edge = &mut cluster.edges[0];
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, "s1", 0..1).await;
    let mut sockets = Vec::new();
    for transports in [
        json!(["websocket"]),
        json!(["polling"]),
        json!(["polling", "websocket"]),
    ] {
        for user in ["alice", "bob"] {
            let options = json!({ "token": token(user), "transports": transports });
            let mut socket = browsers.open_with(&edge.url(), options).await;
            socket.connected().await;
            socket.join("s1").await;
            sockets.push(socket);
        }
    }
    for round in 0..2 {
        let from = 1 + round * 20;
        publish(&mut backend, "s1", from..from + 10).await;
        edge.signal("KILL");
        edge.exited().await;
        publish(&mut backend, "s1", from + 10..from + 20).await;
        // A new process on the same address, as behind a load balancer.
        edge.start_again().await;
        for socket in &mut sockets {
            let mut next = from;
            let mut reconnected = false;
            while next < from + 20 {
                let report = socket.next_of("event", "connect").await;
                match (report["on"].as_str().unwrap(), report["event"].as_str()) {
                    ("connect", _) => {
                        assert_eq!(report["recovered"], true);
                        reconnected = true;
                    }
                    (_, Some("session-updated")) => {
                        assert_eq!(report["args"][0]["session"]["status"], next.to_string());
                        next += 1;
                    }
                    (_, Some("session-joined")) => assert!(reconnected),
                    other => panic!("{other:?}"),
                }
            }
            assert!(reconnected);
        }
    }
    let position = backend
        .0
        .get_session(v1::GetSessionRequest {
            session_id: "s1".to_owned(),
        })
        .await
        .unwrap();
    assert_eq!(position.into_inner().position.unwrap().offset, 41);
}

#[tokio::test]
async fn a_resume_during_an_outage_is_retried_by_the_client() {
    let mut cluster = Cluster::over(Redis::durable().await, 1, 1).await;
    let mut backend = cluster.backend(0).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, "s1", 0..1).await;
    let mut sockets = Vec::new();
    // A stock client whose transport is closed during the upgrade waits for its ping timeout.
    for n in 0..12 {
        let transports = if n % 3 == 0 {
            json!(["websocket"])
        } else {
            json!(["polling", "websocket"])
        };
        let options = json!({ "token": token("alice"), "transports": transports });
        let mut socket = browsers.open_with(&cluster.edges[0].url(), options).await;
        socket.connected().await;
        socket.join("s1").await;
        sockets.push(socket);
    }
    cluster.redis.kill().await;
    cluster.control_planes[0].not_ready().await;
    for socket in &mut sockets {
        socket.close_transport().await;
        socket.disconnected().await;
    }
    // Each connection was denied at least once.
    for socket in &mut sockets {
        let report = socket.next_of("disconnect", "connect_error").await;
        assert_ne!(
            report["message"], "unavailable",
            "a CONNECT_ERROR would stop the client"
        );
    }
    cluster.redis.restart().await;
    cluster.control_planes[0].ready().await;
    for socket in &mut sockets {
        assert!(socket.reconnected().await, "recovered");
        socket.expect_event("session-joined").await;
    }
    publish(&mut backend, "s1", 1..2).await;
    for socket in &mut sockets {
        socket.expect_statuses("s1", 1..2).await;
    }
}
