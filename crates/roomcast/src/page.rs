//! The page of `dev`, and the tokens that it asks for. Never part of an edge.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::{Query, State},
    response::{Html, IntoResponse, Json, Response},
    routing::get,
};
use http::{StatusCode, header};
use roomcast_auth::{Clock, MintClaims, mint};
use roomcast_core::UserId;
use serde::Deserialize;

const PAGE: &str = include_str!("page.html");
const TOKEN_TTL: Duration = Duration::from_secs(3600);
/// The page may run its own script and talk to where it came from.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self' ws:";

/// Mints users' tokens.
#[derive(Clone)]
pub(crate) struct UserMint {
    pub(crate) secret: String,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
}

impl UserMint {
    pub(crate) fn token(&self, user: &str, ttl: Duration) -> String {
        let claims = MintClaims {
            subject: user.to_owned(),
            audience: self.audience.clone(),
            issuer: self.issuer.clone(),
            issued_at: Clock::system().now(),
            ttl,
        };
        mint(self.secret.as_bytes(), &claims)
    }
}

/// Serves the page at `/`, with commands for the control plane at `grpc`, and tokens for it where they can be made.
pub(crate) fn router(mint: Option<UserMint>, grpc: SocketAddr) -> Router {
    let text = PAGE.replace("GRPC_ADDR", &grpc.to_string());
    let page = get(|| async { ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(text)) });
    Router::new()
        .route("/", page)
        .route("/dev/token", get(token))
        .with_state(mint)
}

#[derive(Deserialize)]
struct Wanted {
    user: String,
}

async fn token(State(mint): State<Option<UserMint>>, Query(wanted): Query<Wanted>) -> Response {
    let Some(mint) = mint else {
        return (
            StatusCode::NOT_FOUND,
            "this process has no secret to sign tokens with\n",
        )
            .into_response();
    };
    match wanted.user.parse::<UserId>() {
        Ok(user) => {
            let token = mint.token(user.as_str(), TOKEN_TTL);
            Json(serde_json::json!({ "token": token })).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("user {error}\n")).into_response(),
    }
}
