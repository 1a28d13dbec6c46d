//! Groups of options that several commands share, and the checks that need more than one of them.

pub(crate) mod grpc;
pub(crate) mod http;
pub(crate) mod link;
pub(crate) mod process;
pub(crate) mod store;
pub(crate) mod users;

use std::{net::SocketAddr, path::Path};

use roomcast_runtime::config::ConfigError;

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
