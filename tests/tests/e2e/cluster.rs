//! Several control planes and edges over one Redis.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browser, Browsers, Client, Process, Redis, session, token};
use serde_json::json;

struct Cluster {
    _redis: Redis,
    control_planes: Vec<Process>,
    edges: Vec<Process>,
}

impl Cluster {
    async fn start(control_planes: usize, edges: usize) -> Self {
        let redis = Redis::start().await;
        let mut it = Self {
            control_planes: vec![],
            edges: vec![],
            _redis: redis,
        };
        for _ in 0..control_planes {
            it.control_planes
                .push(Process::control_plane(&it._redis.url(), &[]).await);
        }
        let addrs: Vec<_> = it.control_planes.iter().map(|it| it.addr("grpc")).collect();
        for n in 0..edges {
            // Each edge prefers another control plane.
            let mut addrs = addrs.clone();
            addrs.rotate_left(n % control_planes);
            it.edges.push(Process::edge(&addrs, &[]).await);
        }
        for process in it.control_planes.iter().chain(&it.edges) {
            process.ready().await;
        }
        it
    }
}

/// What a socket is told, up to a status.
async fn statuses(browser: &mut Browser, last: &str) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|status| status != last) {
        let update = browser.told("session-updated").await;
        seen.push(update["session"]["status"].as_str().unwrap().to_owned());
    }
    seen
}

#[tokio::test]
async fn what_is_published_anywhere_is_received_everywhere_in_one_order() {
    let cluster = Cluster::start(2, 3).await;
    let browsers = Browsers::start(Client::Js48);
    let mut first = Backend::connect(cluster.control_planes[0].addr("grpc")).await;
    let second = Backend::connect(cluster.control_planes[1].addr("grpc")).await;
    first
        .publish(session(
            "s1",
            "start",
            "alice=interviewer bob=interviewee carol=observer",
        ))
        .await;
    let mut sockets = Vec::new();
    for edge in &cluster.edges {
        for user in ["alice", "bob", "carol"] {
            let mut browser = browsers.connect(&edge.url(), &token(user)).await;
            browser.join("s1").await;
            sockets.push(browser);
        }
    }
    let publishers: Vec<_> = (0..8)
        .map(|n| {
            let mut backend = if n % 2 == 0 { first.clone() } else { second.clone() };
            tokio::spawn(async move {
                for m in 0..25 {
                    backend
                        .publish(v1::Session {
                            participants: None,
                            ..session("s1", &format!("{n}.{m}"), "")
                        })
                        .await;
                }
            })
        })
        .collect();
    for publisher in publishers {
        publisher.await.unwrap();
    }
    first
        .publish(v1::Session {
            participants: None,
            ..session("s1", "end", "")
        })
        .await;
    let expected = statuses(&mut sockets[0], "end").await;
    assert_eq!(expected.len(), 201, "each once");
    for socket in &mut sockets[1..] {
        assert_eq!(statuses(socket, "end").await, expected, "one order for everyone");
    }
}

#[tokio::test]
async fn a_killed_control_plane_costs_nothing() {
    let cluster = Cluster::start(2, 3).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = Backend::connect(cluster.control_planes[1].addr("grpc")).await;
    backend.publish(session("s1", "start", "alice=interviewer")).await;
    let mut sockets = Vec::new();
    for edge in &cluster.edges {
        let mut browser = browsers.connect(&edge.url(), &token("alice")).await;
        browser.join("s1").await;
        sockets.push(browser);
    }
    for n in 0..300 {
        if n == 100 {
            cluster.control_planes[0].signal("KILL");
        }
        backend
            .publish(session("s1", &n.to_string(), "alice=interviewer"))
            .await;
    }
    let expected: Vec<_> = (0..300).map(|n| n.to_string()).collect();
    for socket in &mut sockets {
        assert_eq!(statuses(socket, "299").await, expected);
    }
    // And they go on: joins too are answered by the other one.
    for edge in &cluster.edges {
        browsers
            .connect(&edge.url(), &token("alice"))
            .await
            .join("s1")
            .await;
    }
}

#[tokio::test]
async fn a_control_plane_that_drains_sends_its_edges_on() {
    let mut cluster = Cluster::start(2, 2).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = Backend::connect(cluster.control_planes[1].addr("grpc")).await;
    backend.publish(session("s1", "start", "alice=interviewer")).await;
    let mut sockets = Vec::new();
    for edge in &cluster.edges {
        let mut browser = browsers.connect(&edge.url(), &token("alice")).await;
        browser.join("s1").await;
        sockets.push(browser);
    }
    cluster.control_planes[0].signal("TERM");
    for n in 0..50 {
        backend
            .publish(session("s1", &n.to_string(), "alice=interviewer"))
            .await;
    }
    assert!(cluster.control_planes[0].ended().await.success());
    let expected: Vec<_> = (0..50).map(|n| n.to_string()).collect();
    for socket in &mut sockets {
        assert_eq!(statuses(socket, "49").await, expected);
    }
}

#[tokio::test]
async fn a_removal_at_one_control_plane_is_in_force_on_every_edge() {
    let cluster = Cluster::start(2, 2).await;
    let browsers = Browsers::start(Client::Js48);
    let mut first = Backend::connect(cluster.control_planes[0].addr("grpc")).await;
    let mut second = Backend::connect(cluster.control_planes[1].addr("grpc")).await;
    first
        .publish(session("s1", "a", "alice=interviewer bob=interviewee"))
        .await;
    let mut sockets = Vec::new();
    for edge in &cluster.edges {
        let mut bob = browsers.connect(&edge.url(), &token("bob")).await;
        bob.join("s1").await;
        sockets.push(bob);
    }
    first.remove("s1", "bob").await;
    // The removal is in force at once for whoever asks after it.
    for bob in &mut sockets {
        let answer = bob.ask("join-session", json!(["s1"])).await;
        assert_eq!(answer["error"]["code"], "not_a_participant", "{answer}");
    }
    second.publish(session("s1", "b", "alice=interviewer")).await;
    second.require_feedback("s1", &["bob"]).await;
    for bob in &mut sockets {
        bob.told("session-revoked").await;
        bob.told("feedback-required").await;
    }
}
