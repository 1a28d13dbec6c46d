//! A Redis that answers with a no of its own, and a session whose time is over.

use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browsers, Client, Cluster, Process, Redis, eventually, reason, session, token,
};
use serde_json::json;
use tonic::Code;

#[tokio::test]
async fn a_redis_that_takes_no_writes_is_unavailable_until_it_does() {
    let cluster = Cluster::start(1, 1).await;
    let mut backend = cluster.backend(0).await;
    backend.publish(session("s1", "a", "alice=observer")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    alice.join("s1").await;
    for (what, refuse, relent) in [
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
        assert_eq!(cluster.redis.tell(refuse).await, "OK");
        let request = v1::PublishSessionUpdateRequest {
            session: Some(session("s1", what, "alice=observer")),
            request_id: what.to_owned(),
            ..Default::default()
        };
        let error = backend
            .0
            .publish_session_update(request.clone())
            .await
            .unwrap_err();
        let told = (error.code(), reason(&error));
        assert_eq!(
            told,
            (Code::Unavailable, "STORE_UNAVAILABLE".to_owned()),
            "{what}"
        );
        assert_eq!(cluster.redis.tell(relent).await, "OK");
        eventually("a store that takes commands", || {
            let (mut client, request) = (backend.0.clone(), request.clone());
            async move { client.publish_session_update(request).await.ok() }
        })
        .await;
        assert_eq!(alice.told("session-updated").await["session"]["status"], what);
    }
}

#[tokio::test]
async fn a_session_whose_time_is_over_is_gone_for_its_sockets_too() {
    let redis = Redis::start().await;
    let short = ["--state-retention", "2s", "--log-retention", "1s"];
    for dev in [
        Process::dev(&short).await,
        Process::dev(&[&short[..], &["--redis-url", &redis.url()]].concat()).await,
    ] {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        let browsers = Browsers::start(Client::Js48);
        backend.publish(session("s1", "a", "alice=observer")).await;
        let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
        let before = alice.join("s1").await["position"].clone();
        let revoked = alice.told("session-revoked").await;
        assert_eq!(
            revoked,
            json!({ "sessionId": "s1", "reason": "session_not_found" })
        );
        let answer = alice.ask("join-session", json!(["s1"])).await;
        assert_eq!(answer["error"]["code"], "session_not_found", "{answer}");
        // A session of the same name is another one: the old position means nothing in it.
        backend.publish(session("s1", "b", "alice=observer")).await;
        let answer = alice
            .ask("join-session", json!(["s1", { "after": before }]))
            .await;
        let told = (&answer["ok"], &answer["recovered"], &answer["session"]["status"]);
        assert_eq!(told, (&json!(true), &json!(false), &json!("b")), "{answer}");
    }
}
