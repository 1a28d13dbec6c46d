//! The crowd of a dead edge comes to another one at once.

use std::time::Instant;

use roomcast_tests::{Browsers, Client, Cluster, Process, Proxy, eventually, metric, session, token};

const CROWD: u32 = 200;
const RATE: u32 = 60;

#[tokio::test]
async fn the_crowd_of_a_dead_edge_comes_in_at_the_configured_rate_and_misses_nothing() {
    let mut cluster = Cluster::start(1, 1).await;
    let planes = [cluster.control_planes[0].addr("grpc")];
    let other = Process::edge(&planes, &["--connect-rate", &RATE.to_string()]).await;
    other.ready().await;
    // What a load balancer would do.
    let balancer = Proxy::start(cluster.edges[0].addr("http")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = cluster.backend(0).await;
    backend.publish(session("s1", "0", "alice=interviewer")).await;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(
            browsers
                .open(&format!("http://{}", balancer.addr()), &token("alice"))
                .await,
        );
    }
    for page in &mut crowd {
        page.connected().await;
        page.join("s1").await;
    }
    let began = Instant::now();
    cluster.edges[0].signal("KILL");
    cluster.edges[0].ended().await;
    balancer.lead_to(other.addr("http"));
    let mut status = 0;
    loop {
        let sockets = metric(&other, "roomcast_edge_sockets").await;
        // As many as the rate at once, and as many in each second.
        let allowed = f64::from(RATE) * (1.0 + began.elapsed().as_secs_f64());
        assert!(
            sockets <= allowed,
            "{sockets} sockets after {:?}",
            began.elapsed()
        );
        if sockets >= f64::from(CROWD) {
            break;
        }
        status += 1;
        backend
            .publish(session("s1", &status.to_string(), "alice=interviewer"))
            .await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(metric(&other, "roomcast_edge_rate_limited_connections_total").await > 0.0);
    for page in &mut crowd {
        let back = page.until("connect").await.pop().unwrap();
        assert_eq!(back["recovered"], true);
        page.told("session-joined").await;
        for n in 1..=status {
            let update = page.told("session-updated").await;
            assert_eq!(update["session"]["status"], n.to_string());
        }
    }
    // The crowd asked for one room, and for one user: so did the edge.
    eventually("the edge's rooms", || async {
        (metric(&other, "roomcast_edge_rooms").await <= 2.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_network_that_swallows_everything_is_noticed_by_the_pings() {
    let pings = ["--ping-interval", "300ms", "--ping-timeout", "200ms"];
    let edge = Process::dev(&pings).await;
    let way = Proxy::start(edge.addr("http")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = roomcast_tests::Backend::connect(edge.addr("grpc")).await;
    backend.publish(session("s1", "0", "alice=interviewer")).await;
    let mut alice = browsers
        .connect(&format!("http://{}", way.addr()), &token("alice"))
        .await;
    alice.join("s1").await;
    way.cut();
    assert_eq!(alice.disconnected().await, "ping timeout");
    backend.publish(session("s1", "1", "alice=interviewer")).await;
    way.lead_to(edge.addr("http"));
    way.mend();
    let back = alice.until("connect").await.pop().unwrap();
    assert_eq!(back["recovered"], true);
    alice.told("session-joined").await;
    assert_eq!(alice.told("session-updated").await["session"]["status"], "1");
}
