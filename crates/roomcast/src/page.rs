//! The page of `dev`: two users in two tabs see each other's session change. Never part of an edge.

use std::time::Duration;

use axum::{
    Router,
    extract::{Query, State},
    response::{Html, IntoResponse, Json, Response},
    routing::get,
};
use http::{HeaderName, StatusCode, header};
use roomcast_core::UserId;
use serde::Deserialize;

use crate::{paste::Grpcurl, token::Minting};

const PAGE: &str = include_str!("page.html");
/// Where the page's text has what the process fills in.
const GRPCURL: &str = "{GRPCURL}";
/// The stock client, as its package has it; /socket.io/ itself is the protocol's.
const CLIENT: &str = include_str!("../assets/socket.io.min.js");
/// How long the page's tokens are good; it asks for a new one at every connection.
const TOKEN_TTL: Duration = Duration::from_secs(3600);
/// The page runs its own script and the client, and talks to where it came from.
const POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves the page at `/`, the client, and a token for whichever user is asked for: so `minting` is for a secret that
/// everybody knows anyway.
pub(crate) fn router(minting: Option<Minting>, grpcurl: &Grpcurl) -> Router {
    let text = page(grpcurl);
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Router::new()
        .route("/", get(async || (headers, Html(text))))
        .route(
            "/assets/socket.io.min.js",
            get(async || ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], CLIENT)),
        )
        .route("/dev/token", get(token))
        .with_state(minting)
}

/// The page's text. What is filled in stands in a script element, which only `<` could end.
fn page(grpcurl: &Grpcurl) -> String {
    let json = serde_json::json!(grpcurl).to_string().replace('<', r"\u003c");
    PAGE.replace(GRPCURL, &json)
}

#[derive(Deserialize)]
struct Wanted {
    user: String,
}

async fn token(State(minting): State<Option<Minting>>, Query(wanted): Query<Wanted>) -> Response {
    let Some(minting) = minting else {
        let reason = "this process makes no tokens: give one of `roomcast token`\n";
        return (StatusCode::NOT_FOUND, reason).into_response();
    };
    match wanted.user.parse::<UserId>() {
        Ok(user) => {
            let token = minting.user(user.as_str(), TOKEN_TTL);
            (
                [(header::CACHE_CONTROL, "no-store")],
                Json(serde_json::json!({ "token": token })),
            )
                .into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("user {error}\n")).into_response(),
    }
}
