//! What the tests run on: real Redis servers, stores, and a clock.

pub(crate) mod acl;
pub(crate) mod clock;
mod eventually;
pub(crate) mod server;

pub(crate) use eventually::{eventually, within_patience};

use crate::{RedisConfig, RedisStore, StoreLimits};

pub(crate) fn config(url: &str, prefix: &str, limits: StoreLimits) -> RedisConfig {
    RedisConfig {
        url: url.parse().unwrap(),
        prefix: prefix.into(),
        limits,
        replicas: 0,
    }
}

/// A store that is connected to its server.
pub(crate) async fn connect(url: &str, prefix: &str, limits: StoreLimits) -> RedisStore {
    let store = RedisStore::connect(config(url, prefix, limits)).await;
    until_reachable(&store, true).await;
    store
}

pub(crate) async fn until_reachable(store: &RedisStore, expected: bool) {
    let mut reachable = store.reachable();
    let changed = reachable.wait_for(|reachable| *reachable == expected);
    within_patience("the store notices the server", changed)
        .await
        .unwrap();
}
