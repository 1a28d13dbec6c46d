//! Waits between attempts: exponential, limited, with jitter.

use std::time::Duration;

/// The wait before each next attempt: a random share of a bound that doubles with every attempt, up to a limit.
///
/// The randomness spreads the attempts of many processes that lost the same peer at the same moment.
#[derive(Debug, Clone)]
pub struct Backoff {
    base: Duration,
    limit: Duration,
    attempts: u32,
}

impl Backoff {
    /// The first wait is at most `base`; no wait is longer than `limit`.
    pub fn new(base: Duration, limit: Duration) -> Self {
        Self {
            base,
            limit,
            attempts: 0,
        }
    }

    /// The next wait. `share` returns the part of the bound to wait, from 0 to 1, such as `rand::random::<f64>`; other
    /// numbers are clamped, and NaN counts as 1.
    pub fn next(&mut self, share: impl FnOnce() -> f64) -> Duration {
        let doubled = 2u32
            .checked_pow(self.attempts)
            .and_then(|factor| self.base.checked_mul(factor));
        let bound = doubled.unwrap_or(self.limit).min(self.limit);
        self.attempts = self.attempts.saturating_add(1);
        let share = share();
        let share = if share.is_nan() {
            1.0
        } else {
            share.clamp(0.0, 1.0)
        };
        Duration::try_from_secs_f64(bound.as_secs_f64() * share)
            .unwrap_or(bound)
            .min(bound)
    }

    /// Records a successful attempt: the next wait is at most `base` again.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    /// The number of waits since the last success.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_millis(100);
    const LIMIT: Duration = Duration::from_secs(5);

    #[test]
    fn the_bound_doubles_up_to_the_limit() {
        let mut backoff = Backoff::new(BASE, LIMIT);
        let bounds: Vec<u128> = (0..8).map(|_| backoff.next(|| 1.0).as_millis()).collect();
        assert_eq!(bounds, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }

    #[test]
    fn the_same_randomness_gives_the_same_waits() {
        let waits = || {
            let mut backoff = Backoff::new(BASE, LIMIT);
            let shares = [0.25, 0.5, 0.0, 0.75];
            shares.map(|share| backoff.next(|| share).as_millis())
        };
        assert_eq!(waits(), [25, 100, 0, 600]);
        assert_eq!(waits(), waits());
    }

    #[test]
    fn no_number_of_attempts_overflows_or_exceeds_the_limit() {
        for (base, limit) in [
            (BASE, LIMIT),
            (Duration::MAX, Duration::MAX),
            (LIMIT, BASE),
            (Duration::ZERO, LIMIT),
        ] {
            let mut backoff = Backoff::new(base, limit);
            for attempt in 0..200 {
                for share in [f64::NAN, -1.0, 0.999_999, 7.0] {
                    assert!(
                        backoff.next(|| share) <= limit,
                        "attempt {attempt} of {base:?} up to {limit:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_success_starts_again_at_the_base() {
        let mut backoff = Backoff::new(BASE, LIMIT);
        for _ in 0..10 {
            backoff.next(|| 0.5);
        }
        assert_eq!(backoff.attempts(), 10);
        backoff.reset();
        assert_eq!(backoff.next(|| 1.0), BASE);
    }
}
