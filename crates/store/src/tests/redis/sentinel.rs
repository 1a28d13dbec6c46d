//! A primary that sentinels name, and a failover.

use roomcast_core::Offset;

use crate::{
    Store, StoreLimits,
    redis::keys::Slot,
    tests::{
        contract::{publish, session, subscriptions::expect, update, user},
        redis::until_notified,
        support::{acl, connect, eventually, server::Server},
    },
};

#[tokio::test]
async fn the_store_follows_a_failover() {
    let mut primary = Server::start();
    let replica = Server::start_replica(&primary);
    let sentinel = Server::start_sentinel(primary.port);
    // Users are not replicated.
    for server in [&primary, &replica] {
        acl::add_documented_user(server).await;
    }
    let url = format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port);
    let url = acl::as_documented_user(&url);
    let store = connect(&url, "rc", StoreLimits::default()).await;
    let id = session("s1");
    store.execute(&id, &publish("new", None), None).await.unwrap();
    let alice = user("alice");
    let mut subscription = store.subscription();
    subscription.subscribe(alice.clone().into());
    expect(&mut subscription, "subscribed user:alice").await;
    // A failover needs a replica that has the data and that the sentinel knows.
    let state = Slot::session("rc", &id).state();
    eventually("the sentinel knows a replica with the data", async || {
        let replicas = format!("{:?}", sentinel.run("SENTINEL REPLICAS main").await);
        let exists = format!("{:?}", replica.run(&format!("EXISTS {state}")).await);
        (replicas.contains(&replica.port.to_string()) && exists.contains('1')).then_some(())
    })
    .await;

    primary.kill();
    let written = eventually("the replica takes over", async || {
        store.execute(&id, &update(None), None).await.ok()
    })
    .await;
    assert_eq!(written.appended.position.offset, Offset(2));
    until_notified(&store, &mut subscription, &alice).await;
}
