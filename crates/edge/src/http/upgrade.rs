//! WebSocket upgrades (RFC 6455, section 4.2), after which socketioxide gets a [`SocketStream`].
//!
//! Most connections begin with such a request, which is complete in the first TCP segment. It is parsed before hyper reads
//! it. If it is valid, the edge responds itself, and writes the response together with socketioxide's first packet. hyper
//! handles all other requests, and can upgrade a connection, too.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, request::Parts,
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use roomcast_runtime::lifecycle::Spawner;
use socketioxide::service::SocketIoService;
use tokio::{net::TcpStream, time::timeout};
use tower::Service;
use tracing::debug;
use tungstenite::handshake::derive_accept_key;

use super::{query, response::response};
use crate::transport::{InitialTransport, SocketStream, Transport, Transports};

/// The longest head of a request that is parsed before hyper, in bytes.
const HEAD_BYTES: usize = 4 * 1024;
/// The most headers of such a request.
const HEADERS: usize = 48;

/// Whether a request is for the WebSocket transport.
pub(super) fn is_requested(request: &Parts) -> bool {
    query::value(&request.uri, "transport") == Some("websocket")
}

/// A valid upgrade.
pub(super) struct Upgrade {
    accept: HeaderValue,
    transport: Arc<Transport>,
    /// The request for socketioxide.
    request: Request<()>,
    /// Whether the WebSocket replaces polling.
    replaces_polling: bool,
}

impl Upgrade {
    /// The upgrade that a request describes, or the reason why it is not valid.
    pub(super) fn of(request: &Parts, transports: &Transports) -> Result<Self, &'static str> {
        let key = check(request)?;
        let sid = query::value(&request.uri, "sid");
        let transport = match sid.map(|sid| transports.find_by_sid(sid)) {
            None => transports.open(InitialTransport::WebSocket),
            Some(Some(transport)) if !transport.is_killed() && transport.begin_upgrade() => transport,
            Some(_) => return Err("Session ID unknown"),
        };
        let accept = derive_accept_key(key.as_bytes());
        Ok(Self {
            accept: HeaderValue::try_from(accept).map_err(|_| "Sec-WebSocket-Key is malformed")?,
            request: minimal_request(request, &transport),
            transport,
            replaces_polling: sid.is_some(),
        })
    }

    /// Responds through hyper. Once hyper has released the stream, hands it over to socketioxide.
    pub(super) fn by_http<S: Clone + Send + 'static>(
        self,
        upgrade: OnUpgrade,
        service: SocketIoService<S>,
        tasks: &Spawner,
    ) -> Response<Body> {
        let mut response = response(StatusCode::SWITCHING_PROTOCOLS, Body::empty());
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        tasks.spawn("upgrade", async move {
            match upgrade.await.map(Upgraded::downcast::<TokioIo<TcpStream>>) {
                Ok(Ok(parts)) => {
                    let read_ahead = Bytes::copy_from_slice(&parts.read_buf);
                    return self
                        .hand_over(parts.io.into_inner(), read_ahead, Bytes::new(), service)
                        .await;
                }
                Ok(Err(_)) => debug!("an upgraded stream is not a TCP stream"),
                Err(error) => debug!(%error, "an upgrade failed"),
            }
            self.transport.fail_upgrade();
        });
        response
    }

    /// Responds without hyper, on a stream from which the request was read.
    pub(super) async fn at_once<S: Clone + Send + 'static>(
        self,
        tcp: TcpStream,
        service: SocketIoService<S>,
    ) {
        let greeting = [
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ",
            self.accept.as_bytes(),
            b"\r\n\r\n",
        ];
        let greeting = greeting.concat().into();
        self.hand_over(tcp, Bytes::new(), greeting, service).await;
    }

    /// The connection has ended before the upgrade.
    pub(super) fn fail(self) {
        self.transport.fail_upgrade();
    }

    async fn hand_over<S: Clone + Send + 'static>(
        self,
        tcp: TcpStream,
        read_ahead: Bytes,
        greeting: Bytes,
        mut service: SocketIoService<S>,
    ) {
        let transport = self.transport;
        let stream = SocketStream::new(
            tcp,
            read_ahead,
            greeting,
            transport.clone(),
            self.replaces_polling,
        );
        if let Err(error) = Service::call(&mut service, (stream, self.request)).await {
            debug!(%error, "socketioxide did not accept a WebSocket");
        }
        // Writes the greeting if socketioxide has written nothing yet.
        transport.request_flush();
    }
}

/// Parses the head of a connection's first request without reading it. Returns it with its length in bytes, if the first
/// segment arrives in time and contains the complete head.
pub(super) async fn peek(tcp: &TcpStream, time: Duration) -> Option<(Parts, usize)> {
    let mut head = vec![0; HEAD_BYTES];
    let length = timeout(time, tcp.peek(&mut head)).await.ok()?.ok()?;
    parse(&head[..length])
}

fn parse(head: &[u8]) -> Option<(Parts, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = parsed.parse(head).ok()? else {
        return None;
    };
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(parsed.method?.as_bytes()).ok()?;
    *request.uri_mut() = parsed.path?.parse::<Uri>().ok()?;
    if parsed.version? != 1 {
        return None;
    }
    *request.version_mut() = Version::HTTP_11;
    for header in parsed.headers {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        request
            .headers_mut()
            .append(name, HeaderValue::from_bytes(header.value).ok()?);
    }
    Some((request.into_parts().0, length))
}

/// Copies the parts of the request that are read later. socketioxide keeps its request for as long as the connection
/// exists, and the original request would keep hyper's read buffer in memory.
fn minimal_request(request: &Parts, transport: &Transport) -> Request<()> {
    let mut minimal = Request::new(());
    *minimal.uri_mut() = transport.tagged_uri(&request.uri);
    if let Some(token) = request.headers.get(header::AUTHORIZATION)
        && let Ok(token) = HeaderValue::from_bytes(token.as_bytes())
    {
        minimal.headers_mut().insert(header::AUTHORIZATION, token);
    }
    minimal
}

fn check(request: &Parts) -> Result<&HeaderValue, &'static str> {
    let has = |name: HeaderName, expected: &str| {
        let values = request.headers.get_all(name);
        values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| {
                value
                    .split(',')
                    .any(|token| token.trim().eq_ignore_ascii_case(expected))
            })
    };
    if query::value(&request.uri, "EIO") != Some("4") {
        return Err("EIO=4 is required: use a client of Socket.IO v3 or newer");
    }
    if request.method != Method::GET
        || !has(header::UPGRADE, "websocket")
        || !has(header::CONNECTION, "upgrade")
    {
        return Err("a WebSocket upgrade is required");
    }
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err("WebSocket version 13 is required");
    }
    request
        .headers
        .get(header::SEC_WEBSOCKET_KEY)
        .ok_or("Sec-WebSocket-Key is missing")
}

/// The response to an upgrade that is not valid.
pub(super) fn bad_request(text: &'static str) -> Response<Body> {
    response(
        StatusCode::BAD_REQUEST,
        format!(r#"{{"code":3,"message":"{text}"}}"#),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    #[test]
    fn a_complete_head_is_a_request_without_the_bytes_after_it() {
        let (request, length) = parse(format!("{HEAD}more").as_bytes()).unwrap();
        assert_eq!(length, HEAD.len());
        assert!(is_requested(&request));
        assert_eq!(check(&request).unwrap(), "dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn a_head_that_is_not_complete_is_left_to_hyper() {
        for head in [
            &HEAD[..HEAD.len() - 1],
            "",
            "\x16\x03\x01",
            "GET / HTTP/1.0\r\n\r\n",
            "GET http://[ HTTP/1.1\r\n\r\n",
        ] {
            assert!(parse(head.as_bytes()).is_none(), "{head}");
        }
    }

    #[test]
    fn a_request_that_is_not_a_valid_upgrade_gets_the_reason() {
        for (from, to, reason) in [
            ("EIO=4", "EIO=3", "EIO=4 is required"),
            ("GET", "POST", "a WebSocket upgrade"),
            ("Version: 13", "Version: 8", "version 13"),
            ("-Key", "-Kei", "Sec-WebSocket-Key"),
        ] {
            let (request, _) = parse(HEAD.replace(from, to).as_bytes()).unwrap();
            assert!(check(&request).unwrap_err().contains(reason));
        }
    }
}
