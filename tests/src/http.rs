//! Plain HTTP.

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

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    head: String,
    /// Its body, as text.
    pub body: String,
}

impl Answer {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// Sends a request, such as `GET /livez`, with these headers beside those of its length and end; `None` where nobody
/// answers.
pub async fn ask(addr: SocketAddr, request: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
    let mut tcp = TcpStream::connect(addr).await.ok()?;
    let fields: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = body.len();
    let text =
        format!("{request} HTTP/1.1\r\n{fields}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    tcp.write_all(text.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// The status and the body; `None` where nobody answers.
pub async fn get(addr: SocketAddr, path: &str) -> Option<(u16, String)> {
    let host = addr.to_string();
    let answer = ask(addr, &format!("GET {path}"), &[("Host", &host)], "").await?;
    Some((answer.status, answer.body))
}
