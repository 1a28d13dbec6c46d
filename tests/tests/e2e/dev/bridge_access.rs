//! Which requests the bridge of `dev` accepts: those of its own page and of local programs.

use roomcast_tests::{Bridge, Process, Response};
use serde_json::json;

const POSTS: [(&str, &str); 3] = [
    ("POST /dev/token", r#"{"user":"alice"}"#),
    (
        "POST /dev/call/AuthorizeJoin",
        r#"{"sessionId":"s1","userId":"alice"}"#,
    ),
    ("POST /dev/edges", "{}"),
];
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A denial contains no data, and no other page can read it.
fn is_denied(response: &Response) {
    assert_eq!(response.status, 403, "{response:?}");
    assert_eq!(response.json()["code"], "PERMISSION_DENIED");
    assert_eq!(response.header("access-control-allow-origin"), None);
}

/// Requests every path with these headers, and checks each response.
async fn request_all(bridge: &Bridge, headers: &[(&str, &str)], check: impl Fn(&Response)) {
    for (request, body) in POSTS.into_iter().chain([("GET /dev/about", "")]) {
        check(&bridge.request(request, headers, body).await);
    }
}

fn is_accepted(response: &Response) {
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn requests_of_other_origins_are_denied() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    let other_port = format!("http://127.0.0.1:{}", dev.addr("admin").port());
    for headers in [
        [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ],
        [("origin", "https://evil.example"), ("sec-fetch-site", "")],
        [("origin", "null"), ("sec-fetch-site", "")],
        // Another server of the same machine.
        [("origin", &other_port), ("sec-fetch-site", "same-site")],
        [("origin", &other_port), ("sec-fetch-site", "")],
        // Browsers send no origin with a GET request.
        [("origin", ""), ("sec-fetch-site", "cross-site")],
        [("origin", ""), ("sec-fetch-site", "same-site")],
    ] {
        request_all(&bridge, &headers, is_denied).await;
    }
    assert_eq!(bridge.about().await["edges"], json!([dev.url()]));
    let preflight = [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    is_denied(&bridge.request("OPTIONS /dev/token", &preflight, "").await);
}

#[tokio::test]
async fn requests_for_foreign_host_names_are_denied() {
    let dev = Process::dev(&[]).await;
    let port = dev.addr("http").port();
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "0.0.0.0",
    ] {
        let rebound = Bridge::of(&dev).with_host(&format!("{host}:{port}"));
        request_all(&rebound, &[], is_denied).await;
    }
    for host in [
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
        "localhost:80".to_owned(),
    ] {
        request_all(&Bridge::of(&dev).with_host(&host), &[], is_accepted).await;
    }
}

#[tokio::test]
async fn requests_without_browser_headers_are_accepted() {
    let dev = Process::dev(&[]).await;
    let none = [("origin", ""), ("sec-fetch-site", "")];
    request_all(&Bridge::of(&dev), &none, is_accepted).await;
}

#[tokio::test]
async fn content_types_of_html_forms_are_denied() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain; application/json",
        "",
    ] {
        for (request, body) in POSTS {
            let response = bridge
                .request(request, &[("content-type", content_type)], body)
                .await;
            assert_eq!(response.status, 415, "{content_type} {response:?}");
        }
    }
    let charset = [("content-type", "application/JSON; charset=utf-8")];
    request_all(&bridge, &charset, is_accepted).await;
}

/// A process that other machines can reach by HTTP, requested as localhost.
async fn public_dev(more: &[&str]) -> (Process, Bridge) {
    let args = [
        "dev",
        "--grpc-addr",
        "127.0.0.1:0",
        "--http-addr",
        "0.0.0.0:0",
        "--admin-addr",
        "127.0.0.1:0",
    ];
    let dev = Process::start(&[&args, more].concat(), &[]).await;
    let name = format!("localhost:{}", dev.addr("http").port());
    let bridge = Bridge::of(&dev).with_host(&name);
    (dev, bridge)
}

#[tokio::test]
async fn the_bridge_is_denied_on_public_addresses_without_insecure() {
    let (_kept, bridge) = public_dev(&["--jwt-secret", SECRET]).await;
    request_all(&bridge, &[], is_denied).await;
    assert_eq!(bridge.request("GET /", &[], "").await.status, 200);
    let (_open, bridge) = public_dev(&["--insecure"]).await;
    request_all(&bridge, &[], is_accepted).await;
}
