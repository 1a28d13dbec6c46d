//! The one place where wall-clock time is read.
//!
//! Everything else takes the time as an argument, so that tests can choose it.

use std::time::{SystemTime, UNIX_EPOCH};

/// The wall-clock time in milliseconds since the Unix epoch; 0 on a machine whose clock is set before 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock"
)]
pub fn now_millis() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_counts_milliseconds_of_this_century() {
        let (y2020, y2200) = (1_577_836_800_000, 7_258_118_400_000);
        assert!((y2020..y2200).contains(&now_millis()));
    }
}
