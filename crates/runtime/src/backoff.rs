//! Waiting times between attempts: exponential, capped, with full jitter.
//!
//! It never reads a clock, sleeps or makes randomness of its own.

use std::time::Duration;

/// The waiting time before each next attempt: evenly distributed below a bound that doubles up to a cap.
///
/// Full jitter spreads the attempts of many processes that lost the same peer at the same moment.
#[derive(Debug, Clone)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    attempts: u32,
}

impl Backoff {
    /// The first wait is below `base`, none is above `cap`.
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self {
            base,
            cap,
            attempts: 0,
        }
    }

    /// The next waiting time. `rand` gives a number in `[0, 1)`, such as `rand::random::<f64>`; others are clamped.
    pub fn next(&mut self, rand: impl FnOnce() -> f64) -> Duration {
        let doubled = 2u32
            .checked_pow(self.attempts)
            .and_then(|factor| self.base.checked_mul(factor));
        let bound = doubled.unwrap_or(self.cap).min(self.cap);
        self.attempts = self.attempts.saturating_add(1);
        let share = rand();
        let share = if share.is_nan() {
            1.0
        } else {
            share.clamp(0.0, 1.0)
        };
        Duration::try_from_secs_f64(bound.as_secs_f64() * share)
            .unwrap_or(bound)
            .min(bound)
    }

    /// An attempt succeeded: the next wait is below `base` again.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    /// Attempts since the last success.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_millis(100);
    const CAP: Duration = Duration::from_secs(5);

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        let mut backoff = Backoff::new(BASE, CAP);
        let bounds: Vec<u128> = (0..8).map(|_| backoff.next(|| 1.0).as_millis()).collect();
        assert_eq!(bounds, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }

    #[test]
    fn the_same_randomness_gives_the_same_waits() {
        let waits = || {
            let mut backoff = Backoff::new(BASE, CAP);
            let shares = [0.25, 0.5, 0.0, 0.75];
            shares.map(|share| backoff.next(|| share).as_millis())
        };
        assert_eq!(waits(), [25, 100, 0, 600]);
        assert_eq!(waits(), waits());
    }

    #[test]
    fn no_number_of_attempts_overflows_or_passes_the_cap() {
        for (base, cap) in [
            (BASE, CAP),
            (Duration::MAX, Duration::MAX),
            (CAP, BASE),
            (Duration::ZERO, CAP),
        ] {
            let mut backoff = Backoff::new(base, cap);
            for attempt in 0..200 {
                for share in [f64::NAN, -1.0, 0.999_999, 7.0] {
                    assert!(
                        backoff.next(|| share) <= cap,
                        "attempt {attempt} of {base:?} up to {cap:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_success_starts_over() {
        let mut backoff = Backoff::new(BASE, CAP);
        for _ in 0..10 {
            backoff.next(|| 0.5);
        }
        assert_eq!(backoff.attempts(), 10);
        backoff.reset();
        assert_eq!(backoff.next(|| 1.0), BASE);
    }
}
