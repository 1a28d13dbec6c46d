//! Starting, being ready, and ending.

use roomcast_tests::{
    Backend, Bridge, Browsers, Client, Process, Redis, eventually, get, grpcurl, session, token,
};
use serde_json::json;

#[tokio::test]
async fn what_dev_prints_works_as_pasted() {
    let dev = Process::dev(&[]).await;
    let line = |start: &str| {
        let line = dev
            .printed
            .lines()
            .find(|line| line.starts_with(start))
            .expect("a line");
        line[start.len()..].trim().to_owned()
    };
    let call = line("grpcurl ");
    let (_, request) = call.split_once("-d '").unwrap();
    let (request, words) = request.split_once("' ").unwrap();
    let published = grpcurl(dev.addr("grpc"), words, request).await;
    assert!(published.ok, "{published:?}");
    let browsers = Browsers::start(Client::Js48);
    let mut alice = browsers.connect(&dev.url(), &line("token ")).await;
    alice.join("demo").await;
    let page = line("page ");
    assert_eq!(page, format!("http://{}/", dev.addr("http")));
    let (status, body) = get(dev.addr("http"), "/").await.unwrap();
    assert!(status == 200 && body.contains("<title>Roomcast"), "{status}");
    let minted = Bridge::of(&dev).token("bob", 60).await;
    let mut bob = browsers.connect(&dev.url(), &minted).await;
    bob.join("demo").await;
}

#[tokio::test]
async fn every_command_ends_in_order_when_it_is_told_to() {
    let redis = Redis::start().await;
    let mut control_plane = Process::control_plane(&redis.url(), &[]).await;
    let mut edge = Process::edge(&[control_plane.addr("grpc")], &[]).await;
    let mut dev = Process::dev(&[]).await;
    for process in [&mut edge, &mut control_plane, &mut dev] {
        process.ready().await;
        let admin = process.addr("admin");
        assert_eq!(get(admin, "/livez").await.unwrap().0, 200);
        let (status, metrics) = get(admin, "/metrics").await.unwrap();
        assert!(
            status == 200 && metrics.contains("roomcast_build_info"),
            "{metrics}"
        );
        assert_eq!(get(admin, "/other").await.unwrap().0, 404);
        process.signal("TERM");
        assert!(process.ended().await.success());
    }
}

#[tokio::test]
async fn an_edge_that_drains_sends_its_sockets_to_others() {
    let redis = Redis::start().await;
    let control_plane = Process::control_plane(&redis.url(), &[]).await;
    let mut edge = Process::edge(&[control_plane.addr("grpc")], &["--drain-rate", "2"]).await;
    edge.ready().await;
    let mut backend = Backend::connect(control_plane.addr("grpc")).await;
    backend.publish(session("s1", "a", "alice=observer")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut sockets = Vec::new();
    for transports in [
        json!(["websocket"]),
        json!(["polling"]),
        json!(["polling", "websocket"]),
    ] {
        let options = json!({ "token": token("alice"), "transports": transports });
        let mut socket = browsers.open_with(&edge.url(), options).await;
        socket.connected().await;
        socket.join("s1").await;
        sockets.push(socket);
    }
    edge.signal("TERM");
    let reason = edge.not_ready().await;
    assert!(reason.contains("draining"), "{reason}");
    for socket in &mut sockets {
        // Not a DISCONNECT, after which it would not come back.
        let reason = socket.disconnected().await;
        assert!(reason.starts_with("transport"), "{reason}");
    }
    assert!(edge.ended().await.success());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut dev = Process::dev(&["--drain-rate", "1"]).await;
    let browsers = Browsers::start(Client::Js48);
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(browsers.connect(&dev.url(), &token("alice")).await);
    }
    dev.signal("TERM");
    dev.not_ready().await;
    dev.signal("INT");
    assert_eq!(dev.ended().await.code(), Some(130));
}

#[tokio::test]
async fn an_edge_serves_no_page_and_only_its_own_origin() {
    let dev = Process::dev(&[]).await;
    let edge = Process::edge(&[dev.addr("grpc")], &[]).await;
    edge.ready().await;
    let bridge = Bridge::of(&edge);
    for path in [
        "/",
        "/index.html",
        "/assets/socket.io.min.js",
        "/dev/about",
        "/dev/token",
        "/dev/call/GetSession",
        "/dev/edges",
    ] {
        for method in ["GET", "POST"] {
            let body = r#"{"user":"alice"}"#;
            let answer = bridge.ask(&format!("{method} {path}"), &[], body).await;
            assert_eq!(answer.status, 404, "{method} {path} {answer:?}");
            assert!(!answer.body.contains("token"), "{answer:?}");
        }
    }
    let browsers = Browsers::start(Client::Js48);
    let from = |origin: &str, transport: &str| {
        json!({
            "token": token("alice"),
            "headers": { "Origin": origin },
            "transports": [transport],
            "options": { "reconnection": false },
        })
    };
    for transport in ["websocket", "polling"] {
        let mut evil = browsers
            .open_with(&edge.url(), from("https://evil.example", transport))
            .await;
        evil.refused().await;
        browsers
            .open_with(&edge.url(), from(&edge.url(), transport))
            .await
            .connected()
            .await;
    }
}

#[tokio::test]
async fn an_edge_without_a_control_plane_is_not_ready_and_says_try_again() {
    let dev = Process::dev(&[]).await;
    let gone = dev.addr("grpc");
    drop(dev);
    let edge = Process::edge(&[gone], &[]).await;
    let reason = edge.not_ready().await;
    assert!(reason.contains("link"), "{reason}");
    let browsers = Browsers::start(Client::Js48);
    let alice = browsers.connect(&edge.url(), &token("alice")).await;
    let answer = alice.ask("join-session", json!(["s1"])).await;
    assert_eq!(answer["error"]["code"], "unavailable", "{answer}");
}

#[tokio::test]
async fn sockets_that_are_gone_leave_nothing_behind() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend.publish(session("s1", "a", "alice=observer")).await;
    let browsers = Browsers::start(Client::Js48);
    for transports in [json!(["websocket"]), json!(["polling", "websocket"])] {
        for round in 0..20 {
            let options = json!({ "token": token("alice"), "transports": transports });
            let mut socket = browsers.open_with(&dev.url(), options).await;
            socket.connected().await;
            socket.join("s1").await;
            if round % 2 == 0 {
                // Questions under way and unanswered.
                socket.emit("join-session", json!(["s1"])).await;
            }
            socket.close().await;
        }
    }
    for refused in 0..10 {
        browsers
            .open(&dev.url(), &format!("wrong {refused}"))
            .await
            .refused()
            .await;
    }
    let admin = dev.addr("admin");
    eventually("an empty edge", || async move {
        let (_, metrics) = get(admin, "/metrics").await?;
        let zero = |name: &str| metrics.contains(&format!("roomcast_edge_{name} 0\n"));
        (zero("sockets") && zero("rooms") && zero("transports")).then_some(())
    })
    .await;
}
