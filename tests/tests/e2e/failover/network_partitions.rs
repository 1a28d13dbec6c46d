//! Processes that are cut off from each other while every connection stays open, and a Redis that is paused.

use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browsers, Client, Cluster, Process, Proxy, Redis, publish_when_available, token,
};

#[tokio::test]
async fn an_edge_cut_off_from_its_control_plane_attaches_to_another() {
    let cluster = Cluster::start(2, 0).await;
    let planes: Vec<_> = cluster.control_planes.iter().map(|it| it.addr("grpc")).collect();
    let first = Proxy::start(planes[0]).await;
    let second = Proxy::start(planes[1]).await;
    let edge = Process::edge(&[first.addr(), second.addr()], &[]).await;
    edge.ready().await;
    let browsers = Browsers::start(Client::Js48);
    publish_when_available(planes[1], "0").await;
    let mut alice = browsers.connect(&edge.url(), &token("alice")).await;
    alice.join("s1").await;
    // One network is cut, then restored when the other is cut.
    let mut next = 1;
    for (cut, restored) in [(&first, &second), (&second, &first), (&first, &second)] {
        restored.restore();
        cut.cut();
        // A socket that joins meanwhile waits for the next link and is not denied.
        let mut late = browsers.connect(&edge.url(), &token("alice")).await;
        late.join("s1").await;
        late.close().await;
        for _ in 0..20 {
            publish_when_available(planes[1], &next.to_string()).await;
            next += 1;
        }
        // Any other report, such as a disconnect, would fail this.
        alice.expect_statuses("s1", next - 20..next).await;
    }
}

#[tokio::test]
async fn a_control_plane_cut_off_from_redis_reads_the_missed_events() {
    let redis = Redis::start().await;
    let network = Proxy::start(redis.addr()).await;
    let near = Process::control_plane(&format!("redis://{}", network.addr()), &[]).await;
    let other = Process::control_plane(&redis.url(), &[]).await;
    let edge = Process::edge(&[near.addr("grpc")], &[]).await;
    edge.ready().await;
    other.ready().await;
    let browsers = Browsers::start(Client::Js48);
    publish_when_available(other.addr("grpc"), "0").await;
    let mut alice = browsers.connect(&edge.url(), &token("alice")).await;
    alice.join("s1").await;
    let mut next = 1;
    for _ in 0..2 {
        network.cut();
        for _ in 0..20 {
            publish_when_available(other.addr("grpc"), &next.to_string()).await;
            next += 1;
        }
        let mut backend = Backend::connect(near.addr("grpc")).await;
        let request = v1::GetSessionRequest {
            session_id: "s1".to_owned(),
        };
        let result = backend.0.get_session(request).await;
        assert_eq!(result.unwrap_err().code(), tonic::Code::Unavailable);
        network.restore();
        alice.expect_statuses("s1", next - 20..next).await;
        near.ready().await;
    }
}

#[tokio::test]
async fn an_edge_attaches_to_a_control_plane_that_reaches_redis() {
    let redis = Redis::start().await;
    let network = Proxy::start(redis.addr()).await;
    let near = Process::control_plane(&format!("redis://{}", network.addr()), &[]).await;
    let other = Process::control_plane(&redis.url(), &[]).await;
    let planes = [near.addr("grpc"), other.addr("grpc")];
    let mut edges = Vec::new();
    let (browsers, mut sockets) = (Browsers::start(Client::Js48), Vec::new());
    publish_when_available(planes[1], "0").await;
    for _ in 0..3 {
        let edge = Process::edge(&planes, &[]).await;
        edge.ready().await;
        let mut alice = browsers.connect(&edge.url(), &token("alice")).await;
        alice.join("s1").await;
        sockets.push(alice);
        edges.push(edge);
    }
    network.cut();
    near.not_ready().await;
    for status in 1..20 {
        publish_when_available(planes[1], &status.to_string()).await;
    }
    // The network is still cut.
    for alice in &mut sockets {
        alice.expect_statuses("s1", 1..20).await;
    }
}

#[tokio::test]
async fn a_paused_redis_loses_no_event() {
    let cluster = Cluster::start(1, 1).await;
    let plane = cluster.control_planes[0].addr("grpc");
    let browsers = Browsers::start(Client::Js48);
    publish_when_available(plane, "0").await;
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    alice.join("s1").await;
    for (n, kind) in ["ALL", "WRITE"].into_iter().enumerate() {
        let first = 1 + 10 * u32::try_from(n).unwrap();
        assert_eq!(
            cluster.redis.command(&format!("CLIENT PAUSE 3000 {kind}")).await,
            "OK"
        );
        for status in first..first + 10 {
            publish_when_available(plane, &status.to_string()).await;
        }
        alice.expect_statuses("s1", first..first + 10).await;
    }
}
