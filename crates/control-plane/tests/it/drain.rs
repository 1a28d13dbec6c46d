//! The orderly end.

use std::time::Duration;

use roomcast_control_plane::Config;
use roomcast_proto::link::ToEdge;
use roomcast_store::StoreLimits;
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    attach::Edge,
    world::{World, publish, told},
};

#[tokio::test]
async fn an_edge_is_told_to_go_and_the_server_ends_when_it_has() {
    let world = World::start().await;
    let mut edge = Edge::start(&world).await;
    world.shutdown.begin("test");
    assert_eq!(edge.hear().await.unwrap(), Some(ToEdge::GoAway));
    assert!(world.readiness.check().is_err());
    assert!(!world.serving.is_finished());
    edge.detach().await.unwrap();
    world.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_edge_that_stays_is_cut_off_after_the_grace() {
    let config = Config {
        drain_grace: Duration::from_millis(200),
        ..Config::default()
    };
    let world = World::with(config, StoreLimits::default()).await;
    let mut edge = Edge::start(&world).await;
    world.shutdown.begin("test");
    assert_eq!(edge.hear().await.unwrap(), Some(ToEdge::GoAway));
    assert_eq!(
        told(&edge.hear().await.unwrap_err()),
        (Code::Unavailable, "DRAINING".into())
    );
    world.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_call_that_was_accepted_is_finished() {
    let world = World::start().await;
    let closed = world.store.gate.acquire().await.unwrap();
    let mut backend = world.backend();
    let call = tokio::spawn(async move { backend.publish_session_update(publish("s1")).await });
    world.store.waiting.notified().await;
    world.shutdown.begin("test");
    assert!(!call.is_finished());
    drop(closed);
    assert_eq!(call.await.unwrap().unwrap().into_inner().revision, 1);
    drop(world.channel);
    world.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_health_watcher_hears_of_the_drain() {
    let world = World::start().await;
    let mut health = HealthClient::new(world.channel.clone());
    let mut seen = health
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    while seen.message().await.unwrap().unwrap().status() != ServingStatus::Serving {}
    world.shutdown.begin("test");
    assert_eq!(
        seen.message().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    world.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_drained_server_takes_no_new_connection() {
    let world = World::start().await;
    world.shutdown.begin("test");
    world.serving.await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(world.addr).await.is_err());
}
