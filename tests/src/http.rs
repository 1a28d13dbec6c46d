//! Plain HTTP/1.1 requests.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Process, within};

/// The value of a metric without labels, from a process's `/metrics`.
///
/// # Panics
/// If there is no such metric.
pub async fn metric(process: &Process, name: &str) -> f64 {
    let metrics = within("metrics", get(process.addr("admin"), "/metrics")).await;
    let (_, text) = metrics.expect("metrics");
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("no {name} in {text}"));
    value.parse().expect("a number")
}

/// An HTTP response.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    head: String,
    /// The body, as text.
    pub body: String,
}

impl Response {
    /// The value of a header, by its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// Sends a request line without its version, such as `GET /livez`, with these headers and `Content-Length`; `None` if
/// there is no response.
pub async fn send_request(
    addr: SocketAddr,
    request: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Response> {
    let mut tcp = TcpStream::connect(addr).await.ok()?;
    let fields: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = body.len();
    let text =
        format!("{request} HTTP/1.1\r\n{fields}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    tcp.write_all(text.as_bytes()).await.ok()?;
    let mut response = Vec::new();
    tcp.read_to_end(&mut response).await.ok()?;
    let response = String::from_utf8_lossy(&response);
    let (head, body) = response.split_once("\r\n\r\n")?;
    Some(Response {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// The status and the body; `None` if there is no response.
pub async fn get(addr: SocketAddr, path: &str) -> Option<(u16, String)> {
    let host = addr.to_string();
    let response = send_request(addr, &format!("GET {path}"), &[("Host", &host)], "").await?;
    Some((response.status, response.body))
}
