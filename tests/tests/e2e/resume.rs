//! Stock clients' own recovery: nothing is lost and nothing comes twice, whatever dies on the way.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browser, Browsers, Client, Cluster, Process, Redis, session, token};
use serde_json::{Value, json};

async fn publish(backend: &mut Backend, session_id: &str, statuses: std::ops::Range<u32>) {
    for status in statuses {
        let people = "alice=interviewer bob=interviewee";
        backend
            .publish(session(session_id, &status.to_string(), people))
            .await;
    }
}

/// The socket's next events are updates of the session with these statuses.
pub(crate) async fn sees(browser: &mut Browser, session_id: &str, statuses: std::ops::Range<u32>) {
    for status in statuses {
        let update = browser.told("session-updated").await;
        let seen = (&update["sessionId"], &update["session"]["status"]);
        assert_eq!(seen, (&json!(session_id), &json!(status.to_string())));
    }
}

/// Waits for the reconnection; says whether the client was recovered.
async fn is_back(browser: &mut Browser) -> bool {
    browser.disconnected().await;
    browser.until("connect").await.pop().expect("a report")["recovered"] == true
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
    // Before any event was seen.
    alice.lose_transport().await;
    assert!(is_back(&mut alice).await);
    alice.join("s1").await;
    let mut next = 1;
    // Several times in a row, without an event between, with a few, with more than an edge's window.
    for missed in [0, 3, 0, 400] {
        alice.lose_transport().await;
        publish(&mut backend, "s1", next..next + missed).await;
        assert!(is_back(&mut alice).await);
        let joined = alice.told("session-joined").await;
        assert_eq!(joined, json!({ "sessionId": "s1", "role": "interviewer" }));
        sees(&mut alice, "s1", next..next + missed).await;
        next += missed;
        publish(&mut backend, "s1", next..next + 1).await;
        sees(&mut alice, "s1", next..next + 1).await;
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
        alice.lose_transport().await;
        for id in sessions {
            publish(&mut backend, id, round..round + 1).await;
        }
        assert!(is_back(&mut alice).await);
        let mut seen = Vec::new();
        for _ in 0..6 {
            let (name, payload, _) = alice.event().await;
            seen.push((payload["sessionId"].as_str().unwrap().to_owned(), name));
        }
        for id in sessions {
            let of: Vec<_> = seen
                .iter()
                .filter(|(session, _)| session == id)
                .map(|(_, name)| name.as_str())
                .collect();
            assert_eq!(of, ["session-joined", "session-updated"], "{id}");
        }
    }
}

#[tokio::test]
async fn whoever_was_removed_while_away_is_told_so_and_nothing_else_of_it() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, "s1", 0..1).await;
    publish(&mut backend, "s2", 0..1).await;
    let mut bob = browsers.connect(&dev.url(), &token("bob")).await;
    bob.join("s1").await;
    bob.join("s2").await;
    bob.lose_transport().await;
    backend
        .publish(session("s1", "1", "alice=interviewer bob=interviewee"))
        .await;
    backend.remove("s1", "bob").await;
    backend.publish(session("s1", "2", "alice=interviewer")).await;
    publish(&mut backend, "s2", 1..2).await;
    assert!(is_back(&mut bob).await);
    let revoked = bob.told("session-revoked").await;
    assert_eq!(revoked["sessionId"], "s1");
    assert_eq!(bob.told("session-joined").await["sessionId"], "s2");
    sees(&mut bob, "s2", 1..2).await;
}

#[tokio::test]
async fn what_can_not_be_continued_is_a_fresh_connection() {
    let dev = Process::dev(&["--log-entries", "5"]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, "s1", 0..1).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    alice.join("s1").await;
    alice.lose_transport().await;
    publish(&mut backend, "s1", 1..300).await;
    assert!(!is_back(&mut alice).await, "out of the log");
    let answer = alice.join("s1").await;
    assert_eq!(answer["session"]["status"], "299");
    publish(&mut backend, "s1", 300..301).await;
    sees(&mut alice, "s1", 300..301).await;
}

#[tokio::test]
async fn a_page_that_comes_back_as_somebody_else_begins_anew() {
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
    // And whoever makes a cursor and a pid up gets nothing by it.
    let made_up = json!({
        "token": token("eve"),
        "pid": "x".repeat(48),
        "offset": "1;s1,000000000001,1",
    });
    let mut eve = browsers.open_with(&dev.url(), json!({ "auth": made_up })).await;
    assert_eq!(eve.connected().await["recovered"], false);
}

#[tokio::test]
async fn a_killed_edge_costs_nothing() {
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
        edge.ended().await;
        publish(&mut backend, "s1", from + 10..from + 20).await;
        // Another one, where the load balancer would send them.
        edge.again().await;
        for socket in &mut sockets {
            let mut next = from;
            let mut back = false;
            while next < from + 20 {
                let report = socket.either("event", "connect").await;
                match (report["on"].as_str().unwrap(), report["event"].as_str()) {
                    ("connect", _) => {
                        assert_eq!(report["recovered"], true);
                        back = true;
                    }
                    (_, Some("session-updated")) => {
                        assert_eq!(report["args"][0]["session"]["status"], next.to_string());
                        next += 1;
                    }
                    (_, Some("session-joined")) => assert!(back),
                    other => panic!("{other:?}"),
                }
            }
            assert!(back);
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
async fn a_resume_that_can_not_be_decided_is_tried_again() {
    let mut cluster = Cluster::over(Redis::durable().await, 1, 1).await;
    let mut backend = cluster.backend(0).await;
    let browsers = Browsers::start(Client::Js48);
    publish(&mut backend, "s1", 0..1).await;
    let mut sockets = Vec::new();
    // With the upgrade, too: a stock client whose transport is closed in its middle waits for its ping timeout.
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
        socket.lose_transport().await;
        socket.disconnected().await;
    }
    // Each was turned away at least once.
    for socket in &mut sockets {
        let report = socket.either("disconnect", "connect_error").await;
        assert_ne!(
            report["message"], "unavailable",
            "a refusal by the namespace would stop the client"
        );
    }
    cluster.redis.restart().await;
    cluster.control_planes[0].ready().await;
    for socket in &mut sockets {
        let back = socket.until("connect").await.pop().expect("a report");
        assert_eq!(back["recovered"], true);
        socket.told("session-joined").await;
    }
    publish(&mut backend, "s1", 1..2).await;
    for socket in &mut sockets {
        sees(socket, "s1", 1..2).await;
    }
}
