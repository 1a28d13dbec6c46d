//! Writes that replicas must confirm before the call returns.

use roomcast_core::Offset;

use crate::{
    RedisConfig, RedisStore, Store, StoreError, StoreLimits,
    redis::keys::Slot,
    tests::{
        contract::{publish, request, session, update},
        support::{acl, config, eventually, server::Server, until_reachable},
    },
};

#[tokio::test]
async fn a_write_is_done_once_the_replicas_have_it() {
    let primary = Server::start();
    acl::add_documented_user(&primary).await;
    let url = acl::as_documented_user(&primary.url());
    let store = RedisStore::connect(RedisConfig {
        replicas: 1,
        ..config(&url, "rc", StoreLimits::default())
    })
    .await;
    until_reachable(&store, true).await;
    let id = session("s1");
    // Without a replica, the primary has the write, but the call fails.
    let request_1 = request("r1", 1);
    let failed = store.execute(&id, &publish("new", None), Some(&request_1)).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(reason)) if reason.contains("0 of 1 replicas")));

    let replica = Server::start_replica(&primary);
    let done = eventually("the replica has the write", async || {
        store
            .execute(&id, &publish("new", None), Some(&request_1))
            .await
            .ok()
    })
    .await;
    assert_eq!((done.appended.position.offset, done.duplicate), (Offset(1), true));

    // Concurrent writes share their `WAIT`s, and the replica has each write when its call succeeds. A replica that is
    // slower than a `WAIT` makes calls fail, and these are retried.
    let update = update(None);
    let requests: Vec<_> = (0..100).map(|n| request(&format!("update-{n}"), 1)).collect();
    let writes = requests.iter().map(async |request| {
        eventually("the replica has the write", async || {
            store.execute(&id, &update, Some(request)).await.ok()
        })
        .await
    });
    let outcomes = futures_util::future::join_all(writes).await;
    let last = outcomes
        .iter()
        .map(|outcome| outcome.appended.position.offset)
        .max();
    assert_eq!(last, Some(Offset(101)));
    let state = Slot::session("rc", &id).state();
    let tail = format!("{:?}", replica.run(&format!("HGET {state} tail")).await);
    assert!(tail.contains("101"), "{tail}");
}
