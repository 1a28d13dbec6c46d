//! The cached keys of one JWKS, and the only code that fetches them again.
//!
//! It never runs two fetches at a time and never starts fetches more often than [`MIN_FETCH_INTERVAL`], even if clients
//! send many tokens with unknown keys. A failed fetch never discards good keys. A successful one replaces all keys, even
//! if the new JWKS is empty, because the issuer may withdraw every key.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tracing::{debug, warn};

use crate::clock::Clock;
use crate::jwks;
use crate::jwks_location::{FETCH_TIMEOUT, FetchError, JwksLocation};
use crate::key::Key;

/// The minimum time between the starts of two fetches of one JWKS.
pub const MIN_FETCH_INTERVAL: Duration = Duration::from_secs(10);
const _: () = assert!(FETCH_TIMEOUT.as_secs() < MIN_FETCH_INTERVAL.as_secs());

/// The cache of one JWKS. Shared by all callers that verify with it.
#[derive(Debug)]
pub(crate) struct JwksCache {
    location: JwksLocation,
    content: watch::Sender<JwksContent>,
    /// When the last fetch started, in seconds since the Unix epoch; `None` before the first. Locked while a fetch
    /// runs, so that other callers wait for it.
    last_fetch: Arc<Mutex<Option<i64>>>,
}

/// The result of all fetches so far. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct JwksContent {
    /// `None` until the first successful fetch.
    pub(crate) keys: Option<Arc<[Key]>>,
    /// Whether the last fetch failed, or no fetch was made yet.
    pub(crate) stale: bool,
}

impl JwksCache {
    /// `keys`: the keys, if they were read already.
    pub(crate) fn new(location: JwksLocation, keys: Option<Vec<Key>>) -> Self {
        let content = watch::Sender::new(JwksContent {
            stale: keys.is_none(),
            keys: keys.map(Arc::from),
        });
        Self {
            location,
            content,
            last_fetch: Arc::default(),
        }
    }

    pub(crate) fn content(&self) -> JwksContent {
        self.content.borrow().clone()
    }

    /// Whether it may contain shared secrets.
    pub(crate) fn allows_shared_secrets(&self) -> bool {
        self.location.allows_shared_secrets()
    }

    /// Fetches the keys again, or waits for the running fetch. Returns immediately if the last fetch started less than
    /// [`MIN_FETCH_INTERVAL`] ago.
    pub(crate) async fn refresh(self: &Arc<Self>, clock: &Clock) {
        let mut last_fetch = Arc::clone(&self.last_fetch).lock_owned().await;
        // Callers that waited for a fetch return here too, because it started at most FETCH_TIMEOUT ago. The absolute
        // difference is compared, so that a clock that was set back does not block the fetches.
        let now = clock.now();
        if last_fetch.is_some_and(|started| now.abs_diff(started) < MIN_FETCH_INTERVAL.as_secs()) {
            return;
        }
        *last_fetch = Some(now);
        let this = Arc::clone(self);
        // The fetch is its own task, bounded by FETCH_TIMEOUT, so that it survives a caller that is cancelled.
        let fetch = tokio::spawn(async move {
            this.store(this.fetch().await);
            drop(last_fetch);
        });
        if let Err(error) = fetch.await {
            warn!(jwks = %self.location, %error, "the task that fetches verification keys failed");
        }
    }

    async fn fetch(&self) -> Result<Vec<Key>, FetchError> {
        let json = self.location.read().await?;
        jwks::parse(&json, self.allows_shared_secrets()).map_err(FetchError::NotJwks)
    }

    fn store(&self, result: Result<Vec<Key>, FetchError>) {
        match &result {
            Ok(keys) if keys.is_empty() => {
                warn!(jwks = %self.location, "the JWKS contains no key that can verify tokens");
            }
            Ok(keys) => debug!(jwks = %self.location, keys = keys.len(), "fetched the verification keys"),
            Err(error) => {
                warn!(jwks = %self.location, %error, "could not fetch the verification keys; keeping the previous ones");
            }
        }
        self.content.send_modify(|content| {
            content.stale = result.is_err();
            if let Ok(keys) = result {
                content.keys = Some(keys.into());
            }
        });
    }
}
