//! Value parsers for clap (`#[arg(value_parser = values::duration)]`), whose errors describe the expected value.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// A socket address: `127.0.0.1:50051`, `[::1]:50051`, or `localhost:50051`, which means the first of these.
///
/// # Errors
/// Any other text; host names other than `localhost` are not resolved.
pub fn socket_addr(text: &str) -> Result<SocketAddr, String> {
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    if let Some(port) = local {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse()
        .map_err(|error| format!("{error} (expected HOST:PORT, e.g. 127.0.0.1:50051)"))
}

/// A duration: `500ms`, `30s`, `5m`, `1h`, `7d`, or a sequence of them (`1h30m`).
///
/// # Errors
/// A number without a unit, an unknown unit, or 2^64 milliseconds or more.
pub fn duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "(expected e.g. 500ms, 30s, 5m, 1h or 7d)";
    if text.parse::<u64>().is_ok() {
        return Err(format!("missing unit {EXPECTED}"));
    }
    let (mut total, mut rest) = (0u64, text);
    while !rest.is_empty() {
        let (number, unit, remainder) =
            number_and_unit(rest).ok_or_else(|| format!("invalid duration {EXPECTED}"))?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(format!("invalid duration {EXPECTED}")),
        };
        let part = number
            .checked_mul(millis)
            .and_then(|part| total.checked_add(part));
        total = part.ok_or("duration too large")?;
        rest = remainder;
    }
    if text.is_empty() {
        Err(format!("invalid duration {EXPECTED}"))
    } else {
        Ok(Duration::from_millis(total))
    }
}

/// A size in bytes: `65536`, `65536B`, `64KiB`, `1MiB`, `2GiB`.
///
/// # Errors
/// An unknown unit, or a size that does not fit into a `usize`.
pub fn bytes(text: &str) -> Result<usize, String> {
    let invalid = || "invalid size (expected bytes, e.g. 65536, 64KiB or 1MiB)".to_owned();
    let (number, unit, remainder) = number_and_unit(text).ok_or_else(invalid)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(invalid()),
    };
    if !remainder.is_empty() {
        return Err(invalid());
    }
    let size = number
        .checked_mul(factor)
        .and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| "size too large".to_owned())
}

/// Splits `1h30m` into 1, `h` and `30m`.
fn number_and_unit(text: &str) -> Option<(u64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, remainder) = rest.split_at(letters);
    Some((number.parse().ok()?, unit, remainder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_units() {
        let cases = [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("7d", 604_800_000),
        ];
        for (text, millis) in cases {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(
            duration("30").unwrap_err(),
            "missing unit (expected e.g. 500ms, 30s, 5m, 1h or 7d)"
        );
        for text in [
            "",
            "s",
            "1x",
            "-1s",
            "1.5h",
            "1 h",
            "1h ",
            "é",
            "1hour",
            "99999999999999999999s",
        ] {
            assert_eq!(
                duration(text).unwrap_err(),
                "invalid duration (expected e.g. 500ms, 30s, 5m, 1h or 7d)",
                "{text}"
            );
        }
        assert_eq!(
            duration("18446744073709551615s").unwrap_err(),
            "duration too large"
        );
    }

    #[test]
    fn a_size_is_in_bytes_or_in_powers_of_1024() {
        for (text, size) in [
            ("0", 0),
            ("65536", 65_536),
            ("10B", 10),
            ("64KiB", 65_536),
            ("1MiB", 1_048_576),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for text in ["", "KiB", "64KB", "64kib", "1 MiB", "-1", "1.5MiB", "1KiB1", "é"] {
            let expected = "invalid size (expected bytes, e.g. 65536, 64KiB or 1MiB)";
            assert_eq!(bytes(text).unwrap_err(), expected, "{text}");
        }
        assert_eq!(bytes("18446744073709551615GiB").unwrap_err(), "size too large");
    }

    #[test]
    fn a_socket_address_is_numeric_or_localhost() {
        assert_eq!(socket_addr("localhost:80"), Ok("127.0.0.1:80".parse().unwrap()));
        assert_eq!(socket_addr("[::1]:80"), Ok("[::1]:80".parse().unwrap()));
        for text in [
            "",
            "foo",
            "127.0.0.1",
            "localhost:",
            "localhost:99999",
            "example.org:80",
        ] {
            let expected = "invalid socket address syntax (expected HOST:PORT, e.g. 127.0.0.1:50051)";
            assert_eq!(socket_addr(text).unwrap_err(), expected, "{text}");
        }
    }
}
