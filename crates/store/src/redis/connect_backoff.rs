//! The waits between attempts to connect.

use std::time::Duration;

use roomcast_core::Backoff;

const BASE: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(1);

/// The backoff of one connection.
pub(super) fn connect_backoff() -> Backoff {
    Backoff::new(BASE, LIMIT)
}

/// The next wait: random, between half of the step and the whole step.
pub(super) fn next_wait(backoff: &mut Backoff) -> Duration {
    backoff.next(|| rand::random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_are_never_zero() {
        let mut backoff = connect_backoff();
        for step in [50, 100, 200, 400, 800, 1000, 1000].map(Duration::from_millis) {
            let wait = next_wait(&mut backoff);
            assert!(step / 2 <= wait && wait <= step, "{wait:?}");
        }
        backoff.reset();
        assert!(next_wait(&mut backoff) <= BASE);
    }
}
