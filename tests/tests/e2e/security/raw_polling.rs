//! A polling transport without a stock client, for bytes that no client sends.

use std::net::SocketAddr;

use roomcast_tests::{get, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An open Engine.IO polling transport.
pub(super) struct RawPolling {
    http: SocketAddr,
    path: String,
}

impl RawPolling {
    /// Opens a transport and sends CONNECT with a token.
    pub(super) async fn connect(http: SocketAddr, token: &str) -> Self {
        let (status, opened) = get(http, "/socket.io/?EIO=4&transport=polling").await.unwrap();
        assert_eq!(status, 200);
        let (_, after) = opened.split_once("\"sid\":\"").unwrap();
        let (sid, _) = after.split_once('"').unwrap();
        let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
        let transport = Self { http, path };
        let connect = format!("40{{\"token\":\"{token}\"}}");
        assert_eq!(transport.post(connect.as_bytes()).await, Some(200));
        transport
    }

    /// Posts a body; returns the status, or `None` if the connection was closed without a response.
    pub(super) async fn post(&self, body: &[u8]) -> Option<u16> {
        let mut tcp = TcpStream::connect(self.http).await.unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: text/plain\r\n\
             Content-Length: {}\r\n\r\n",
            self.path,
            self.http,
            body.len()
        );
        let request = [head.as_bytes(), body].concat();
        let response = send_and_read_to_end(&mut tcp, "a response", &request).await;
        String::from_utf8_lossy(&response).split(' ').nth(1)?.parse().ok()
    }

    /// Polls; returns the status and the packets, or `None` if there is no response.
    pub(super) async fn poll(&self) -> Option<(u16, String)> {
        within("a poll", get(self.http, &self.path)).await
    }
}

/// Sends bytes, and reads until the other side closes the connection.
pub(super) async fn send_and_read_to_end(tcp: &mut TcpStream, case: &str, bytes: &[u8]) -> Vec<u8> {
    let _ = tcp.write_all(bytes).await; // the server may close the connection before it has read everything
    let mut response = Vec::new();
    let _ = within(case, tcp.read_to_end(&mut response)).await; // a reset closes the connection, too
    response
}
