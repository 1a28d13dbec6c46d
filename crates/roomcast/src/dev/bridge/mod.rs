//! What the playground can't do as a browser: HTTP with JSON under `/dev/`, for the own page alone.
//!
//! `GET /dev/about`, `POST /dev/token`, `POST /dev/call/{Method}`, `POST /dev/edges`. It shows no secret but tokens that
//! the published dev secret signs, and calls with the process's own service token: so it is never part of an edge, and
//! not for other machines.

mod call;
mod refusal;
mod same_origin;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Request, State, rejection::BytesRejection},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use http::{HeaderValue, Method, StatusCode, header};
use roomcast_core::UserId;
use roomcast_proto::{Failure, Invalid};
use serde::Deserialize;
use serde_json::{Value, json};
use tonic::{Code, Status};

use super::edges::Edges;
use crate::{paste::Grpcurl, token::Minting};

use refusal::Refusal;

pub(in crate::dev) use call::Caller;

/// How long a token is good where nothing else is asked for.
const TOKEN_SECONDS: u64 = 3600;
/// As long as the tokens that `dev` prints, at most.
const MOST_TOKEN_SECONDS: u64 = 24 * 3600;
const JSON: &str = "application/json";

/// What the bridge has to work with.
pub(super) struct Bridge {
    pub(super) caller: Caller,
    pub(super) edges: Edges,
    /// Mints for whoever asks: of a secret that everybody knows anyway.
    pub(super) minting: Option<Minting>,
    /// Holds no token.
    pub(super) grpcurl: Grpcurl,
    pub(super) in_redis: bool,
    /// Where it is asked.
    pub(super) listening: SocketAddr,
    /// Whether it is there although other machines can ask.
    pub(super) insecure: bool,
    /// The largest body, in bytes.
    pub(super) max_body: usize,
}

type Shared = State<Arc<Bridge>>;
type Body = Result<Bytes, BytesRejection>;

impl Bridge {
    pub(super) fn router(self) -> Router {
        let max_body = self.max_body;
        let bridge = Arc::new(self);
        Router::new()
            .route("/dev/about", get(about))
            .route("/dev/token", post(token))
            .route("/dev/call/{method}", post(call))
            .route("/dev/edges", post(edges))
            .route("/dev/{*other}", any(nothing))
            .route_layer(DefaultBodyLimit::max(max_body))
            .route_layer(middleware::from_fn_with_state(bridge.clone(), guard))
            .with_state(bridge)
    }

    fn check(&self, request: &Request) -> Result<(), Refusal> {
        let refused = |text| Err(Refusal::of(Code::PermissionDenied, text));
        if !self.listening.ip().is_loopback() && !self.insecure {
            return refused(
                "other machines can reach --http-addr: nothing here calls for them without --insecure",
            );
        }
        if let Err(foreign) = same_origin::check(request.headers(), self.listening) {
            return refused(foreign.text());
        }
        // A page can't send this to another origin without asking first, which is refused.
        if request.method() == Method::POST && !is_json(request.headers().get(header::CONTENT_TYPE)) {
            let text = format!("the content-type has to be {JSON}");
            let refusal = Refusal::of(Code::InvalidArgument, text);
            return Err(refusal.in_http(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        Ok(())
    }

    fn body(&self, body: Body) -> Result<Bytes, Refusal> {
        body.map_err(|rejection| {
            let refusal = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Failure::RequestTooLarge { limit: self.max_body }.into(),
                _ => Refusal::of(Code::InvalidArgument, rejection.body_text()),
            };
            refusal.in_http(rejection.status())
        })
    }
}

async fn guard(State(bridge): Shared, request: Request, next: Next) -> Response {
    let mut response = match bridge.check(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let text = content_type.and_then(|value| value.to_str().ok());
    let kind = text.and_then(|text| text.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(JSON))
}

async fn about(State(bridge): Shared) -> Json<Value> {
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "grpcurl": bridge.grpcurl,
        "edges": bridge.edges.urls(),
        "mints": bridge.minting.is_some(),
        "store": if bridge.in_redis { "redis" } else { "memory" },
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    user: String,
    #[serde(default = "usual")]
    ttl_seconds: u64,
}

fn usual() -> u64 {
    TOKEN_SECONDS
}

async fn token(State(bridge): Shared, body: Body) -> Result<Json<Value>, Refusal> {
    let body = bridge.body(body)?;
    let Some(minting) = &bridge.minting else {
        let text = "this process makes no tokens: give one of `roomcast token`";
        return Err(Refusal::of(Code::FailedPrecondition, text));
    };
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| Refusal::of(Code::InvalidArgument, format!("not a request: {error}")))?;
    let user: UserId = wanted.user.parse().map_err(|error| wrong("user", error))?;
    if !(1..=MOST_TOKEN_SECONDS).contains(&wanted.ttl_seconds) {
        return Err(wrong(
            "ttlSeconds",
            format!("must be from 1 to {MOST_TOKEN_SECONDS}"),
        ));
    }
    let token = minting.user(user.as_str(), Duration::from_secs(wanted.ttl_seconds));
    Ok(Json(json!({ "token": token })))
}

fn wrong(field: &str, description: impl std::fmt::Display) -> Refusal {
    Invalid::one(field, description).into()
}

async fn call(State(bridge): Shared, Path(method): Path<String>, body: Body) -> Result<Response, Refusal> {
    let body = bridge.body(body)?;
    let json = bridge.caller.call(&method, &body).await?;
    Ok(([(header::CONTENT_TYPE, JSON)], json).into_response())
}

async fn edges(State(bridge): Shared) -> Result<Json<Value>, Refusal> {
    let started = bridge.edges.start_second().await;
    started.map_err(|error| Status::unavailable(error.to_string()))?;
    Ok(Json(json!({ "edges": bridge.edges.urls() })))
}

async fn nothing() -> Refusal {
    Refusal::of(Code::Unimplemented, "there is no such path").in_http(StatusCode::NOT_FOUND)
}
