//! A plain HTTP GET.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Process, within};

/// A figure of a process, as `/metrics` has it.
///
/// # Panics
/// Where there is none.
pub async fn metric(process: &Process, name: &str) -> f64 {
    let metrics = within("metrics", get(process.addr("admin"), "/metrics")).await;
    let (_, text) = metrics.expect("metrics");
    let figure = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let figure = figure.unwrap_or_else(|| panic!("no {name} in {text}"));
    figure.parse().expect("a number")
}

/// The status and the body; `None` where nobody answers.
pub async fn get(addr: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut tcp = TcpStream::connect(addr).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
