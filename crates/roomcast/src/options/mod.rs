//! The groups of options that several commands share, and the checks that they have in common.

pub(crate) mod grpc;
pub(crate) mod http;
pub(crate) mod link;
pub(crate) mod process;
pub(crate) mod store;
pub(crate) mod users;

use std::{
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use roomcast_runtime::config::{ConfigError, values};

/// Requires a loopback address, unless `--insecure` is given. `reason` states why.
///
/// # Errors
/// Other machines can reach the address.
pub(crate) fn require_loopback(
    flag: &str,
    addr: SocketAddr,
    insecure: bool,
    reason: &str,
) -> Result<(), ConfigError> {
    if insecure || addr.ip().is_loopback() {
        return Ok(());
    }
    Err(ConfigError::new(
        flag,
        addr,
        format!("{reason}; use a loopback address or --insecure"),
    ))
}

/// Reads the file at `path`, the value of the option `flag`.
fn read_file(flag: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|error| ConfigError::new(flag, path.display(), error))
}

/// Reads a PEM file that must contain a block whose label ends with `label`. `path` is the value of the option `flag`.
fn read_pem(flag: &str, path: Option<&PathBuf>, label: &str) -> Result<Option<Vec<u8>>, ConfigError> {
    let Some(path) = path else { return Ok(None) };
    let bytes = read_file(flag, path)?;
    let end = format!("{label}-----");
    let contains_label = String::from_utf8_lossy(&bytes)
        .lines()
        .any(|line| line.starts_with("-----BEGIN ") && line.trim_end().ends_with(&end));
    match contains_label {
        true => Ok(Some(bytes)),
        false => {
            let reason = format!("not a PEM file with a block `{label}`");
            Err(ConfigError::new(flag, path.display(), reason))
        }
    }
}

/// Parses a size in bytes that must be in `range`.
fn size(text: &str, range: &RangeInclusive<usize>) -> Result<usize, String> {
    let size = values::bytes(text)?;
    if range.contains(&size) {
        return Ok(size);
    }
    let (min, max) = (range.start(), range.end());
    Err(format!("must be from {min} to {max} bytes"))
}

/// Parses a duration that must be greater than zero.
fn positive_duration(text: &str) -> Result<Duration, String> {
    match values::duration(text)? {
        Duration::ZERO => Err("must be greater than zero".to_owned()),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_non_loopback_address_requires_insecure() {
        let check = |addr: &str, insecure| require_loopback("--a", addr.parse().unwrap(), insecure, "open");
        for addr in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1"] {
            assert_eq!(check(addr, false), Ok(()), "{addr}");
        }
        for addr in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1"] {
            let line = format!("--a \"{addr}\": open; use a loopback address or --insecure");
            assert_eq!(check(addr, false).unwrap_err().to_string(), line);
            assert_eq!(check(addr, true), Ok(()), "{addr}");
        }
    }

    #[test]
    fn a_size_must_be_in_its_range() {
        assert_eq!(size("64KiB", &(1024..=65_536)), Ok(65_536));
        let reason = Err("must be from 1024 to 65536 bytes".to_owned());
        assert_eq!(size("65537", &(1024..=65_536)), reason);
        assert_eq!(size("0", &(1024..=65_536)), reason);
    }
}
