//! Takes a WebSocket upgrade (RFC 6455, section 4.2) out of HTTP's hands, so that the crate gets a stream of ours.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderValue, Request, Response, StatusCode, header, request::Parts};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use socketioxide::service::SocketIoService;
use tokio::net::TcpStream;
use tower::Service;
use tracing::debug;
use tungstenite::handshake::derive_accept_key;

use crate::{answer::answer, config::Limits, polling::query, stream::SocketStream, transport::Transports};

/// Whether a request asks for the WebSocket transport.
pub(crate) fn is_wanted(request: &Parts) -> bool {
    query(&request.uri, "transport") == Some("websocket")
}

/// Answers the upgrade and hands the stream to the crate once HTTP lets go of it.
pub(crate) fn accept<S: Clone + Send + 'static>(
    mut request: Parts,
    transports: &Transports,
    limits: Limits,
    mut service: SocketIoService<S>,
) -> Response<Body> {
    let key = match check(&request) {
        Ok(key) => key,
        Err(text) => return bad_request(text),
    };
    let Some(upgrade) = request.extensions.remove::<OnUpgrade>() else {
        return bad_request("this connection can't be upgraded");
    };
    // A transport that began with polling keeps its identity.
    let sid = query(&request.uri, "sid");
    let transport = match sid.map(|sid| transports.find(sid)) {
        None => transports.open(),
        Some(Some(transport)) if !transport.killed().is_cancelled() && transport.try_upgrade() => transport,
        Some(_) => return bad_request("Session ID unknown"),
    };
    let probing = sid.is_some();
    // The crate keeps the request for the connection's life: only what is looked at later goes on.
    let mut kept = Request::new(());
    *kept.uri_mut() = request.uri;
    if let Some(token) = request.headers.remove(header::AUTHORIZATION) {
        kept.headers_mut().insert(header::AUTHORIZATION, token);
    }
    kept.extensions_mut().insert(transport.clone());
    tokio::spawn(async move {
        match upgrade.await.map(Upgraded::downcast::<TokioIo<TcpStream>>) {
            Ok(Ok(parts)) => {
                let (tcp, ahead) = (parts.io.into_inner(), parts.read_buf);
                let transport = Arc::clone(&transport);
                let stream = SocketStream::new(tcp, ahead, transport, limits.write_stall, probing);
                if let Err(error) = Service::call(&mut service, (stream, kept)).await {
                    debug!(%error, "refused a WebSocket");
                }
                return;
            }
            Ok(Err(_)) => debug!("an upgraded stream of another kind"),
            Err(error) => debug!(%error, "an upgrade that was not completed"),
        }
        transport.upgrade_failed();
    });
    switching(&key)
}

fn check(request: &Parts) -> Result<HeaderValue, &'static str> {
    let has = |name: header::HeaderName, wanted: &str| {
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
    if request.method != http::Method::GET
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
        .cloned()
        .ok_or("Sec-WebSocket-Key is missing")
}

fn switching(key: &HeaderValue) -> Response<Body> {
    let mut response = answer(StatusCode::SWITCHING_PROTOCOLS, Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    // Base64 is always a header's value.
    if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

fn bad_request(text: &'static str) -> Response<Body> {
    answer(
        StatusCode::BAD_REQUEST,
        format!(r#"{{"code":3,"message":"{text}"}}"#),
    )
}
