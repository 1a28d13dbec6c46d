//! The one place where wall time comes in. Everything else is handed a [`Clock`], so that tests decide what
//! time it is.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time in whole seconds since the Unix epoch. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// The operating system's clock. A clock set before 1970 reads as 0, one beyond the range of `i64` as its
    /// maximum.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| {
            #[expect(clippy::disallowed_methods, reason = "the one place where wall time comes in")]
            let now = SystemTime::now();
            now.duration_since(UNIX_EPOCH)
                .map_or(0, |age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
        })
    }

    /// A clock of the caller's own.
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> i64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
