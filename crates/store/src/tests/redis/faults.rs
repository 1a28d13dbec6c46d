//! Redis becomes unreachable, returns, and loses data.

use futures_util::FutureExt as _;
use roomcast_core::Offset;
use tokio::time::{Duration, Instant};

use crate::{
    RedisStore, Store, StoreError, StoreLimits, Subscription, SubscriptionSignal,
    tests::{
        contract::{publish, room, session, subscriptions::expect, update, user},
        support::{config, connect, server::Server, until_reachable, within_patience},
    },
};

async fn store(server: &Server) -> RedisStore {
    connect(&server.url(), "rc", StoreLimits::default()).await
}

/// Skips to the next `Subscribed`, and returns whether `Lost` was before it.
async fn until_subscribed(subscription: &mut Box<dyn Subscription>) -> bool {
    within_patience("a subscription", async {
        let mut lost = false;
        loop {
            match subscription.next().await {
                SubscriptionSignal::Lost => lost = true,
                SubscriptionSignal::Subscribed(_) => return lost,
                SubscriptionSignal::Notification(..) => {}
            }
        }
    })
    .await
}

fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable(_)))
}

#[tokio::test]
async fn without_its_server_a_store_is_unavailable_at_once_and_reconnects() {
    let mut server = Server::start();
    let store = store(&server).await;
    let id = session("s1");
    let first = store.execute(&id, &publish("new", None), None).await.unwrap();
    let mut subscription = store.subscription();
    subscription.subscribe(room("session:s1"));
    expect(&mut subscription, "subscribed session:s1").await;

    server.kill();
    let failed = store.execute(&id, &update(None), None).await;
    assert!(is_unavailable(&failed), "{failed:?}");
    until_reachable(&store, false).await;
    // Calls fail at once: they do not wait for anything.
    let failed = store.execute(&id, &update(None), None).now_or_never().unwrap();
    assert!(is_unavailable(&failed), "{failed:?}");
    let rooms = [room("session:s1")];
    assert!(is_unavailable(&store.tails(&rooms).now_or_never().unwrap()));
    assert!(is_unavailable(&store.ping().now_or_never().unwrap()));

    server.restart();
    until_reachable(&store, true).await;
    assert!(until_subscribed(&mut subscription).await);
    // The data are lost, which the new epoch shows.
    assert_eq!(store.session(&id).await, Ok(None));
    let again = store.execute(&id, &publish("new", None), None).await.unwrap();
    assert_ne!(again.appended.position.epoch, first.appended.position.epoch);
    assert_eq!(again.appended.position.offset, Offset(1));
    expect(&mut subscription, "notification session:s1 1").await;
}

/// The time is virtual: it advances while every task waits for the server.
#[tokio::test]
async fn a_server_that_hangs_is_unavailable_within_two_seconds() {
    let server = Server::start();
    let store = store(&server).await;
    store.ping().await.unwrap();
    let mut subscription = store.subscription();
    subscription.subscribe(room("user:alice"));
    expect(&mut subscription, "subscribed user:alice").await;
    server.run("CLIENT PAUSE 600000 ALL").await;
    tokio::time::pause();
    let began = Instant::now();
    let failed = store.disconnect_user(&user("alice"), "").await;
    assert!(is_unavailable(&failed), "{failed:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(is_unavailable(&store.ping().now_or_never().unwrap()));
    while !matches!(subscription.next().await, SubscriptionSignal::Lost) {}
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test]
async fn functions_are_loaded_again_after_a_flush() {
    let server = Server::start();
    let store = store(&server).await;
    let id = session("s1");
    store.execute(&id, &publish("new", None), None).await.unwrap();
    server.run("FUNCTION FLUSH").await;
    let updated = store.execute(&id, &update(None), None).await.unwrap();
    assert_eq!(updated.appended.position.offset, Offset(2));
    server.run("FUNCTION FLUSH").await;
    assert!(store.session(&id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_killed_subscription_is_reported_and_made_again() {
    let server = Server::start();
    let store = store(&server).await;
    let mut subscription = store.subscription();
    for n in 0..600 {
        subscription.subscribe(room(&format!("user:u{n:03}")));
    }
    for n in 0..600 {
        expect(&mut subscription, &format!("subscribed user:u{n:03}")).await;
    }
    server.run("CLIENT KILL TYPE pubsub").await;
    expect(&mut subscription, "lost").await;
    for n in 0..600 {
        expect(&mut subscription, &format!("subscribed user:u{n:03}")).await;
    }
    store.disconnect_user(&user("u599"), "").await.unwrap();
    expect(&mut subscription, "notification user:u599 1").await;
}

#[tokio::test]
async fn a_store_may_start_before_its_server() {
    let mut server = Server::start();
    server.kill();
    let store = RedisStore::connect(config(&server.url(), "rc", StoreLimits::default())).await;
    let mut subscription = store.subscription();
    subscription.subscribe(room("user:alice"));
    assert!(is_unavailable(&store.ping().await));
    assert!(!*store.reachable().borrow());
    server.restart();
    until_reachable(&store, true).await;
    until_subscribed(&mut subscription).await;
    store.disconnect_user(&user("alice"), "").await.unwrap();
    expect(&mut subscription, "notification user:alice 1").await;
}

#[tokio::test]
async fn a_server_without_memory_still_serves_reads() {
    let server = Server::start();
    let store = store(&server).await;
    let id = session("s1");
    store.execute(&id, &publish("new", None), None).await.unwrap();
    server.run("CONFIG SET maxmemory 1").await;
    let failed = store.execute(&id, &update(None), None).await;
    assert!(is_unavailable(&failed), "{failed:?}");
    let log = store.read(&room("session:s1"), Offset::ZERO, 10).await.unwrap();
    assert_eq!(log.entries.len(), 1);
    assert!(store.session(&id).await.unwrap().is_some());
    assert!(*store.reachable().borrow());
}
