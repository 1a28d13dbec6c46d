//! Which notifications a subscription receives.

use std::sync::Arc;

use roomcast_core::{Entry, Offset};

use super::*;
use crate::{
    StoreLimits, Subscription, SubscriptionSignal,
    notification_queue::MAX_NOTIFICATIONS,
    tests::support::{eventually, within_patience},
};

/// The next signal as text, and the entry of a notification.
pub(crate) async fn next(subscription: &mut Box<dyn Subscription>) -> (String, Option<Arc<Entry>>) {
    match within_patience("the next signal", subscription.next()).await {
        SubscriptionSignal::Subscribed(room) => (format!("subscribed {room}"), None),
        SubscriptionSignal::Notification(room, entry) => (
            format!("notification {room} {}", entry.position.offset),
            Some(entry),
        ),
        SubscriptionSignal::Lost => ("lost".into(), None),
    }
}

pub(crate) async fn expect(subscription: &mut Box<dyn Subscription>, expected: &str) {
    assert_eq!(next(subscription).await.0, expected);
}

pub(super) async fn entries_appended_after_subscribed_are_notified(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let id = session("s1");
    let mut subscription = s.store.subscription();
    subscription.subscribe(room("session:s1"));
    expect(&mut subscription, "subscribed session:s1").await;
    let list = participants(&[("alice", Role::Observer)]);
    s.execute(&publish("\u{1}\"é", list)).await.unwrap();
    s.execute(&update(None)).await.unwrap();
    for n in 0..2 {
        let (signal, entry) = next(&mut subscription).await;
        assert_eq!(signal, format!("notification session:s1 {}", n + 1));
        assert_eq!(
            entry,
            s.log("session:s1").await.get(n).cloned(),
            "a notification carries the entry of the log"
        );
    }
    subscription.subscribe(room("user:bob"));
    expect(&mut subscription, "subscribed user:bob").await;
    s.store.disconnect_user(&user("bob"), "bye").await.unwrap();
    expect(&mut subscription, "notification user:bob 1").await;
    // A second `subscribe` is confirmed again and does not double the notifications.
    subscription.subscribe(room("session:s1"));
    expect(&mut subscription, "subscribed session:s1").await;
    s.store.execute(&id, &update(None), None).await.unwrap();
    s.store.disconnect_user(&user("bob"), "bye").await.unwrap();
    let mut signals = [next(&mut subscription).await.0, next(&mut subscription).await.0];
    signals.sort();
    assert_eq!(signals, ["notification session:s1 3", "notification user:bob 2"]);
}

pub(super) async fn an_unsubscribed_room_sends_no_notifications(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", None)).await.unwrap();
    let mut subscription = s.store.subscription();
    for _ in 0..3 {
        subscription.subscribe(room("session:s1"));
        expect(&mut subscription, "subscribed session:s1").await;
        subscription.unsubscribe(&room("session:s1"));
        s.execute(&update(None)).await.unwrap();
    }
    subscription.subscribe(room("user:alice"));
    expect(&mut subscription, "subscribed user:alice").await;
    s.execute(&update(None)).await.unwrap();
    s.store.disconnect_user(&user("alice"), "").await.unwrap();
    expect(&mut subscription, "notification user:alice 1").await;
}

pub(super) async fn a_new_reader_gets_only_the_rooms_that_it_subscribed_to(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", None)).await.unwrap();
    let mut first = s.store.subscription();
    first.subscribe(room("session:s1"));
    expect(&mut first, "subscribed session:s1").await;
    s.execute(&update(None)).await.unwrap();
    drop(first);
    let mut second = s.store.subscription();
    second.subscribe(room("user:alice"));
    expect(&mut second, "subscribed user:alice").await;
    s.execute(&update(None)).await.unwrap();
    s.store.disconnect_user(&user("alice"), "").await.unwrap();
    expect(&mut second, "notification user:alice 1").await;
    second.subscribe(room("session:s1"));
    expect(&mut second, "subscribed session:s1").await;
    s.execute(&update(None)).await.unwrap();
    expect(&mut second, "notification session:s1 4").await;
}

pub(super) async fn a_slow_reader_learns_that_notifications_were_lost(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", None)).await.unwrap();
    let mut subscription = s.store.subscription();
    // Only one of the rooms loses notifications.
    for name in ["session:s1", "user:alice"] {
        subscription.subscribe(room(name));
        expect(&mut subscription, &format!("subscribed {name}")).await;
    }
    // While the test appends, nothing reads. The store may be slower than the test, so one round need not be enough.
    eventually("the queue overflows", async || {
        let mut last = Offset::ZERO;
        for _ in 0..=MAX_NOTIFICATIONS {
            last = s.execute(&update(None)).await.unwrap().appended.position.offset;
        }
        let last = format!("notification session:s1 {last}");
        loop {
            match next(&mut subscription).await.0 {
                signal if signal == "lost" => return Some(()),
                signal if signal == last => return None,
                signal => assert!(signal.starts_with("notification session:s1"), "{signal}"),
            }
        }
    })
    .await;
    expect(&mut subscription, "subscribed session:s1").await;
    let last = s.execute(&update(None)).await.unwrap().appended.position.offset;
    let last = format!("notification session:s1 {last}");
    loop {
        let signal = next(&mut subscription).await.0;
        if signal == last {
            break;
        }
        assert!(signal.starts_with("notification session:s1"), "{signal}");
    }
}
