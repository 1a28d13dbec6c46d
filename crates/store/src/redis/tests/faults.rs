//! Redis goes away, comes back, forgets.

use std::time::{Duration, Instant};

use roomcast_core::Offset;

use crate::{
    RedisStore, Store, StoreError, StoreLimits, Subscription, SubscriptionSignal,
    contract::{connect, hints::expect, publish, room, session, update, user},
    redis::server::Server,
};

async fn store(server: &Server) -> RedisStore {
    connect(&server.url(), "rc", StoreLimits::default()).await
}

async fn until(store: &RedisStore, reachable: bool) {
    let mut state = store.reachable();
    let changed = state.wait_for(|state| *state == reachable);
    tokio::time::timeout(Duration::from_secs(5), changed)
        .await
        .expect("in time")
        .unwrap();
}

/// Skips to the room's next `Subscribed`; there must be a `Lost` before it.
async fn lost_then_subscribed(subscription: &mut Box<dyn Subscription>) {
    let mut lost = false;
    let wait = async {
        loop {
            match subscription.next().await {
                SubscriptionSignal::Lost => lost = true,
                SubscriptionSignal::Subscribed(_) => return,
                SubscriptionSignal::Notification(..) => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), wait)
        .await
        .expect("in time");
    assert!(lost);
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable_at_once_and_found_again() {
    let mut server = Server::start();
    let store = store(&server).await;
    let id = session("s1");
    let first = store.execute(&id, &publish("new", None), None).await.unwrap();
    let mut subscription = store.subscription();
    subscription.subscribe(room("session:s1"));
    expect(&mut subscription, "subscribed session:s1").await;

    server.kill();
    for _ in 0..20 {
        let began = Instant::now();
        let failed = store.execute(&id, &update(None), None).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
        assert!(matches!(
            store.tails(&[room("session:s1")]).await,
            Err(StoreError::Unavailable(_))
        ));
        assert!(store.ping().await.is_err());
        assert!(began.elapsed() < Duration::from_secs(1));
    }
    until(&store, false).await;

    server.restart();
    until(&store, true).await;
    lost_then_subscribed(&mut subscription).await;
    // The data are gone, which another epoch tells.
    assert_eq!(store.session(&id).await, Ok(None));
    let again = store.execute(&id, &publish("new", None), None).await.unwrap();
    assert_ne!(again.appended.position.epoch, first.appended.position.epoch);
    assert_eq!(again.appended.position.offset, Offset(1));
    expect(&mut subscription, "hint session:s1 1").await;
}

#[tokio::test]
async fn a_server_that_hangs_is_unavailable_within_two_seconds() {
    let server = Server::start();
    let store = store(&server).await;
    store.ping().await.unwrap();
    let mut subscription = store.subscription();
    subscription.subscribe(room("user:alice"));
    expect(&mut subscription, "subscribed user:alice").await;
    server.run("CLIENT PAUSE 6000 ALL").await;
    let began = Instant::now();
    let failed = store.disconnect_user(&user("alice"), "").await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let at_once = Instant::now();
    assert!(store.ping().await.is_err());
    assert!(at_once.elapsed() < Duration::from_millis(100));
    let lost = async { while !matches!(subscription.next().await, SubscriptionSignal::Lost) {} };
    tokio::time::timeout(Duration::from_secs(3), lost)
        .await
        .expect("a dead connection is noticed");
}

#[tokio::test]
async fn functions_that_were_flushed_are_loaded_again() {
    let server = Server::start();
    let store = store(&server).await;
    store
        .execute(&session("s1"), &publish("new", None), None)
        .await
        .unwrap();
    server.run("FUNCTION FLUSH").await;
    assert_eq!(
        store
            .execute(&session("s1"), &update(None), None)
            .await
            .unwrap()
            .appended
            .position
            .offset,
        Offset(2)
    );
    server.run("FUNCTION FLUSH").await;
    assert!(store.session(&session("s1")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_killed_subscription_is_told_and_hears_again() {
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
    expect(&mut subscription, "hint user:u599 1").await;
}

#[tokio::test]
async fn a_store_may_start_before_its_server() {
    let mut server = Server::start();
    server.kill();
    let store = store(&server).await;
    let mut subscription = store.subscription();
    subscription.subscribe(room("user:alice"));
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(!*store.reachable().borrow());
    server.restart();
    until(&store, true).await;
    lost_or_subscribed(&mut subscription).await;
    store.disconnect_user(&user("alice"), "").await.unwrap();
    expect(&mut subscription, "hint user:alice 1").await;
}

async fn lost_or_subscribed(subscription: &mut Box<dyn Subscription>) {
    let wait = async { while !matches!(subscription.next().await, SubscriptionSignal::Subscribed(_)) {} };
    tokio::time::timeout(Duration::from_secs(5), wait)
        .await
        .expect("in time");
}

#[tokio::test]
async fn a_wrong_password_is_unavailable_and_not_repeated() {
    let server = Server::start_with(&["--requirepass", "right"]);
    let right = connect(
        &format!("redis://:right@127.0.0.1:{}", server.port),
        "rc",
        StoreLimits::default(),
    )
    .await;
    right.ping().await.unwrap();
    let wrong = connect(
        &format!("redis://:hunter2@127.0.0.1:{}", server.port),
        "rc",
        StoreLimits::default(),
    )
    .await;
    let error = wrong.ping().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)));
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_unavailable() {
    let server = Server::start();
    let url = format!("rediss://127.0.0.1:{}", server.port);
    let store = connect(&url, "rc", StoreLimits::default()).await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_replica_is_not_taken_for_the_primary() {
    let primary = Server::start();
    let of = primary.port.to_string();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &of]);
    let store = store(&replica).await;
    let error = store.ping().await.unwrap_err().to_string();
    assert!(error.contains("replica"), "{error}");
    replica.run("REPLICAOF NO ONE").await;
    until(&store, true).await;
    store
        .execute(&session("s1"), &publish("new", None), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_server_without_memory_still_reads() {
    let server = Server::start();
    let store = store(&server).await;
    store
        .execute(&session("s1"), &publish("new", None), None)
        .await
        .unwrap();
    server.run("CONFIG SET maxmemory 1").await;
    let failed = store.execute(&session("s1"), &update(None), None).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    let log = store.read(&room("session:s1"), Offset::ZERO, 10).await.unwrap();
    assert_eq!(log.entries.len(), 1);
    assert!(store.session(&session("s1")).await.unwrap().is_some());
    assert!(*store.reachable().borrow());
}

#[tokio::test]
async fn keys_have_an_end() {
    let server = Server::start();
    let store = store(&server).await;
    let id = session("s1");
    let key = crate::contract::request("r", 1);
    store
        .execute(
            &id,
            &publish(
                "new",
                crate::contract::people(&[("a", roomcast_core::Role::Observer)]),
            ),
            Some(&key),
        )
        .await
        .unwrap();
    store
        .require_feedback(
            &id,
            &[user("a"), user("b")],
            Some(&crate::contract::request("q", 1)),
        )
        .await
        .unwrap();
    store.execute(&id, &update(Some("a")), None).await.unwrap();
    store.disconnect_user(&user("c"), "").await.unwrap();
    let (keys, _) = expiries(&server).await;
    assert!(keys.len() > 10, "{keys:?}");
    for (key, left) in keys {
        assert!(left > 0, "{key} stays for ever");
        assert!(key.starts_with("rc:{"), "{key}");
    }
}

/// What Redis says of each key, and how often it was asked to let one expire.
async fn expiries(server: &Server) -> (Vec<(String, i64)>, u64) {
    let mut admin = server.admin().await;
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut admin).await.unwrap();
    let mut left = Vec::new();
    for key in keys {
        let millis: i64 = redis::cmd("PTTL")
            .arg(&key)
            .query_async(&mut admin)
            .await
            .unwrap();
        left.push((key, millis));
    }
    let stats: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut admin)
        .await
        .unwrap();
    let calls = stats
        .split_once("cmdstat_pexpire:calls=")
        .map_or("0", |(_, rest)| rest.split(',').next().unwrap());
    (left, calls.parse().unwrap())
}

#[tokio::test]
async fn keys_live_for_their_retention_after_each_change_and_little_longer() {
    let server = Server::start();
    let retention = 6_400;
    let bounds = StoreLimits {
        log_retention: retention,
        state_retention: retention,
        ..StoreLimits::default()
    };
    let store = connect(&server.url(), "rc", bounds).await;
    let id = session("s1");
    let observer = roomcast_core::Role::Observer;
    // Participants and duties are keys that go, and come anew.
    let commands = [
        publish("new", crate::contract::people(&[("a", observer)])),
        crate::contract::remove("a"),
        crate::contract::select("b", observer),
        publish("next", None),
        update(Some("b")),
    ];
    for _ in 0..3 {
        for command in &commands {
            let began = Instant::now();
            store.execute(&id, command, None).await.unwrap();
            if matches!(command, roomcast_core::SessionCommand::SelectRole { .. }) {
                store.require_feedback(&id, &[], None).await.unwrap();
            }
            let (left, _) = expiries(&server).await;
            let gone_by = began.elapsed().as_millis() as i64;
            assert!(left.len() >= 2, "{left:?}");
            for (key, left) in left.iter().filter(|(key, _)| key.starts_with("rc:{s:")) {
                assert!(left + gone_by >= retention, "{key}: {left} ms after {command:?}");
                assert!(
                    *left <= retention + retention / 64,
                    "{key}: {left} ms after {command:?}"
                );
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
}

#[tokio::test]
async fn a_change_shortly_after_another_puts_no_expiry_off() {
    let server = Server::start();
    let store = store(&server).await;
    let id = session("s1");
    store.execute(&id, &publish("new", None), None).await.unwrap();
    let (_, first) = expiries(&server).await;
    store.execute(&id, &publish("next", None), None).await.unwrap();
    store.execute(&id, &update(None), None).await.unwrap();
    let (_, later) = expiries(&server).await;
    assert!(first > 0);
    assert_eq!(first, later);
}
