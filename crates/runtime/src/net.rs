//! Opens listeners, with errors that name the option with the address.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::config::ConfigError;

/// Listens on `addr`, the value of the option `flag` (such as `--grpc-addr`). Port 0 means any free port.
///
/// # Errors
/// The address is in use, does not belong to this machine, or needs a privilege.
pub async fn bind(flag: &str, addr: SocketAddr) -> Result<TcpListener, ConfigError> {
    TcpListener::bind(addr)
        .await
        .map_err(|error| ConfigError::new(flag, addr, bind_reason(&error)))
}

fn bind_reason(error: &Error) -> String {
    let reasons = [
        (ErrorKind::AddrInUse, "address already in use"),
        (ErrorKind::AddrNotAvailable, "not an address of this machine"),
        (
            ErrorKind::PermissionDenied,
            "permission denied (ports below 1024 need a privilege)",
        ),
    ];
    match reasons.iter().find(|(kind, _)| *kind == error.kind()) {
        Some((_, reason)) => (*reason).to_owned(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_in_use_is_an_error_that_names_its_option() {
        let first = bind("--admin-addr", "127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let in_use = first.local_addr().unwrap();
        let error = bind("--admin-addr", in_use).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("--admin-addr \"{in_use}\": address already in use")
        );
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_an_error() {
        let error = bind("--http-addr", "192.0.2.1:0".parse().unwrap())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "--http-addr \"192.0.2.1:0\": not an address of this machine"
        );
    }
}
