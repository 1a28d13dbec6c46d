//! Many sockets that reconnect at the same time, and a network that drops everything.

use std::time::Instant;

use roomcast_tests::{
    Backend, Browser, Browsers, Client, Cluster, Process, Proxy, eventually, get, metric, session, token,
};
use tokio::task::JoinSet;

const SOCKETS: u32 = 200;
/// New connections per second that the other edge accepts; also its burst.
const RATE: u32 = 60;

/// Opens sockets of Alice, and joins the session with each.
async fn open_pages(browsers: &Browsers, url: &str) -> Vec<Browser> {
    let mut pages = Vec::new();
    for _ in 0..SOCKETS {
        pages.push(browsers.open(url, &token("alice")).await);
    }
    for page in &mut pages {
        page.connected().await;
        page.join("s1").await;
    }
    pages
}

/// Waits until every socket is connected to this edge, at no more than the rate from `started`. Publishes the statuses 1, 2, …
/// meanwhile; returns the last one.
async fn reconnect_below_the_rate(edge: &Process, backend: &mut Backend, started: Instant) -> u32 {
    let mut status = 0;
    eventually("every socket on the other edge", async || {
        let sockets = metric(edge, "roomcast_edge_sockets").await;
        // The time is measured after the count, so that a slow machine can only make the limit larger.
        let elapsed = started.elapsed();
        let limit = f64::from(RATE) * (1.0 + elapsed.as_secs_f64());
        assert!(sockets <= limit, "{sockets} sockets after {elapsed:?}");
        if sockets >= f64::from(SOCKETS) {
            return Some(());
        }
        status += 1;
        backend
            .publish(session("s1", &status.to_string(), "alice=interviewer"))
            .await;
        None
    })
    .await;
    status
}

/// Opens connections until the edge denies one because of its rate.
async fn exceed_the_rate(edge: &Process) {
    let http = edge.addr("http");
    eventually("a connection above the rate", async || {
        let mut handshakes = JoinSet::new();
        for _ in 0..4 * RATE {
            handshakes.spawn(get(http, "/socket.io/?EIO=4&transport=polling"));
        }
        let responses = handshakes.join_all().await;
        let mut statuses = responses.into_iter().flatten().map(|(status, _)| status);
        statuses.any(|status| status == 503).then_some(())
    })
    .await;
    assert!(metric(edge, "roomcast_edge_rate_limited_connections_total").await > 0.0);
}

#[tokio::test]
async fn sockets_of_a_killed_edge_reconnect_at_the_configured_rate_and_miss_nothing() {
    let mut cluster = Cluster::start(1, 1).await;
    let planes = [cluster.control_planes[0].addr("grpc")];
    let other = Process::edge(&planes, &["--connect-rate", &RATE.to_string()]).await;
    other.ready().await;
    // The proxy represents a load balancer.
    let balancer = Proxy::start(cluster.edges[0].addr("http")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = cluster.backend(0).await;
    backend.publish(session("s1", "0", "alice=interviewer")).await;
    let mut pages = open_pages(&browsers, &format!("http://{}", balancer.addr())).await;
    let started = Instant::now();
    cluster.edges[0].signal("KILL");
    cluster.edges[0].exited().await;
    balancer.redirect(other.addr("http"));
    let status = reconnect_below_the_rate(&other, &mut backend, started).await;
    // On a slow machine, the sockets may not exceed the rate. Handshakes alone are fast enough to exceed it.
    exceed_the_rate(&other).await;
    for page in &mut pages {
        assert!(page.reconnected().await, "recovered");
        page.expect_event("session-joined").await;
        page.expect_statuses("s1", 1..status + 1).await;
    }
    // All sockets are in the same session and of the same user: two rooms.
    eventually("the edge's rooms", || async {
        (metric(&other, "roomcast_edge_rooms").await <= 2.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_cut_network_is_detected_by_pings() {
    // Long enough that a slow machine does not miss a ping while the network works.
    let pings = ["--ping-interval", "1s", "--ping-timeout", "3s"];
    let dev = Process::dev(&pings).await;
    let network = Proxy::start(dev.addr("http")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend.publish(session("s1", "0", "alice=interviewer")).await;
    let mut alice = browsers
        .connect(&format!("http://{}", network.addr()), &token("alice"))
        .await;
    alice.join("s1").await;
    network.cut();
    assert_eq!(alice.disconnected().await, "ping timeout");
    backend.publish(session("s1", "1", "alice=interviewer")).await;
    network.redirect(dev.addr("http"));
    network.restore();
    assert!(alice.reconnected().await, "recovered");
    alice.expect_event("session-joined").await;
    assert_eq!(
        alice.expect_event("session-updated").await["session"]["status"],
        "1"
    );
}
