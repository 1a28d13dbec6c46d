//! Timestamps and milliseconds since the Unix epoch.

use prost_types::Timestamp;
use roomcast_core::Millis;

/// The first second of the year 0001.
const FIRST_SECOND: i64 = -62_135_596_800;
/// The last second that browsers in every time zone can show: 9999-12-30T21:59:59Z.
const LAST_SECOND: i64 = 253_402_207_199;

/// A time that browsers cannot show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimeError {
    #[error("must be from 0001-01-01T00:00:00Z to 9999-12-30T22:00:00Z")]
    Seconds,
    #[error("nanos must be 0 to 999,999,999")]
    Nanos,
}

/// Whole milliseconds since the Unix epoch, rounded towards the past.
///
/// # Errors
/// The time is out of range.
pub(crate) fn millis(at: Timestamp) -> Result<Millis, TimeError> {
    if !(FIRST_SECOND..=LAST_SECOND).contains(&at.seconds) {
        return Err(TimeError::Seconds);
    }
    match at.nanos {
        0..1_000_000_000 => Ok(at.seconds * 1000 + i64::from(at.nanos / 1_000_000)),
        _ => Err(TimeError::Nanos),
    }
}

/// The timestamp of a number of milliseconds since the Unix epoch.
pub(crate) fn timestamp(at: Millis) -> Timestamp {
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
        fn a_time_survives_the_conversion(at in FIRST_SECOND * 1000..=LAST_SECOND * 1000 + 999) {
            prop_assert_eq!(millis(timestamp(at)), Ok(at));
        }

        #[test]
        fn no_timestamp_panics(seconds: i64, nanos: i32, at: i64) {
            let _ = millis(Timestamp { seconds, nanos }); // any result: only a panic fails the test
            let _ = timestamp(at); // any result: only a panic fails the test
        }
    }

    #[test]
    fn a_time_out_of_range_is_invalid() {
        let at = |seconds, nanos| millis(Timestamp { seconds, nanos });
        assert_eq!(at(0, -1), Err(TimeError::Nanos));
        assert_eq!(at(0, 1_000_000_000), Err(TimeError::Nanos));
        assert_eq!(at(LAST_SECOND + 1, 0), Err(TimeError::Seconds));
        assert_eq!(at(-1, 999_999_999), Ok(-1));
    }
}
