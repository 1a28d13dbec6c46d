//! How fast something may happen: a token bucket.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// A token bucket.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_second: u32,
    burst: u32,
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

    /// Whether one more may happen now.
    pub(crate) fn take(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *state;
        let passed = now.saturating_duration_since(since).as_secs_f64();
        let left = (left + passed * f64::from(self.per_second)).min(f64::from(self.burst));
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
    fn a_burst_is_taken_and_then_the_rate() {
        let start = Instant::now();
        let limit = RateLimit::new(10, 3, start);
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(
            [0, 0, 0, 0, 100, 100].map(|millis| limit.take(at(millis))),
            [true, true, true, false, true, false]
        );
    }
}
