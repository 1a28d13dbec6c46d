//! The pages that may connect (the `Origin` header, RFC 6454), and the headers of the CORS protocol (Fetch standard).

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::response::response;
use crate::config::Origins;

impl Origins {
    /// Whether a request with these headers may be served. A request without `Origin` is not from a page.
    pub(crate) fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else {
            return true;
        };
        match self {
            Self::Any => true,
            Self::Listed(listed) => {
                listed.iter().any(|allowed| origin == allowed.as_str())
                    || headers
                        .get(header::HOST)
                        .is_some_and(|host| is_same_host(origin, host))
            }
        }
    }
}

/// Whether the origin is the host of the request. The scheme is ignored, because TLS may end before the edge.
fn is_same_host(origin: &HeaderValue, host: &HeaderValue) -> bool {
    let authority = origin
        .as_bytes()
        .windows(3)
        .position(|part| part == b"://")
        .map(|at| at + 3);
    authority.is_some_and(|at| origin.as_bytes()[at..].eq_ignore_ascii_case(host.as_bytes()))
}

/// The response to a request that may not be served.
pub(super) fn denied() -> Response<Body> {
    let text = "this page's origin may not connect; the operator can allow it with --cors-origin\n";
    response(StatusCode::FORBIDDEN, text)
}

/// The response to a preflight request; `None` for any other request.
pub(super) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
    if method != Method::OPTIONS {
        return None;
    }
    let mut response = response(StatusCode::NO_CONTENT, Body::empty());
    let allowed = response.headers_mut();
    allowed.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST"),
    );
    allowed.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
    if let Some(requested) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        allowed.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
    }
    Some(response)
}

/// Allows the page to read the response.
pub(super) fn expose(origin: Option<HeaderValue>, response: &mut Response<Body>) {
    if let Some(origin) = origin {
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.headers_mut().insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
    }
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("Origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origins: &Origins, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("edge.example.com:3000"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        origins.allow(&headers)
    }

    #[test]
    fn pages_of_the_own_host_and_of_listed_origins_may_connect() {
        let own = Origins::Listed(vec![]);
        assert!(allowed(&own, None));
        assert!(allowed(&own, Some("https://edge.example.com:3000")));
        assert!(!allowed(&own, Some("https://edge.example.com")));
        assert!(!allowed(&own, Some("https://evil.example")));
        assert!(!allowed(&own, Some("null")));
        let listed = Origins::Listed(vec!["https://app.example.com".into()]);
        assert!(allowed(&listed, Some("https://app.example.com")));
        assert!(!allowed(&listed, Some("https://app.example.com.evil.example")));
        assert!(allowed(&Origins::Any, Some("null")));
    }
}
