//! The second edge of `dev`, on which the sockets of the playground page resume.

use roomcast_tests::{Bridge, Browser, Browsers, Client, Process, Proxy, token};
use serde_json::json;

use super::bridge::demo;

async fn publish(bridge: &Bridge, statuses: std::ops::Range<u32>) {
    for status in statuses {
        bridge
            .call("PublishSessionUpdate", &demo(&status.to_string()))
            .await;
    }
}

async fn is_recovered(alice: &mut Browser) {
    alice.disconnected().await;
    assert!(alice.reconnected().await, "recovered");
    let joined = alice.expect_event("session-joined").await;
    assert_eq!(joined["sessionId"], "demo");
}

#[tokio::test]
async fn a_stock_client_is_recovered_by_the_second_edge() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    let browsers = Browsers::start(Client::Js48);
    publish(&bridge, 0..1).await;
    let [first, second] = bridge.both_edges().await;
    let balancer = Proxy::start(first).await;
    let url = format!("http://{}", balancer.addr());
    let mut alice = browsers.connect(&url, &token("alice")).await;
    alice.join("demo").await;
    publish(&bridge, 1..3).await;
    alice.expect_statuses("demo", 1..3).await;
    balancer.redirect(second);
    publish(&bridge, 3..20).await;
    is_recovered(&mut alice).await;
    alice.expect_statuses("demo", 3..20).await;
    balancer.redirect(first);
    publish(&bridge, 20..23).await;
    is_recovered(&mut alice).await;
    publish(&bridge, 23..24).await;
    alice.expect_statuses("demo", 20..24).await;
}

#[tokio::test]
async fn the_second_edge_accepts_the_page_of_the_first_and_ends_with_the_process() {
    for origins in [&[][..], &["--cors-origin", "https://app.example.com"]] {
        let mut dev = Process::dev(origins).await;
        let [_, second] = Bridge::of(&dev).both_edges().await;
        let browsers = Browsers::start(Client::Js48);
        let mut sockets = Vec::new();
        for transport in ["websocket", "polling"] {
            let page = json!({
                "token": token("alice"),
                "headers": { "Origin": dev.url() },
                "transports": [transport],
            });
            let mut socket = browsers.open_with(&format!("http://{second}"), page).await;
            socket.connected().await;
            sockets.push(socket);
        }
        dev.signal("TERM");
        for socket in &mut sockets {
            let reason = socket.disconnected().await;
            assert!(reason.starts_with("transport"), "{reason}");
        }
        assert!(dev.exited().await.success());
    }
}
