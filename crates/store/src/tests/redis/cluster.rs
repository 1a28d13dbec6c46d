//! A cluster loses a node and gets it back.

use crate::{
    Store, StoreError, StoreLimits,
    tests::{
        contract::{subscriptions::expect, user},
        redis::until_notified,
        support::{connect, eventually, server::Cluster},
    },
};

#[tokio::test]
async fn a_node_that_returns_is_used_again() {
    let mut cluster = Cluster::start().await;
    let store = connect(&cluster.url(), "rc", StoreLimits::default()).await;
    let mut subscription = store.subscription();
    // Enough users that each node has some of them.
    let users: Vec<_> = (0..9).map(|n| user(&format!("user-{n}"))).collect();
    for user in &users {
        subscription.subscribe(user.clone().into());
    }
    for user in &users {
        expect(&mut subscription, &format!("subscribed user:{user}")).await;
    }

    // The calls end although the node does not return before.
    cluster.nodes[2].kill();
    let mut unavailable = 0;
    for user in &users {
        match store.disconnect_user(user, "").await {
            Ok(_) => {}
            Err(StoreError::Unavailable(_)) => unavailable += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(unavailable > 0);

    cluster.nodes[2].restart();
    for user in &users {
        eventually("the node is used again", async || {
            store.disconnect_user(user, "").await.ok()
        })
        .await;
    }
    for user in &users {
        until_notified(&store, &mut subscription, user).await;
    }
}
