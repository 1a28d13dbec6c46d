//! Start, readiness, drain and exit of one process.

use roomcast_tests::{
    Backend, Bridge, Browsers, Client, Process, Redis, eventually, get, grpcurl, session, token,
};
use serde_json::json;

#[tokio::test]
async fn everything_that_dev_prints_works() {
    let dev = Process::dev(&[]).await;
    let line = |start: &str| {
        let line = dev
            .stdout
            .lines()
            .find(|line| line.starts_with(start))
            .expect("a line");
        line[start.len()..].trim().to_owned()
    };
    let call = line("grpcurl ");
    let (_, request) = call.split_once("-d '").unwrap();
    let (request, arguments) = request.split_once("' ").unwrap();
    let published = grpcurl(dev.addr("grpc"), arguments, request).await;
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
async fn every_command_exits_with_success_after_a_signal() {
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
        assert!(process.exited().await.success());
    }
}

#[tokio::test]
async fn a_draining_edge_closes_transports_without_a_disconnect_packet() {
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
    for socket in &mut sockets {
        // The edge sends no DISCONNECT packet, because a stock client would not reconnect after it.
        let reason = socket.disconnected().await;
        assert!(reason.starts_with("transport"), "{reason}");
    }
    assert!(edge.exited().await.success());
}

#[tokio::test]
async fn i8_a_draining_edge_accepts_no_connection_and_still_delivers() {
    let redis = Redis::start().await;
    let control_plane = Process::control_plane(&redis.url(), &[]).await;
    let edge = Process::edge(&[control_plane.addr("grpc")], &["--drain-rate", "1"]).await;
    edge.ready().await;
    let mut backend = Backend::connect(control_plane.addr("grpc")).await;
    backend.publish(session("s1", "0", "alice=observer")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut socket = browsers.connect(&edge.url(), &token("alice")).await;
        socket.join("s1").await;
        sockets.push(socket);
    }
    edge.signal("TERM");
    edge.not_ready().await;
    let http = edge.addr("http");
    eventually("a denied connection", async || {
        let response = get(http, "/socket.io/?EIO=4&transport=polling").await;
        response.is_none().then_some(())
    })
    .await;
    // The drain takes 20 s, so that some socket is still connected.
    backend.publish(session("s1", "1", "alice=observer")).await;
    let mut delivered = 0;
    for socket in &mut sockets {
        let report = socket.next_of("event", "disconnect").await;
        delivered += usize::from(report["event"] == "session-updated");
    }
    assert!(delivered > 0, "a connected socket receives the event");
}

#[tokio::test]
async fn a_second_signal_ends_dev_without_a_drain() {
    let mut dev = Process::dev(&["--drain-rate", "1"]).await;
    let browsers = Browsers::start(Client::Js48);
    let mut sockets = Vec::new();
    // The drain takes 20 s, so that the process is still draining at the second signal.
    for _ in 0..20 {
        sockets.push(browsers.connect(&dev.url(), &token("alice")).await);
    }
    dev.signal("TERM");
    let reason = dev.not_ready().await;
    assert!(reason.contains("draining"), "{reason}");
    dev.signal("INT");
    assert_eq!(dev.exited().await.code(), Some(130));
}

#[tokio::test]
async fn an_edge_serves_no_page_and_accepts_only_its_own_origin() {
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
            let response = bridge.request(&format!("{method} {path}"), &[], body).await;
            assert_eq!(response.status, 404, "{method} {path} {response:?}");
            assert!(!response.body.contains("token"), "{response:?}");
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
        evil.denied().await;
        browsers
            .open_with(&edge.url(), from(&edge.url(), transport))
            .await
            .connected()
            .await;
    }
}

#[tokio::test]
async fn an_edge_without_a_control_plane_is_not_ready_and_denies_joins_as_unavailable() {
    let dev = Process::dev(&[]).await;
    let closed = dev.addr("grpc");
    drop(dev);
    let edge = Process::edge(&[closed], &[]).await;
    let reason = edge.not_ready().await;
    assert!(reason.contains("link"), "{reason}");
    let browsers = Browsers::start(Client::Js48);
    let alice = browsers.connect(&edge.url(), &token("alice")).await;
    let response = alice.request("join-session", json!(["s1"])).await;
    assert_eq!(response["error"]["code"], "unavailable", "{response}");
}

#[tokio::test]
async fn closed_sockets_are_removed_from_every_metric() {
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
                // A request that is pending when the socket is closed.
                socket.emit("join-session", json!(["s1"])).await;
            }
            socket.close().await;
        }
    }
    for number in 0..10 {
        browsers
            .open(&dev.url(), &format!("wrong {number}"))
            .await
            .denied()
            .await;
    }
    let admin = dev.addr("admin");
    eventually("no sockets, rooms and transports", async || {
        let (_, metrics) = get(admin, "/metrics").await?;
        let zero = |name: &str| metrics.contains(&format!("roomcast_edge_{name} 0\n"));
        (zero("sockets") && zero("rooms") && zero("transports")).then_some(())
    })
    .await;
}
