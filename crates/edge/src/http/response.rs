//! The edge's own HTTP responses.

use axum::body::Body;
use http::{Response, StatusCode};

/// A response without headers.
pub(super) fn response(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
}
