//! A cached JWKS: the keys as last seen, and the one door through which they are fetched again.
//!
//! It never fetches twice at a time or more often than once in [`REFRESH_GAP`], whatever tokens strangers
//! send, and never loses good keys to a failed fetch. What the issuer answers in good form is obeyed, also
//! when it withdraws every key.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize as _;
use serde_json::Value;
use tokio::sync::{Mutex, watch};
use tracing::{debug, warn};

use crate::clock::Clock;
use crate::fetch::{FETCH_TIMEOUT, FetchError, Location};
use crate::key::{Jwk, Key};

/// The least time between the starts of two fetches of one JWKS.
pub const REFRESH_GAP: Duration = Duration::from_secs(10);
const _: () = assert!(FETCH_TIMEOUT.as_secs() < REFRESH_GAP.as_secs());

/// One JWKS. Shared by all who verify with it.
#[derive(Debug)]
pub(crate) struct Jwks {
    location: Location,
    seen: watch::Sender<Seen>,
    /// When the last fetch began (seconds since the Unix epoch). Locked while one is under way, so that
    /// others wait for it.
    flight: Arc<Mutex<Option<i64>>>,
}

/// The outcome of all fetches so far. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// `None`: never fetched.
    pub(crate) keys: Option<Arc<[Key]>>,
    /// Whether the last fetch failed, or none was made.
    pub(crate) stale: bool,
}

impl Jwks {
    /// `first`: the keys, where they were read already.
    pub(crate) fn new(location: Location, first: Option<Vec<Key>>) -> Self {
        let stale = first.is_none();
        let seen = watch::Sender::new(Seen {
            keys: first.map(Arc::from),
            stale,
        });
        Self {
            location,
            seen,
            flight: Arc::default(),
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Whether a key in it could ever be a shared secret.
    pub(crate) fn holds_secrets(&self) -> bool {
        self.location.holds_secrets()
    }

    /// Fetches again, or waits for the fetch that is under way. Returns at once where one began less than
    /// [`REFRESH_GAP`] ago.
    pub(crate) async fn refresh(self: &Arc<Self>, clock: &Clock) {
        let mut flight = Arc::clone(&self.flight).lock_owned().await;
        // Whoever waited for a fetch stops here too: it began at most FETCH_TIMEOUT ago. The difference is
        // taken without its sign, so that a clock that was set back does not stop the fetches.
        let now = clock.now();
        if flight.is_some_and(|began| now.abs_diff(began) < REFRESH_GAP.as_secs()) {
            return;
        }
        *flight = Some(now);
        let this = Arc::clone(self);
        // A task of its own, ended by FETCH_TIMEOUT: a caller that goes away must not take the fetch along.
        let fetch = tokio::spawn(async move {
            this.settle(this.fetch().await);
            drop(flight);
        });
        if let Err(error) = fetch.await {
            warn!(jwks = %self.location, %error, "the fetch of verification keys ended early");
        }
    }

    async fn fetch(&self) -> Result<Vec<Key>, FetchError> {
        parse(&self.location.read().await?, self.holds_secrets()).map_err(FetchError::NotJwks)
    }

    fn settle(&self, outcome: Result<Vec<Key>, FetchError>) {
        match &outcome {
            Ok(keys) if keys.is_empty() => {
                warn!(jwks = %self.location, "the JWKS has no key that can verify tokens");
            }
            Ok(keys) => debug!(jwks = %self.location, keys = keys.len(), "fetched the verification keys"),
            Err(error) => {
                warn!(jwks = %self.location, %error,
                    "could not fetch the verification keys; those from before stay");
            }
        }
        self.seen.send_modify(|seen| {
            seen.stale = outcome.is_err();
            if let Ok(keys) = outcome {
                seen.keys = Some(keys.into());
            }
        });
    }
}

/// The usable keys of a JWKS document, in its order. A key that cannot be used is left out (RFC 7517, section
/// 5).
pub(crate) fn parse(json: &[u8], shared_secrets: bool) -> Result<Vec<Key>, &'static str> {
    let document: Value = serde_json::from_slice(json).map_err(|_| "not JSON")?;
    let keys = document
        .get("keys")
        .and_then(Value::as_array)
        .ok_or("no array `keys`")?;
    let mut usable = Vec::new();
    for (index, value) in keys.iter().enumerate() {
        let key = Jwk::deserialize(value)
            .map_err(|_| "not a JWK")
            .and_then(|jwk| Key::from_jwk(&jwk, shared_secrets));
        match key {
            Ok(key) => usable.push(key),
            Err(reason) => debug!(index, reason, "a key of the JWKS is left out"),
        }
    }
    Ok(usable)
}
