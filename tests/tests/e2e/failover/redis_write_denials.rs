//! A Redis that is reachable and denies writes.

use roomcast_proto::v1;
use roomcast_tests::{Browsers, Client, Cluster, eventually, reason, session, token};
use tonic::Code;

#[tokio::test]
async fn commands_are_unavailable_while_redis_denies_writes() {
    let cluster = Cluster::start(1, 1).await;
    let mut backend = cluster.backend(0).await;
    backend.publish(session("s1", "a", "alice=observer")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    alice.join("s1").await;
    for (denial, deny, allow) in [
        (
            "out of memory",
            "CONFIG SET maxmemory 1",
            "CONFIG SET maxmemory 0",
        ),
        ("a replica", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
        (
            "too few replicas",
            "CONFIG SET min-replicas-to-write 3",
            "CONFIG SET min-replicas-to-write 0",
        ),
    ] {
        assert_eq!(cluster.redis.command(deny).await, "OK");
        let request = v1::PublishSessionUpdateRequest {
            session: Some(session("s1", denial, "alice=observer")),
            request_id: denial.to_owned(),
            ..Default::default()
        };
        let error = backend
            .0
            .publish_session_update(request.clone())
            .await
            .unwrap_err();
        let outcome = (error.code(), reason(&error));
        assert_eq!(
            outcome,
            (Code::Unavailable, "STORE_UNAVAILABLE".to_owned()),
            "{denial}"
        );
        assert_eq!(cluster.redis.command(allow).await, "OK");
        eventually("a store that accepts the command", || {
            let (mut client, request) = (backend.0.clone(), request.clone());
            async move { client.publish_session_update(request).await.ok() }
        })
        .await;
        assert_eq!(
            alice.expect_event("session-updated").await["session"]["status"],
            denial
        );
    }
}
