//! Value parsers for clap (`#[arg(value_parser = values::duration)]`), whose errors say what was expected.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// `127.0.0.1:50051`, `[::1]:50051`, or `localhost:50051` for the first of them.
///
/// # Errors
/// Anything else; names other than `localhost` are not looked up.
pub fn socket_addr(text: &str) -> Result<SocketAddr, String> {
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    if let Some(port) = local {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse()
        .map_err(|error| format!("{error} (expected HOST:PORT, e.g. 127.0.0.1:50051)"))
}

/// `500ms`, `30s`, `5m`, `1h`, `7d` or several in a row (`1h30m`).
///
/// # Errors
/// A number without a unit, another unit, or more than 2^64 milliseconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "(expected e.g. 500ms, 30s, 5m, 1h or 7d)";
    if text.parse::<u64>().is_ok() {
        return Err(format!("missing unit {EXPECTED}"));
    }
    let (mut total, mut rest) = (0u64, text);
    while !rest.is_empty() {
        let (number, unit, behind) =
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
        rest = behind;
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
/// Another unit, or more than this machine can address.
pub fn bytes(text: &str) -> Result<usize, String> {
    let invalid = || "invalid size (expected bytes, e.g. 65536, 64KiB or 1MiB)".to_owned();
    let (number, unit, behind) = number_and_unit(text).ok_or_else(invalid)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(invalid()),
    };
    if !behind.is_empty() {
        return Err(invalid());
    }
    let size = number
        .checked_mul(factor)
        .and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| "size too large".to_owned())
}

/// `1h30m` → 1, `h`, `30m`.
fn number_and_unit(text: &str) -> Option<(u64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, behind) = rest.split_at(letters);
    Some((number.parse().ok()?, unit, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
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
    fn sizes_are_bytes_or_powers_of_1024() {
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
    fn socket_addresses_are_numeric_or_localhost() {
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
