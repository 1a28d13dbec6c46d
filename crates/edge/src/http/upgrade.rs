//! Takes a WebSocket upgrade (RFC 6455, section 4.2) out of HTTP's hands, so that the crate gets a stream of ours.
//!
//! Most connections begin with nothing but such a request, whole in the first segment. It is looked at before HTTP has
//! read it, and if there is nothing to say against it, taken at once: the answer then leaves in one write with what
//! the crate says first. Everything else is HTTP's, which knows upgrades too.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, request::Parts,
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use socketioxide::service::SocketIoService;
use tokio::{net::TcpStream, time::timeout};
use tower::Service;
use tracing::debug;
use tungstenite::handshake::derive_accept_key;

use super::{polling::query, response::answer};
use crate::transport::{Origin, Transport, Transports, stream::SocketStream};

/// The longest head of a request that is looked at, in bytes.
const HEAD_BYTES: usize = 4 * 1024;
/// The most headers that such a request has.
const HEADERS: usize = 48;

/// Whether a request asks for the WebSocket transport.
pub(crate) fn is_wanted(request: &Parts) -> bool {
    query(&request.uri, "transport") == Some("websocket")
}

/// An upgrade that can be taken.
pub(crate) struct Upgrade {
    accept: HeaderValue,
    transport: Arc<Transport>,
    kept: Request<()>,
    /// A transport that began with polling keeps its identity.
    probing: bool,
}

impl Upgrade {
    /// The upgrade that a request asks for, or what is wrong with it.
    pub(crate) fn of(request: &Parts, transports: &Transports) -> Result<Self, &'static str> {
        let key = check(request)?;
        let sid = query(&request.uri, "sid");
        let transport = match sid.map(|sid| transports.find(sid)) {
            None => transports.open(Origin::WebSocket),
            Some(Some(transport)) if !transport.is_killed() && transport.try_upgrade() => transport,
            Some(_) => return Err("Session ID unknown"),
        };
        let accept = derive_accept_key(key.as_bytes());
        Ok(Self {
            accept: HeaderValue::try_from(accept).map_err(|_| "Sec-WebSocket-Key is malformed")?,
            kept: kept(request, &transport),
            transport,
            probing: sid.is_some(),
        })
    }

    /// Answers by way of HTTP, and hands the stream to the crate once HTTP lets go of it.
    pub(crate) fn by_http<S: Clone + Send + 'static>(
        self,
        upgrade: OnUpgrade,
        service: SocketIoService<S>,
    ) -> Response<Body> {
        let mut response = answer(StatusCode::SWITCHING_PROTOCOLS, Body::empty());
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        tokio::spawn(async move {
            match upgrade.await.map(Upgraded::downcast::<TokioIo<TcpStream>>) {
                Ok(Ok(parts)) => {
                    let ahead = Bytes::copy_from_slice(&parts.read_buf);
                    return self
                        .hand_over(parts.io.into_inner(), ahead, Bytes::new(), service)
                        .await;
                }
                Ok(Err(_)) => debug!("an upgraded stream of another kind"),
                Err(error) => debug!(%error, "an upgrade that was not completed"),
            }
            self.transport.upgrade_failed();
        });
        response
    }

    /// Answers by itself, on a stream from which the request was read.
    pub(crate) async fn at_once<S: Clone + Send + 'static>(
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

    /// The connection has ended.
    pub(crate) fn fail(self) {
        self.transport.upgrade_failed();
    }

    async fn hand_over<S: Clone + Send + 'static>(
        self,
        tcp: TcpStream,
        ahead: Bytes,
        greeting: Bytes,
        mut service: SocketIoService<S>,
    ) {
        let transport = self.transport;
        let stream = SocketStream::new(tcp, ahead, greeting, transport.clone(), self.probing);
        if let Err(error) = Service::call(&mut service, (stream, self.kept)).await {
            debug!(%error, "refused a WebSocket");
        }
        // The crate may have nothing to say before the browser has.
        transport.list();
    }
}

/// Looks at what a connection begins with, without reading it: the head of its request, and its length, where that is
/// there as a whole within the time.
pub(crate) async fn peek(tcp: &TcpStream, time: Duration) -> Option<(Parts, usize)> {
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

/// What the crate keeps of a request for the connection's life: only what is looked at later, in memory of its own. The
/// original would keep the buffer that it was read into.
fn kept(request: &Parts, transport: &Transport) -> Request<()> {
    let mut kept = Request::new(());
    *kept.uri_mut() = transport.signed(&request.uri);
    if let Some(token) = request.headers.get(header::AUTHORIZATION)
        && let Ok(token) = HeaderValue::from_bytes(token.as_bytes())
    {
        kept.headers_mut().insert(header::AUTHORIZATION, token);
    }
    kept
}

fn check(request: &Parts) -> Result<&HeaderValue, &'static str> {
    let has = |name: HeaderName, wanted: &str| {
        let values = request.headers.get_all(name);
        values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| {
                value
                    .split(',')
                    .any(|token| token.trim().eq_ignore_ascii_case(wanted))
            })
    };
    if query(&request.uri, "EIO") != Some("4") {
        return Err("EIO=4 is needed: a client of Socket.IO v3 or newer");
    }
    if request.method != Method::GET
        || !has(header::UPGRADE, "websocket")
        || !has(header::CONNECTION, "upgrade")
    {
        return Err("a WebSocket upgrade is needed");
    }
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err("WebSocket version 13 is needed");
    }
    request
        .headers
        .get(header::SEC_WEBSOCKET_KEY)
        .ok_or("Sec-WebSocket-Key is missing")
}

/// The answer to an upgrade with which something is wrong.
pub(crate) fn bad_request(text: &'static str) -> Response<Body> {
    answer(
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
    fn a_whole_head_is_a_request_and_what_follows_is_not_its() {
        let (request, length) = parse(format!("{HEAD}more").as_bytes()).unwrap();
        assert_eq!(length, HEAD.len());
        assert!(is_wanted(&request));
        assert_eq!(check(&request).unwrap(), "dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn what_is_no_whole_head_is_left_to_http() {
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
    fn what_is_no_upgrade_is_told_why() {
        for (from, to, told) in [
            ("EIO=4", "EIO=3", "EIO=4 is needed"),
            ("GET", "POST", "a WebSocket upgrade"),
            ("Version: 13", "Version: 8", "version 13"),
            ("-Key", "-Kei", "Sec-WebSocket-Key"),
        ] {
            let (request, _) = parse(HEAD.replace(from, to).as_bytes()).unwrap();
            assert!(check(&request).unwrap_err().contains(told));
        }
    }
}
