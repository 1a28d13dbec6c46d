//! Polling requests on their way to the crate: they find their transport by its Engine.IO id, a killed one is
//! answered as an unknown one, and what a poll took is counted.

use std::{convert::Infallible, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use tokio::sync::oneshot;
use tower::{Service, ServiceExt};

use super::response::answer;
use crate::{
    packet::{connect, event_name},
    server::MAX_PACKET,
    transport::{Origin, Transport, Transports},
};

/// Separates packets in a polling payload (Engine.IO protocol 4, "HTTP long-polling").
const SEPARATOR: u8 = 0x1e;

/// Serves one request of the polling transport with the crate's service.
pub(crate) async fn serve<S, B>(
    mut request: Request<Body>,
    transports: &Transports,
    crate_service: S,
) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let Some(sid) = query(request.uri(), "sid").map(str::to_owned) else {
        let transport = transports.open(Origin::Polling);
        request.extensions_mut().insert(transport.clone());
        let (response, body) = collect(crate_service.oneshot(request)).await;
        if let Some(sid) = opened(&body) {
            transport.name(sid);
        }
        return with_body(response, body);
    };
    let Some(transport) = transports.find(&sid) else {
        // The crate says that it knows no such session, in the words that clients expect.
        let (response, body) = collect(crate_service.oneshot(request)).await;
        return with_body(response, body);
    };
    if request.method() == Method::POST {
        request = match with_plain_names(request).await {
            Ok(request) => request,
            Err(response) => return response,
        };
    }
    // A task, since this future is dropped where the browser goes away, and the crate has to learn of that.
    let (_here, gone) = oneshot::channel::<()>();
    let served = tokio::spawn(serve_known(request, sid, transport, crate_service, gone));
    served.await.unwrap_or_else(|_panicked| unknown_session())
}

/// Serves a request of a known transport. Stock clients give a transport up with a request that they abandon, and come
/// back with a new one.
async fn serve_known<S, B>(
    request: Request<Body>,
    sid: String,
    transport: Arc<Transport>,
    crate_service: S,
    gone: oneshot::Receiver<()>,
) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
    B: http_body::Body<Data = Bytes>,
{
    let is_poll = request.method() == Method::GET;
    let answer = tokio::select! {
        biased;
        () = transport.killed() => None,
        answer = collect(crate_service.clone().oneshot(request)) => Some(answer),
        _ = gone, if is_poll => None,
    };
    if let Some((response, mut body)) = answer {
        if is_poll {
            transport.took(events(&body));
            if let Some(changed) = transport.connect(|pid| connect::in_payload(&body, pid)) {
                body = changed;
            }
        }
        return with_body(response, body);
    }
    transport.kill();
    close(&sid, crate_service).await;
    unknown_session()
}

/// Makes the crate end an Engine.IO session, by the packet with which a browser ends it.
async fn close<S, B>(sid: &str, crate_service: S)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body<Data = Bytes>,
{
    let uri = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    if let Ok(request) = Request::post(uri).body(Body::from("1")) {
        collect(crate_service.oneshot(request)).await;
    }
}

/// Changes the payload of a POST as `event_names` says.
async fn with_plain_names(request: Request<Body>) -> Result<Request<Body>, Response<Body>> {
    let (parts, body) = request.into_parts();
    let payload = Limited::new(body, MAX_PACKET).collect().await;
    let payload =
        payload.map_err(|_| answer(StatusCode::PAYLOAD_TOO_LARGE, "a payload has at most 128 KiB"))?;
    let mut payload = payload.to_bytes().to_vec();
    event_name::in_payload(&mut payload);
    Ok(Request::from_parts(parts, Body::from(payload)))
}

/// The value of a query's key, as it stands.
pub(crate) fn query<'a>(uri: &'a http::Uri, key: &str) -> Option<&'a str> {
    uri.query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

/// The Engine.IO id in the answer that opens a session: `0{"sid":"…",…}`.
fn opened(body: &[u8]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(body.strip_prefix(b"0")?).ok()?;
    json.get("sid")?.as_str().map(str::to_owned)
}

/// How many events and acknowledgements a payload holds.
fn events(body: &[u8]) -> u64 {
    let packets = body.split(|byte| *byte == SEPARATOR);
    packets
        .filter(|packet| packet.starts_with(b"42") || packet.starts_with(b"43"))
        .count() as u64
}

async fn collect<B>(
    answer: impl Future<Output = Result<Response<B>, Infallible>>,
) -> (http::response::Parts, Bytes)
where
    B: http_body::Body<Data = Bytes>,
{
    let (parts, body) = match answer.await {
        Ok(response) => response.into_parts(),
        Err(never) => match never {},
    };
    // The crate's bodies are in memory, so that collecting them can't fail.
    let body = body.collect().await.map(|body| body.to_bytes());
    (parts, body.unwrap_or_default())
}

fn with_body(mut parts: http::response::Parts, body: Bytes) -> Response<Body> {
    // The body may have grown; hyper says its length.
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    Response::from_parts(parts, Body::from(body))
}

/// What the crate says of a session that it does not know.
fn unknown_session() -> Response<Body> {
    answer(
        StatusCode::BAD_REQUEST,
        r#"{"code":"1","message":"Session ID unknown"}"#,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_payload_are_counted() {
        assert_eq!(events(b"2\x1e42[\"a\"]\x1e430[]\x1e40{}"), 2);
        assert_eq!(events(b""), 0);
    }

    #[test]
    fn a_query_is_read_by_its_whole_keys() {
        let uri = "/socket.io/?EIO=4&xsid=1&sid=abc&sid=def".parse().unwrap();
        assert_eq!(query(&uri, "sid"), Some("abc"));
        assert_eq!(query(&uri, "si"), None);
    }
}
