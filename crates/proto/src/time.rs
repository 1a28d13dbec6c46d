//! Timestamps ↔ milliseconds since the Unix epoch.

use prost_types::Timestamp;
use roomcast_core::Millis;

/// The first second of the year 0001.
const FIRST_SECOND: i64 = -62_135_596_800;
/// The last second that browsers can be shown as it is.
const LAST_SECOND: i64 = 253_402_207_199;

/// A time that no browser can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// The seconds are out of range.
    #[error("must lie between 0001-01-01T00:00:00Z and 9999-12-30T22:00:00Z")]
    Range,
    /// The nanoseconds are out of range.
    #[error("nanos must be 0 to 999,999,999")]
    Nanos,
}

/// Whole milliseconds since the Unix epoch; what is smaller is cut off, towards the past.
///
/// # Errors
/// When the time is out of range.
pub fn millis(at: Timestamp) -> Result<Millis, TimeError> {
    if !(FIRST_SECOND..=LAST_SECOND).contains(&at.seconds) {
        return Err(TimeError::Range);
    }
    match at.nanos {
        0..1_000_000_000 => Ok(at.seconds * 1000 + i64::from(at.nanos / 1_000_000)),
        _ => Err(TimeError::Nanos),
    }
}

/// The timestamp of so many milliseconds since the Unix epoch.
#[must_use]
pub fn timestamp(at: Millis) -> Timestamp {
    let nanos = i32::try_from(at.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
    Timestamp {
        seconds: at.div_euclid(1000),
        nanos,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_reads_back(at in FIRST_SECOND * 1000..=LAST_SECOND * 1000 + 999) {
            prop_assert_eq!(millis(timestamp(at)), Ok(at));
        }

        #[test]
        fn no_timestamp_panics(seconds: i64, nanos: i32, at: i64) {
            let _ = millis(Timestamp { seconds, nanos });
            let _ = timestamp(at);
        }
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        let at = |seconds, nanos| millis(Timestamp { seconds, nanos });
        assert_eq!(at(0, -1), Err(TimeError::Nanos));
        assert_eq!(at(0, 1_000_000_000), Err(TimeError::Nanos));
        assert_eq!(at(LAST_SECOND + 1, 0), Err(TimeError::Range));
        assert_eq!(at(-1, 999_999_999), Ok(-1));
    }
}
