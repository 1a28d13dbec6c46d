//! Passes polling requests to socketioxide. A request finds its transport by the Engine.IO id. A request for a killed
//! transport gets the same response as a request for an unknown one. The events in the responses of polls are counted.

use std::{convert::Infallible, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, response::Parts};
use http_body_util::{BodyExt, Limited};
use roomcast_runtime::lifecycle::Spawner;
use tokio::sync::oneshot;
use tower::{Service, ServiceExt};

use super::{query, response::response};
use crate::{
    packet::{MAX_PACKET_BYTES, RECORD_SEPARATOR, SOCKET_IO_PATH, connect, event_name},
    transport::{InitialTransport, Transport, Transports},
};

/// Serves one request of the polling transport.
pub(super) async fn serve<S, B>(
    mut request: Request<Body>,
    transports: &Transports,
    socket_io: S,
    tasks: &Spawner,
) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let Some(sid) = query::value(request.uri(), "sid").map(str::to_owned) else {
        let transport = transports.open(InitialTransport::Polling);
        request.extensions_mut().insert(transport.clone());
        let (parts, body) = collect(socket_io.oneshot(request)).await;
        if let Some(sid) = opened_sid(&body) {
            transport.set_sid(sid);
        }
        return with_body(parts, body);
    };
    let Some(transport) = transports.find_by_sid(&sid) else {
        // socketioxide's response for an unknown session is the one that clients expect.
        let (parts, body) = collect(socket_io.oneshot(request)).await;
        return with_body(parts, body);
    };
    if request.method() == Method::POST {
        request = match with_plain_names(request).await {
            Ok(request) => request,
            Err(response) => return response,
        };
    }
    // The request has its own task, which continues when the browser closes the connection and this future is dropped.
    // The task then notifies socketioxide.
    let (_connected, closed) = oneshot::channel::<()>();
    let (sender, served) = oneshot::channel();
    tasks.spawn("polling request", async move {
        let response = serve_transport(request, sid, transport, socket_io, closed).await;
        let _ = sender.send(response); // The browser may have closed the connection.
    });
    served.await.unwrap_or_else(|_| unknown_session()) // The task has panicked.
}

/// Serves a request of an open transport. A poll that the browser aborts ends the transport: stock clients open a new one
/// after that.
async fn serve_transport<S, B>(
    request: Request<Body>,
    sid: String,
    transport: Arc<Transport>,
    socket_io: S,
    closed: oneshot::Receiver<()>,
) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
    B: http_body::Body<Data = Bytes>,
{
    let is_poll = request.method() == Method::GET;
    let response = tokio::select! {
        biased;
        () = transport.killed() => None,
        response = collect(socket_io.clone().oneshot(request)) => Some(response),
        _ = closed, if is_poll => None,
    };
    if let Some((parts, mut body)) = response {
        if is_poll {
            transport.add_sent(count_events(&body));
            if let Some(changed) = transport.insert_pid(|pid| connect::payload_with_pid(&body, pid)) {
                body = changed;
            }
        }
        return with_body(parts, body);
    }
    transport.kill();
    close(&sid, socket_io).await;
    unknown_session()
}

/// Ends an Engine.IO session in socketioxide, by the packet with which a browser ends it.
async fn close<S, B>(sid: &str, socket_io: S)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body<Data = Bytes>,
{
    let uri = format!("{SOCKET_IO_PATH}?EIO=4&transport=polling&sid={sid}");
    if let Ok(request) = Request::post(uri).body(Body::from("1")) {
        collect(socket_io.oneshot(request)).await;
    }
}

/// Replaces escapes in the event names of a POST's payload; see [`event_name`].
async fn with_plain_names(request: Request<Body>) -> Result<Request<Body>, Response<Body>> {
    let (parts, body) = request.into_parts();
    let payload = Limited::new(body, MAX_PACKET_BYTES).collect().await;
    let payload = payload.map_err(|_| {
        let text = format!("a payload may have {} KiB at most", MAX_PACKET_BYTES / 1024);
        response(StatusCode::PAYLOAD_TOO_LARGE, text)
    })?;
    let mut payload = payload.to_bytes().to_vec();
    event_name::replace_escapes(&mut payload);
    Ok(Request::from_parts(parts, Body::from(payload)))
}

/// The Engine.IO id in the response that opens a session: `0{"sid":"…",…}`.
fn opened_sid(body: &[u8]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(body.strip_prefix(b"0")?).ok()?;
    json.get("sid")?.as_str().map(str::to_owned)
}

/// The number of events and acknowledgements in a payload.
fn count_events(body: &[u8]) -> u64 {
    let packets = body.split(|byte| *byte == RECORD_SEPARATOR);
    packets
        .filter(|packet| packet.starts_with(b"42") || packet.starts_with(b"43"))
        .count() as u64
}

async fn collect<B>(response: impl Future<Output = Result<Response<B>, Infallible>>) -> (Parts, Bytes)
where
    B: http_body::Body<Data = Bytes>,
{
    let (parts, body) = match response.await {
        Ok(response) => response.into_parts(),
        Err(never) => match never {},
    };
    // socketioxide's bodies are in memory, so that collecting them cannot fail.
    let body = body.collect().await.map(|body| body.to_bytes());
    (parts, body.unwrap_or_default())
}

fn with_body(mut parts: Parts, body: Bytes) -> Response<Body> {
    // The body's length may have changed; hyper sets it.
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Response::from_parts(parts, Body::from(body))
}

/// socketioxide's response for an unknown session.
fn unknown_session() -> Response<Body> {
    response(
        StatusCode::BAD_REQUEST,
        r#"{"code":"1","message":"Session ID unknown"}"#,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_payload_are_counted() {
        assert_eq!(count_events(b"2\x1e42[\"a\"]\x1e430[]\x1e40{}"), 2);
        assert_eq!(count_events(b""), 0);
    }
}
