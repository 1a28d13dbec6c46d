//! The only code of the workspace that reads the wall clock. Everything else takes a [`Clock`] or a time, so that tests
//! control the time.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of the wall-clock time. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// The operating system's clock. A time before 1970 reads as 0.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that reads the wall clock"
            )]
            let now = SystemTime::now();
            now.duration_since(UNIX_EPOCH)
                .map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
        })
    }

    /// A clock that returns what `now_millis` returns: milliseconds since the Unix epoch.
    pub fn new(now_millis: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_millis))
    }

    /// The time in whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now_millis().div_euclid(1000)
    }

    /// The time in milliseconds since the Unix epoch.
    #[must_use]
    pub fn now_millis(&self) -> i64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_counts_milliseconds_of_this_century() {
        let (y2020, y2200) = (1_577_836_800_000, 7_258_118_400_000);
        assert!((y2020..y2200).contains(&Clock::system().now_millis()));
    }

    #[test]
    fn seconds_are_rounded_down() {
        assert_eq!(Clock::new(|| 1_999).now(), 1);
        assert_eq!(Clock::new(|| -1).now(), -1);
    }
}
