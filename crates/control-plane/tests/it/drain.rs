//! A drain: what ends, in what order, and what is finished first.

use std::time::Duration;

use roomcast_control_plane::Config;
use roomcast_proto::link::ToEdge;
use tonic::Code;

use crate::{
    edge::Edge,
    harness::{TestServer, skip_time},
    requests::{code_and_reason, publish},
};

/// Longer than a busy machine needs to deliver one message. No test waits for it.
const GRACE: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn an_edge_receives_go_away_and_the_server_ends_when_it_has_detached() {
    let server = TestServer::start().await;
    let mut edge = Edge::start(&server).await;
    server.shutdown.begin("test");
    assert_eq!(edge.receive().await.unwrap(), Some(ToEdge::GoAway));
    assert!(server.readiness.check().is_err());
    assert!(!server.serving.is_finished());
    edge.detach().await.unwrap();
    server.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_link_of_an_edge_that_stays_is_closed_after_the_grace() {
    let config = Config {
        drain_grace: GRACE,
        ..Config::default()
    };
    let server = TestServer::with_config(config).await;
    let mut edge = Edge::start(&server).await;
    server.shutdown.begin("test");
    assert_eq!(edge.receive().await.unwrap(), Some(ToEdge::GoAway));
    skip_time(GRACE).await;
    assert_eq!(
        code_and_reason(&edge.receive().await.unwrap_err()),
        (Code::Unavailable, "DRAINING".into())
    );
    server.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_drain_finishes_a_call_that_was_accepted() {
    let server = TestServer::start().await;
    let held_back = server.store.command_permits.acquire().await.unwrap();
    let mut backend = server.backend();
    let call = tokio::spawn(async move { backend.publish_session_update(publish("s1")).await });
    server.store.command_arrived.notified().await;
    server.shutdown.begin("test");
    assert!(!call.is_finished());
    drop(held_back);
    assert_eq!(call.await.unwrap().unwrap().into_inner().revision, 1);
    drop(server.channel);
    server.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_drained_server_accepts_no_connection() {
    let server = TestServer::start().await;
    server.shutdown.begin("test");
    server.serving.await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(server.addr).await.is_err());
}
