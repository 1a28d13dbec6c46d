//! How long to wait before a retry.

use std::time::Duration;

const BASE: Duration = Duration::from_millis(50);
const MAX: Duration = Duration::from_secs(1);

/// Waits that double up to a limit, with jitter, so that processes do not retry at the same moment.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait: random, between half of the step and the whole step.
    pub(super) fn next(&mut self) -> Duration {
        let step = BASE.saturating_mul(1 << self.failures.min(10)).min(MAX);
        self.failures = self.failures.saturating_add(1);
        step.mul_f64(rand::random_range(0.5..=1.0))
    }

    /// Starts again with the shortest wait, after a success.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_limit_and_are_never_zero() {
        let mut backoff = Backoff::default();
        for step in [50, 100, 200, 400, 800, 1000, 1000].map(Duration::from_millis) {
            let wait = backoff.next();
            assert!(step / 2 <= wait && wait <= step, "{wait:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= BASE);
    }
}
