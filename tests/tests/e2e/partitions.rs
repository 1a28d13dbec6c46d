//! Parts that are cut off from each other without a word, and a Redis that is held up.

use std::net::SocketAddr;

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browsers, Client, Cluster, Process, Proxy, Redis, eventually, session, token};

use crate::resume::sees;

/// Publishes a status of `s1` again and again, under one request id, until it is there.
pub(crate) async fn publish_at_last(control_plane: SocketAddr, status: &str) {
    let backend = Backend::connect(control_plane).await;
    eventually("a store that answers", || {
        let (mut backend, request) = (backend.clone(), update(status));
        async move { backend.0.publish_session_update(request).await.ok() }
    })
    .await;
}

fn update(status: &str) -> v1::PublishSessionUpdateRequest {
    v1::PublishSessionUpdateRequest {
        session: Some(session("s1", status, "alice=interviewer")),
        request_id: status.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn an_edge_that_is_cut_off_from_its_control_plane_goes_on_at_another() {
    let cluster = Cluster::start(2, 0).await;
    let planes: Vec<_> = cluster.control_planes.iter().map(|it| it.addr("grpc")).collect();
    let first = Proxy::start(planes[0]).await;
    let second = Proxy::start(planes[1]).await;
    let edge = Process::edge(&[first.addr(), second.addr()], &[]).await;
    edge.ready().await;
    let browsers = Browsers::start(Client::Js48);
    publish_at_last(planes[1], "0").await;
    let mut alice = browsers.connect(&edge.url(), &token("alice")).await;
    alice.join("s1").await;
    // Back and forth: one way is cut, then mended when the other is.
    let mut next = 1;
    for (cut, whole) in [(&first, &second), (&second, &first), (&first, &second)] {
        whole.mend();
        cut.cut();
        // Whoever comes meanwhile waits for it, and is not turned away.
        let mut late = browsers.connect(&edge.url(), &token("alice")).await;
        late.join("s1").await;
        late.close().await;
        for _ in 0..20 {
            publish_at_last(planes[1], &next.to_string()).await;
            next += 1;
        }
        // The socket notices nothing: any other report would fail this.
        sees(&mut alice, "s1", next - 20..next).await;
    }
}

#[tokio::test]
async fn a_control_plane_that_was_cut_off_from_redis_reads_what_it_missed() {
    let redis = Redis::start().await;
    let way = Proxy::start(redis.addr()).await;
    let near = Process::control_plane(&format!("redis://{}", way.addr()), &[]).await;
    let other = Process::control_plane(&redis.url(), &[]).await;
    let edge = Process::edge(&[near.addr("grpc")], &[]).await;
    edge.ready().await;
    other.ready().await;
    let browsers = Browsers::start(Client::Js48);
    publish_at_last(other.addr("grpc"), "0").await;
    let mut alice = browsers.connect(&edge.url(), &token("alice")).await;
    alice.join("s1").await;
    let mut next = 1;
    for _ in 0..2 {
        way.cut();
        for _ in 0..20 {
            publish_at_last(other.addr("grpc"), &next.to_string()).await;
            next += 1;
        }
        let mut backend = Backend::connect(near.addr("grpc")).await;
        let request = v1::GetSessionRequest {
            session_id: "s1".to_owned(),
        };
        let refused = backend.0.get_session(request).await;
        assert_eq!(refused.unwrap_err().code(), tonic::Code::Unavailable);
        way.mend();
        sees(&mut alice, "s1", next - 20..next).await;
        near.ready().await;
    }
}

#[tokio::test]
async fn an_edge_goes_to_a_control_plane_that_reaches_redis() {
    let redis = Redis::start().await;
    let way = Proxy::start(redis.addr()).await;
    let near = Process::control_plane(&format!("redis://{}", way.addr()), &[]).await;
    let other = Process::control_plane(&redis.url(), &[]).await;
    let planes = [near.addr("grpc"), other.addr("grpc")];
    let mut edges = Vec::new();
    let (browsers, mut sockets) = (Browsers::start(Client::Js48), Vec::new());
    publish_at_last(planes[1], "0").await;
    for _ in 0..3 {
        let edge = Process::edge(&planes, &[]).await;
        edge.ready().await;
        let mut alice = browsers.connect(&edge.url(), &token("alice")).await;
        alice.join("s1").await;
        sockets.push(alice);
        edges.push(edge);
    }
    way.cut();
    near.not_ready().await;
    for status in 1..20 {
        publish_at_last(planes[1], &status.to_string()).await;
    }
    // It is not mended, and nobody waits for that.
    for alice in &mut sockets {
        sees(alice, "s1", 1..20).await;
    }
}

#[tokio::test]
async fn a_redis_that_is_held_up_loses_nothing() {
    let cluster = Cluster::start(1, 1).await;
    let plane = cluster.control_planes[0].addr("grpc");
    let browsers = Browsers::start(Client::Js48);
    publish_at_last(plane, "0").await;
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    alice.join("s1").await;
    for (n, kind) in ["ALL", "WRITE"].into_iter().enumerate() {
        let first = 1 + 10 * u32::try_from(n).unwrap();
        assert_eq!(
            cluster.redis.tell(&format!("CLIENT PAUSE 3000 {kind}")).await,
            "OK"
        );
        for status in first..first + 10 {
            publish_at_last(plane, &status.to_string()).await;
        }
        sees(&mut alice, "s1", first..first + 10).await;
    }
}
