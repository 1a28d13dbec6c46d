//! Answers of our own to HTTP requests.

use axum::body::Body;
use http::{Response, StatusCode};

/// An answer with a status and a body, and no headers yet.
pub(crate) fn answer(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
}
