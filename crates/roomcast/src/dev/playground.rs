//! Serves the playground: the built files of `clients/playground`, which the binary contains. An edge never serves it.

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderName, StatusCode, header};

/// The content of each file by its path in the folder, sorted.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/playground.rs"));
const INDEX: &str = "index.html";
/// The page runs only its own scripts, and connects to its own server and to the second edge, whose port is not known in
/// advance. `ws:` of the own host is listed because not every browser includes it in 'self'.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self' http://127.0.0.1:* ws://127.0.0.1:* ws://localhost:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The length of the hash in the name of a built file (`index-B3x9_aQ1.js`).
const HASH_LENGTH: usize = 8;

/// Serves the page at `/` and its files beside it.
pub(super) fn router() -> Router {
    Router::new()
        .route("/", get(async || file(INDEX)))
        .route("/{*name}", get(async |Path(name): Path<String>| file(&name)))
}

fn file(name: &str) -> Response {
    let Ok(index) = FILES.binary_search_by_key(&name, |(name, _)| name) else {
        return (StatusCode::NOT_FOUND, "file not found\n").into_response();
    };
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, content_type(name)),
        (header::CACHE_CONTROL, cache_control(name)),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, FILES[index].1).into_response()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt" | "LICENSE") => "text/plain; charset=utf-8",
        Some(_) | None => "application/octet-stream",
    }
}

/// A file with the hash of its content in its name never changes. Other files may change with the next release.
fn cache_control(name: &str) -> &'static str {
    if is_hashed(name) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

/// Whether the name contains a hash. A part of lower-case letters only is assumed to be a word.
fn is_hashed(name: &str) -> bool {
    let Some((stem, _)) = name
        .strip_prefix("assets/")
        .and_then(|name| name.rsplit_once('.'))
    else {
        return false;
    };
    let Some((rest, hash)) = stem.split_at_checked(stem.len().saturating_sub(HASH_LENGTH)) else {
        return false;
    };
    let is_hash_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    rest.ends_with('-')
        && hash.bytes().all(is_hash_byte)
        && hash
            .bytes()
            .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_served_with_its_content_type() {
        for (name, content) in FILES {
            let response = file(name);
            assert_eq!(response.status(), StatusCode::OK, "{name}");
            assert!(!content.is_empty(), "{name}");
            assert_ne!(content_type(name), "application/octet-stream", "{name}");
        }
        assert_eq!(file("assets/other.js").status(), StatusCode::NOT_FOUND);
        assert_eq!(file("../Cargo.toml").status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_page_has_no_script_or_style_that_its_policy_blocks() {
        let page = String::from_utf8_lossy(file_content(INDEX)).to_lowercase();
        assert!(page.contains("<title>roomcast"), "{page}");
        assert!(!page.contains("<style") && !page.contains(" style="), "{page}");
        for script in page.split("<script").skip(1) {
            let (tag, rest) = script.split_once('>').unwrap();
            assert!(
                tag.contains(" src=") && rest.trim_start().starts_with("</script"),
                "{tag}"
            );
        }
    }

    fn file_content(name: &str) -> &'static [u8] {
        FILES.iter().find(|(other, _)| *other == name).unwrap().1
    }

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        for name in [
            "assets/index-B3x9_aQ1.js",
            "assets/index-4-zmaQp_.css",
            "assets/a.b-00000000.woff2",
        ] {
            assert!(is_hashed(name), "{name}");
        }
        for name in [
            "index.html",
            "index-B3x9_aQ1.html",
            "assets/socket.io.min.js",
            "assets/wide-coloured.svg",
            "assets/B3x9_aQ1.js",
            "assets/index-B3x9aQ1.js",
            "assets/é-B3x9_aQé.js",
        ] {
            assert!(!is_hashed(name), "{name}");
        }
    }
}
