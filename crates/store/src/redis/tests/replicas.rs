//! Writes that replicas have to have.

use std::time::Duration;

use roomcast_core::Offset;

use crate::{
    RedisConfig, RedisStore, Store, StoreError, StoreLimits,
    contract::{publish, request, session, update},
    redis::{access, server::Server},
};

#[tokio::test]
async fn a_write_is_done_once_the_replicas_have_it() {
    let primary = Server::start();
    let of = primary.port.to_string();
    let store = RedisStore::connect(RedisConfig {
        url: access::admit(&primary).await.parse().unwrap(),
        prefix: "rc".into(),
        bounds: StoreLimits::default(),
        replicas: 1,
    })
    .await;
    let id = session("s1");
    // There is none: it is written, and not done.
    let request = request("r1", 1);
    let refused = store.execute(&id, &publish("new", None), Some(&request)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(reason)) if reason.contains("0 of 1 replicas")));

    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &of, "--repl-diskless-sync-delay", "0"]);
    let done = async {
        loop {
            match store.execute(&id, &publish("new", None), Some(&request)).await {
                Ok(outcome) => return outcome,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(15), done)
        .await
        .expect("replicated in time");
    assert_eq!((done.appended.position.offset, done.duplicate), (Offset(1), true));

    // Many at once share their waits, and each is on the replica when it is done.
    let update = update(None);
    let mut last = Offset(1);
    let writes = (0..100).map(|_| store.execute(&id, &update, None));
    for outcome in futures_util::future::join_all(writes).await {
        last = last.max(outcome.unwrap().appended.position.offset);
    }
    let tail = format!("{:?}", replica.run("HGET rc:{s:s1}:state tail").await);
    assert!(tail.contains(&last.to_string()), "{tail} {last}");
}
