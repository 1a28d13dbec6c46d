//! When keys expire.

use std::time::Instant;

use roomcast_core::{Role, SessionCommand};

use crate::{
    RedisStore, Store, StoreLimits,
    tests::{
        contract::{participants, publish, remove, request, select, session, update, user},
        support::{
            clock::{TestClock, library_with_clock},
            config, connect,
            server::Server,
            until_reachable,
        },
    },
};

const PREFIX: &str = "rc";

/// The milliseconds that each key has left.
async fn expiries(server: &Server) -> Vec<(String, i64)> {
    let mut admin = server.admin().await;
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut admin).await.unwrap();
    let mut left = Vec::new();
    for key in keys {
        let mut ttl = redis::cmd("PTTL");
        let millis: i64 = ttl.arg(&key).query_async(&mut admin).await.unwrap();
        left.push((key, millis));
    }
    left
}

/// How often the server executed PEXPIRE.
async fn renewals(server: &Server) -> u64 {
    let mut info = redis::cmd("INFO");
    let info = info.arg("commandstats");
    let stats: String = info.query_async(&mut server.admin().await).await.unwrap();
    let calls = stats
        .split_once("cmdstat_pexpire:calls=")
        .map_or("0", |(_, rest)| rest.split(',').next().unwrap());
    calls.parse().unwrap()
}

#[tokio::test]
async fn every_key_has_an_expiry() {
    let server = Server::start();
    let store = connect(&server.url(), PREFIX, StoreLimits::default()).await;
    let id = session("s1");
    let list = participants(&[("a", Role::Observer)]);
    let key = request("r", 1);
    store
        .execute(&id, &publish("new", list), Some(&key))
        .await
        .unwrap();
    let key = request("q", 1);
    store
        .require_feedback(&id, &[user("a"), user("b")], Some(&key))
        .await
        .unwrap();
    store.execute(&id, &update(Some("a")), None).await.unwrap();
    store.disconnect_user(&user("c"), "").await.unwrap();
    let keys = expiries(&server).await;
    assert!(keys.len() > 10, "{keys:?}");
    for (key, left) in keys {
        assert!(left > 0, "{key} has no expiry");
        assert!(key.starts_with("rc:{"), "{key}");
    }
}

#[tokio::test]
async fn keys_expire_a_little_later_than_their_retention_after_the_last_change() {
    const MINUTE: i64 = 60_000;
    let server = Server::start();
    let retention = 6_400 * MINUTE;
    let limits = StoreLimits {
        log_retention: retention,
        state_retention: retention,
        ..StoreLimits::default()
    };
    let library = library_with_clock(PREFIX);
    let store = RedisStore::start(config(&server.url(), PREFIX, limits), library.clone());
    until_reachable(&store, true).await;
    let clock = TestClock::Redis {
        library,
        prefix: PREFIX.into(),
    };
    let id = session("s1");
    // The keys of participants and of pending feedback are deleted and created again.
    let commands = [
        publish("new", participants(&[("a", Role::Observer)])),
        remove("a"),
        select("b", Role::Observer),
        publish("next", None),
        update(Some("b")),
    ];
    for _ in 0..3 {
        for command in &commands {
            let began = Instant::now();
            store.execute(&id, command, None).await.unwrap();
            if matches!(command, SessionCommand::SelectRole { .. }) {
                store.require_feedback(&id, &[], None).await.unwrap();
            }
            let left = expiries(&server).await;
            let elapsed = began.elapsed().as_millis() as i64;
            assert!(left.len() >= 2, "{left:?}");
            for (key, left) in left.iter().filter(|(key, _)| key.starts_with("rc:{s:")) {
                assert!(left + elapsed >= retention, "{key}: {left} ms after {command:?}");
                assert!(
                    *left <= retention + retention / 64,
                    "{key}: {left} ms after {command:?}"
                );
            }
            clock.advance(30 * MINUTE, &mut [server.admin().await]).await;
        }
    }
}

#[tokio::test]
async fn a_change_shortly_after_another_renews_no_expiry() {
    let server = Server::start();
    let store = connect(&server.url(), PREFIX, StoreLimits::default()).await;
    let id = session("s1");
    store.execute(&id, &publish("new", None), None).await.unwrap();
    let first = renewals(&server).await;
    store.execute(&id, &publish("next", None), None).await.unwrap();
    store.execute(&id, &update(None), None).await.unwrap();
    assert!(first > 0);
    assert_eq!(first, renewals(&server).await);
}
