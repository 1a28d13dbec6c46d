//! Groups of options that several commands share, and the checks that need more than one of them.

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

/// Refuses an address that other machines can reach, unless that was asked for.
pub(crate) fn only_loopback(
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
        format!("{reason}; use a loopback address, or --insecure"),
    ))
}

/// Reads a file that an option names.
pub(crate) fn read(flag: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|error| ConfigError::new(flag, path.display(), error))
}

/// Reads a PEM file, where an option names one, that holds a block whose label ends like this.
fn read_pem(flag: &str, path: Option<&PathBuf>, label: &str) -> Result<Option<Vec<u8>>, ConfigError> {
    let Some(path) = path else { return Ok(None) };
    let bytes = read(flag, path)?;
    let end = format!("{label}-----");
    let holds_one = String::from_utf8_lossy(&bytes)
        .lines()
        .any(|line| line.starts_with("-----BEGIN ") && line.trim_end().ends_with(&end));
    match holds_one {
        true => Ok(Some(bytes)),
        false => {
            let reason = format!("not a PEM file that holds a `{label}`");
            Err(ConfigError::new(flag, path.display(), reason))
        }
    }
}

/// A size within bounds, in bytes.
fn size(text: &str, bounds: &RangeInclusive<usize>) -> Result<usize, String> {
    let size = values::bytes(text)?;
    if bounds.contains(&size) {
        return Ok(size);
    }
    let (least, most) = (bounds.start(), bounds.end());
    Err(format!("must be from {least} to {most} bytes"))
}

/// A duration that is not nothing.
fn some_time(text: &str) -> Result<Duration, String> {
    match values::duration(text)? {
        Duration::ZERO => Err("must be longer than nothing".to_owned()),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_loopback_or_asked_for() {
        let check = |addr: &str, insecure| only_loopback("--a", addr.parse().unwrap(), insecure, "open");
        for addr in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1"] {
            assert_eq!(check(addr, false), Ok(()), "{addr}");
        }
        for addr in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1"] {
            let line = format!("--a \"{addr}\": open; use a loopback address, or --insecure");
            assert_eq!(check(addr, false).unwrap_err().to_string(), line);
            assert_eq!(check(addr, true), Ok(()), "{addr}");
        }
    }

    #[test]
    fn a_size_is_within_its_bounds() {
        assert_eq!(size("64KiB", &(1024..=65_536)), Ok(65_536));
        let reason = Err("must be from 1024 to 65536 bytes".to_owned());
        assert_eq!(size("65537", &(1024..=65_536)), reason);
        assert_eq!(size("0", &(1024..=65_536)), reason);
    }
}
