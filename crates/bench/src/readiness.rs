//! How the benchmark finds out that a process is ready.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use crate::{error::BenchResult, interrupt, sleep::sleep};

/// How long a process may take until it is ready.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait between two checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Waits until a condition is true. `subject` is named in the error of a timeout.
pub(crate) fn wait_until(subject: &str, mut is_true: impl FnMut() -> bool) -> BenchResult<()> {
    let deadline = Instant::now() + START_TIMEOUT;
    while !is_true() {
        interrupt::check()?;
        if Instant::now() > deadline {
            return Err(format!("{subject} was not ready within {} s", START_TIMEOUT.as_secs()).into());
        }
        sleep(CHECK_INTERVAL);
    }
    Ok(())
}

/// A port that no process listens on. Another process may take it before it is used.
pub(crate) fn free_port() -> BenchResult<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Whether an address accepts TCP connections.
pub(crate) fn accepts_connections(addr: SocketAddr) -> bool {
    TcpStream::connect(addr).is_ok()
}

/// Whether the response to a GET request has the status 200.
pub(crate) fn responds_with_200(addr: SocketAddr, path: &str) -> bool {
    let request = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    request().unwrap_or(false)
}
