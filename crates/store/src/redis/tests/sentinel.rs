//! A primary that sentinels name, and a failover.

use std::time::Duration;

use roomcast_core::Offset;

use crate::{
    Store, StoreLimits, SubscriptionSignal,
    contract::{connect, hints::expect, publish, room, session, update},
    redis::{access, server::Server},
};

#[tokio::test]
async fn a_failover_is_followed() {
    let mut primary = Server::start();
    let of = primary.port.to_string();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &of, "--repl-diskless-sync-delay", "0"]);
    let sentinel = Server::start_sentinel(primary.port);
    // Each server has users of its own.
    for server in [&primary, &replica] {
        access::admit(server).await;
    }
    let url = format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port);
    let url = access::documented(&url);
    let store = connect(&url, "rc", StoreLimits::default()).await;
    let id = session("s1");
    store.execute(&id, &publish("new", None), None).await.unwrap();
    let mut subscription = store.subscription();
    subscription.subscribe(room("session:s1"));
    expect(&mut subscription, "subscribed session:s1").await;
    // The replica has it, and the sentinel knows the replica: only then is there something to fail over to.
    let whole = async {
        loop {
            let replicas = format!("{:?}", sentinel.run("SENTINEL REPLICAS main").await);
            let exists = format!("{:?}", replica.run("EXISTS rc:{s:s1}:state").await);
            if replicas.contains(&replica.port.to_string()) && exists.contains('1') {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), whole)
        .await
        .expect("replicated in time");

    primary.kill();
    let written = async {
        loop {
            match store.execute(&id, &update(None), None).await {
                Ok(outcome) => return outcome,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let written = tokio::time::timeout(Duration::from_secs(15), written)
        .await
        .expect("failed over in time");
    assert_eq!(written.appended.position.offset, Offset(2));
    let heard = async {
        while !matches!(subscription.next().await, SubscriptionSignal::Subscribed(_)) {}
        let next = store
            .execute(&id, &update(None), None)
            .await
            .unwrap()
            .appended
            .position
            .offset;
        while !matches!(subscription.next().await, SubscriptionSignal::Notification(_, entry) if entry.position.offset == next)
        {
        }
    };
    tokio::time::timeout(Duration::from_secs(5), heard)
        .await
        .expect("hears the new primary");
}
