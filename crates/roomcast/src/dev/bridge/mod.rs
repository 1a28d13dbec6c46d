//! The HTTP API under `/dev/` with which the playground page does what a browser cannot: mint tokens, call the gRPC API,
//! start the second edge.
//!
//! `GET /dev/about`, `POST /dev/token`, `POST /dev/call/{Method}`, `POST /dev/edges`. It returns only tokens that are
//! signed with the published dev secret, and it calls with the service token of the process. Therefore an edge never serves
//! it, and other machines may not use it.

mod caller;
mod error_response;
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

use super::{edges::Edges, grpcurl::Grpcurl};
use crate::token::TokenMinter;

use error_response::ErrorResponse;

pub(in crate::dev) use caller::Caller;

/// How long a token is valid if the request does not state it.
const DEFAULT_TOKEN_SECONDS: u64 = 3600;
/// The maximum is the validity of the tokens that `dev` prints.
const MAX_TOKEN_SECONDS: u64 = 24 * 3600;
const JSON: &str = "application/json";

/// What the bridge uses.
pub(super) struct Bridge {
    pub(super) caller: Caller,
    pub(super) edges: Edges,
    /// Mints a token for every request, so it uses only the published dev secret. `None` with another secret.
    pub(super) minter: Option<TokenMinter>,
    /// Contains no token.
    pub(super) grpcurl: Grpcurl,
    pub(super) in_redis: bool,
    /// The address of the server.
    pub(super) http_addr: SocketAddr,
    /// Whether other machines may use it.
    pub(super) insecure: bool,
    /// The maximum size of a request body, in bytes.
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
            .route("/dev/{*other}", any(not_found))
            .route_layer(DefaultBodyLimit::max(max_body))
            .route_layer(middleware::from_fn_with_state(bridge.clone(), guard))
            .with_state(bridge)
    }

    fn check(&self, request: &Request) -> Result<(), ErrorResponse> {
        let denied = |text| Err(ErrorResponse::new(Code::PermissionDenied, text));
        if !self.http_addr.ip().is_loopback() && !self.insecure {
            return denied(
                "other machines can reach --http-addr, so this API is disabled without --insecure",
            );
        }
        if let Err(denial) = same_origin::check(request.headers(), self.http_addr) {
            return denied(denial.text());
        }
        // A page cannot send JSON to another origin without a preflight request, which is denied.
        if request.method() == Method::POST && !is_json(request.headers().get(header::CONTENT_TYPE)) {
            let text = format!("the content-type must be {JSON}");
            let response = ErrorResponse::new(Code::InvalidArgument, text);
            return Err(response.with_http_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        Ok(())
    }

    fn body(&self, body: Body) -> Result<Bytes, ErrorResponse> {
        body.map_err(|rejection| {
            let response = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Failure::RequestTooLarge { limit: self.max_body }.into(),
                _ => ErrorResponse::new(Code::InvalidArgument, rejection.body_text()),
            };
            response.with_http_status(rejection.status())
        })
    }
}

async fn guard(State(bridge): Shared, request: Request, next: Next) -> Response {
    let mut response = match bridge.check(&request) {
        Ok(()) => next.run(request).await,
        Err(denial) => denial.into_response(),
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
    let media_type = text.and_then(|text| text.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(JSON))
}

async fn about(State(bridge): Shared) -> Json<Value> {
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "grpcurl": bridge.grpcurl,
        "edges": bridge.edges.urls(),
        "mints": bridge.minter.is_some(),
        "store": if bridge.in_redis { "redis" } else { "memory" },
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenRequest {
    user: String,
    #[serde(default = "default_token_seconds")]
    ttl_seconds: u64,
}

fn default_token_seconds() -> u64 {
    DEFAULT_TOKEN_SECONDS
}

async fn token(State(bridge): Shared, body: Body) -> Result<Json<Value>, ErrorResponse> {
    let body = bridge.body(body)?;
    let Some(minter) = &bridge.minter else {
        let text = "this process mints no tokens; use a token of `roomcast token`";
        return Err(ErrorResponse::new(Code::FailedPrecondition, text));
    };
    let request: TokenRequest = serde_json::from_slice(&body).map_err(|error| {
        ErrorResponse::new(
            Code::InvalidArgument,
            format!("the body is not a valid request: {error}"),
        )
    })?;
    let user: UserId = request
        .user
        .parse()
        .map_err(|error| invalid_field("user", error))?;
    if !(1..=MAX_TOKEN_SECONDS).contains(&request.ttl_seconds) {
        return Err(invalid_field(
            "ttlSeconds",
            format!("must be from 1 to {MAX_TOKEN_SECONDS}"),
        ));
    }
    let token = minter.user_token(user.as_str(), Duration::from_secs(request.ttl_seconds));
    Ok(Json(json!({ "token": token })))
}

fn invalid_field(field: &str, description: impl std::fmt::Display) -> ErrorResponse {
    Invalid::one(field, description).into()
}

async fn call(
    State(bridge): Shared,
    Path(method): Path<String>,
    body: Body,
) -> Result<Response, ErrorResponse> {
    let body = bridge.body(body)?;
    let json = bridge.caller.call(&method, &body).await?;
    Ok(([(header::CONTENT_TYPE, JSON)], json).into_response())
}

async fn edges(State(bridge): Shared) -> Result<Json<Value>, ErrorResponse> {
    let started = bridge.edges.start_second().await;
    started.map_err(|error| Status::unavailable(error.to_string()))?;
    Ok(Json(json!({ "edges": bridge.edges.urls() })))
}

async fn not_found() -> ErrorResponse {
    ErrorResponse::new(Code::Unimplemented, "path not found").with_http_status(StatusCode::NOT_FOUND)
}
