//! `grpc.health.v1` and readiness.

use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::harness::TestServer;

#[tokio::test]
async fn health_follows_the_store() {
    let server = TestServer::start().await;
    let mut health = HealthClient::new(server.channel.clone());
    for service in ["", "roomcast.v1.SessionService", "roomcast.v1.EdgeService"] {
        let request = HealthCheckRequest {
            service: service.into(),
        };
        let mut health_changes = health.watch(request).await.unwrap().into_inner();
        wait_for(&mut health_changes, ServingStatus::Serving).await;
        assert!(server.readiness.check().is_ok());
        server.store.set_unreachable(true);
        wait_for(&mut health_changes, ServingStatus::NotServing).await;
        server.store.set_unreachable(false);
        wait_for(&mut health_changes, ServingStatus::Serving).await;
    }
}

async fn wait_for(
    health_changes: &mut tonic::Streaming<tonic_health::pb::HealthCheckResponse>,
    wanted: ServingStatus,
) {
    while health_changes.message().await.unwrap().unwrap().status() != wanted {}
}

#[tokio::test]
async fn a_health_watch_reports_the_drain() {
    let server = TestServer::start().await;
    let mut health = HealthClient::new(server.channel.clone());
    let mut health_changes = health
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    while health_changes.message().await.unwrap().unwrap().status() != ServingStatus::Serving {}
    // The stream has a grace in which the report must be sent. Time is paused until it has been sent.
    tokio::time::pause();
    server.shutdown.begin("test");
    assert_eq!(
        health_changes.message().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    tokio::time::resume();
    server.serving.await.unwrap().unwrap();
}
