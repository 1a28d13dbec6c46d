//! How long to wait before trying again.

use std::time::Duration;

const BASE: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_secs(1);

/// Doubling waits with jitter, so that many processes do not come back in step.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait: between half of the step and all of it.
    pub(super) fn next(&mut self) -> Duration {
        let step = BASE.saturating_mul(1 << self.failures.min(10)).min(CAP);
        self.failures = self.failures.saturating_add(1);
        step.mul_f64(rand::random_range(0.5..=1.0))
    }

    /// What was tried went well.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_cap_and_are_never_zero() {
        let mut backoff = Backoff::default();
        for step in [50, 100, 200, 400, 800, 1000, 1000].map(Duration::from_millis) {
            let wait = backoff.next();
            assert!(step / 2 <= wait && wait <= step, "{wait:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= BASE);
    }
}
