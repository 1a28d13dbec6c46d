//! Opening listeners, with errors that name the option which asked for them.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::config::ConfigError;

/// Listens on `addr`, the value of the option `flag` (such as `--grpc-addr`). Port 0 takes a free port.
///
/// # Errors
/// The address is in use, is not this machine's, or may not be bound.
pub async fn bind(flag: &str, addr: SocketAddr) -> Result<TcpListener, ConfigError> {
    TcpListener::bind(addr)
        .await
        .map_err(|error| ConfigError::new(flag, addr, bind_reason(&error)))
}

fn bind_reason(error: &Error) -> String {
    let known = [
        (ErrorKind::AddrInUse, "address already in use"),
        (ErrorKind::AddrNotAvailable, "not an address of this machine"),
        (
            ErrorKind::PermissionDenied,
            "permission denied (ports below 1024 need a privilege)",
        ),
    ];
    match known.iter().find(|(kind, _)| *kind == error.kind()) {
        Some((_, reason)) => (*reason).to_owned(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_in_use_is_refused_by_the_name_of_its_option() {
        let first = bind("--admin-addr", "127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let taken = first.local_addr().unwrap();
        let error = bind("--admin-addr", taken).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("--admin-addr \"{taken}\": address already in use")
        );
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_refused() {
        let error = bind("--http-addr", "192.0.2.1:0".parse().unwrap())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "--http-addr \"192.0.2.1:0\": not an address of this machine"
        );
    }
}
