//! Subscriptions.

use super::*;
use crate::{Subscription, SubscriptionSignal, mailbox::HINTS};

/// The next notice, as text without the entry. A store that tells nothing fails the test.
pub(crate) async fn next(subscription: &mut Box<dyn Subscription>) -> (String, Option<Arc<Entry>>) {
    let notice = tokio::time::timeout(Duration::from_secs(10), subscription.next())
        .await
        .expect("a notice");
    match notice {
        SubscriptionSignal::Subscribed(room) => (format!("subscribed {room}"), None),
        SubscriptionSignal::Notification(room, entry) => {
            (format!("hint {room} {}", entry.position.offset), Some(entry))
        }
        SubscriptionSignal::Lost => ("lost".into(), None),
    }
}

pub(crate) async fn expect(subscription: &mut Box<dyn Subscription>, expected: &str) {
    assert_eq!(next(subscription).await.0, expected);
}

pub(super) async fn what_is_appended_after_subscribed_comes_as_a_hint(kind: Kind) {
    hear_two_rooms(&kind.subject(StoreLimits::default()).await).await;
}

pub(super) async fn hear_two_rooms(s: &Subject) {
    let id = session("heard");
    let (of_session, of_user) = (room("session:heard"), room("user:listener"));
    let mut subscription = s.store.subscription();
    subscription.subscribe(of_session.clone());
    expect(&mut subscription, "subscribed session:heard").await;
    s.store
        .execute(
            &id,
            &publish("\u{1}\"é", people(&[("alice", Role::Observer)])),
            None,
        )
        .await
        .unwrap();
    s.store.execute(&id, &update(None), None).await.unwrap();
    for n in 0..2 {
        let (told, entry) = next(&mut subscription).await;
        assert_eq!(told, format!("hint session:heard {}", n + 1));
        assert_eq!(
            entry,
            s.log("session:heard").await.get(n).cloned(),
            "a hint is the entry itself"
        );
    }
    subscription.subscribe(of_user);
    expect(&mut subscription, "subscribed user:listener").await;
    s.store.disconnect_user(&user("listener"), "bye").await.unwrap();
    expect(&mut subscription, "hint user:listener 1").await;
    // A second time is told once more, and doubles nothing.
    subscription.subscribe(of_session);
    expect(&mut subscription, "subscribed session:heard").await;
    s.store.execute(&id, &update(None), None).await.unwrap();
    s.store.disconnect_user(&user("listener"), "bye").await.unwrap();
    let mut told = [next(&mut subscription).await.0, next(&mut subscription).await.0];
    told.sort();
    assert_eq!(told, ["hint session:heard 3", "hint user:listener 2"]);
}

pub(super) async fn a_room_that_was_left_gives_no_hints(kind: Kind) {
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
    expect(&mut subscription, "hint user:alice 1").await;
}

pub(super) async fn every_subscription_is_told_of_its_own_rooms(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", None)).await.unwrap();
    let mut both = s.store.subscription();
    let mut one = s.store.subscription();
    let mut dropped = s.store.subscription();
    for subscription in [&mut both, &mut one, &mut dropped] {
        subscription.subscribe(room("session:s1"));
        expect(subscription, "subscribed session:s1").await;
    }
    both.subscribe(room("user:alice"));
    expect(&mut both, "subscribed user:alice").await;
    drop(dropped);
    s.store.disconnect_user(&user("alice"), "").await.unwrap();
    expect(&mut both, "hint user:alice 1").await;
    s.execute(&update(None)).await.unwrap();
    for subscription in [&mut both, &mut one] {
        expect(subscription, "hint session:s1 2").await;
    }
}

pub(super) async fn one_that_does_not_listen_is_told_that_hints_were_lost(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", None)).await.unwrap();
    let mut deaf = s.store.subscription();
    let mut awake = s.store.subscription();
    for subscription in [&mut deaf, &mut awake] {
        subscription.subscribe(room("session:s1"));
        expect(subscription, "subscribed session:s1").await;
    }
    // Of a quiet room nothing was lost.
    deaf.subscribe(room("user:alice"));
    expect(&mut deaf, "subscribed user:alice").await;
    for n in 0..=HINTS {
        s.execute(&update(None)).await.unwrap();
        expect(&mut awake, &format!("hint session:s1 {}", n + 2)).await;
    }
    expect(&mut deaf, "lost").await;
    expect(&mut deaf, "subscribed session:s1").await;
    let last = s.execute(&update(None)).await.unwrap().appended.position.offset;
    expect(&mut deaf, &format!("hint session:s1 {last}")).await;
}
