#[tokio::test]
async fn health_follows_the_store() {
    let world = World::start().await;
    let mut health = HealthClient::new(world.channel.clone());
    for service in ["", "roomcast.v1.SessionService", "roomcast.v1.EdgeService"] {
        let request = HealthCheckRequest {
            service: service.into(),
        };
        let mut seen = health.watch(request).await.unwrap().into_inner();
        until(&mut seen, ServingStatus::Serving).await;
        assert!(world.readiness.check().is_ok());
        world.store.set_away(true);
        until(&mut seen, ServingStatus::NotServing).await;
        world.store.set_away(false);
        until(&mut seen, ServingStatus::Serving).await;
    }
}

async fn until(seen: &mut tonic::Streaming<tonic_health::pb::HealthCheckResponse>, wanted: ServingStatus) {
    while seen.message().await.unwrap().unwrap().status() != wanted {}
}
