//! A token bucket.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// Allows `burst` operations at once, and `per_second` in the long run.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_second: u32,
    burst: u32,
    /// The tokens that are left, and when they were counted.
    state: Mutex<(f64, Instant)>,
}

impl RateLimit {
    pub(crate) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self {
            per_second,
            burst,
            state: Mutex::new((f64::from(burst), now)),
        }
    }

    /// Takes a token; `false` if none is left.
    pub(crate) fn take(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, counted_at) = *state;
        let elapsed = now.saturating_duration_since(counted_at).as_secs_f64();
        let left = (left + elapsed * f64::from(self.per_second)).min(f64::from(self.burst));
        let taken = left >= 1.0;
        *state = (if taken { left - 1.0 } else { left }, now);
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let start = Instant::now();
        let limit = RateLimit::new(10, 3, start);
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(
            [0, 0, 0, 0, 100, 100].map(|millis| limit.take(at(millis))),
            [true, true, true, false, true, false]
        );
    }
}
