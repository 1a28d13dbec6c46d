//! Servers that the store must not use.

use crate::{
    RedisStore, Store, StoreError, StoreLimits,
    tests::{
        contract::{publish, session},
        support::{config, connect, server::Server, until_reachable},
    },
};

/// A store that does not wait for its connection.
async fn unconnected(url: &str) -> RedisStore {
    RedisStore::connect(config(url, "rc", StoreLimits::default())).await
}

#[tokio::test]
async fn a_wrong_password_is_unavailable_and_not_repeated() {
    let server = Server::start_with(&["--requirepass", "right"]);
    let url = |password: &str| format!("redis://:{password}@127.0.0.1:{}", server.port);
    let right = connect(&url("right"), "rc", StoreLimits::default()).await;
    right.ping().await.unwrap();
    let error = unconnected(&url("hunter2")).await.ping().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)));
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_unavailable_over_tls() {
    let server = Server::start();
    let store = unconnected(&format!("rediss://127.0.0.1:{}", server.port)).await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_replica_is_not_used_until_it_becomes_the_primary() {
    let primary = Server::start();
    let replica = Server::start_replica(&primary);
    let store = unconnected(&replica.url()).await;
    let error = store.ping().await.unwrap_err().to_string();
    assert!(error.contains("replica"), "{error}");
    replica.run("REPLICAOF NO ONE").await;
    until_reachable(&store, true).await;
    store
        .execute(&session("s1"), &publish("new", None), None)
        .await
        .unwrap();
}
