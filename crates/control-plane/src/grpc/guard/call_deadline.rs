//! The `grpc-timeout` header (gRPC over HTTP/2, "Timeout"): one to eight digits and a unit.

use std::time::Duration;

use http::HeaderMap;
use roomcast_proto::{Failure, Invalid};

/// How long the call may take according to its caller; `None` if the caller sets no limit.
///
/// # Errors
/// The header does not have the format of the specification.
pub(super) fn from_headers(headers: &HeaderMap) -> Result<Option<Duration>, Failure> {
    let Some(value) = headers.get("grpc-timeout") else {
        return Ok(None);
    };
    match value.to_str().ok().and_then(parse) {
        Some(time) => Ok(Some(time)),
        None => Err(Invalid::one("grpc-timeout", "must be 1 to 8 digits and one of H M S m u n").into()),
    }
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(n * 3600)),
        "M" => Some(Duration::from_secs(n * 60)),
        "S" => Some(Duration::from_secs(n)),
        "m" => Some(Duration::from_millis(n)),
        "u" => Some(Duration::from_micros(n)),
        "n" => Some(Duration::from_nanos(n)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_parsed_and_everything_else_is_invalid() {
        assert_eq!(parse("100m"), Some(Duration::from_millis(100)));
        assert_eq!(parse("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(parse("7n"), Some(Duration::from_nanos(7)));
        for bad in ["", "m", "1", "1x", "123456789S", "-1S", "1 S", "+1S", "ü"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
