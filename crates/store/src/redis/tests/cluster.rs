//! A cluster loses a node and gets it back.

use std::time::{Duration, Instant};

use crate::{
    Store, StoreError, StoreLimits, SubscriptionSignal,
    contract::{connect, hints::expect, room, user},
    redis::server::Cluster,
};

#[tokio::test]
async fn a_node_that_comes_back_is_used_and_heard_again() {
    let mut cluster = Cluster::start().await;
    let store = connect(&cluster.url(), "rc", StoreLimits::default()).await;
    let mut subscription = store.subscription();
    // Enough users that each node has some.
    let users: Vec<_> = (0..9).map(|n| user(&format!("user-{n}"))).collect();
    for user in &users {
        subscription.subscribe(user.clone().into());
    }
    for user in &users {
        expect(&mut subscription, &format!("subscribed user:{user}")).await;
    }

    cluster.nodes[2].kill();
    let mut unavailable = 0;
    for user in &users {
        let began = Instant::now();
        match store.disconnect_user(user, "").await {
            Ok(_) => {}
            Err(StoreError::Unavailable(_)) => unavailable += 1,
            Err(error) => panic!("{error}"),
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    assert!(unavailable > 0);

    cluster.nodes[2].restart();
    let whole = async {
        for user in &users {
            while store.disconnect_user(user, "").await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(15), whole)
        .await
        .expect("used again in time");
    let heard = async {
        for user in &users {
            let name = room(&format!("user:{user}"));
            // A hint that was lost with the node's connection is told as that; the next one comes.
            loop {
                let last = store.disconnect_user(user, "").await.unwrap().position.offset;
                let hint = async {
                    loop {
                        match subscription.next().await {
                            SubscriptionSignal::Notification(room, entry)
                                if room == name && entry.position.offset == last =>
                            {
                                return;
                            }
                            SubscriptionSignal::Notification(..)
                            | SubscriptionSignal::Subscribed(_)
                            | SubscriptionSignal::Lost => {}
                        }
                    }
                };
                if tokio::time::timeout(Duration::from_millis(300), hint)
                    .await
                    .is_ok()
                {
                    break;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(15), heard)
        .await
        .expect("heard again in time");
}
