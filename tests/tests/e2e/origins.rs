//! Who may use the bridge of `dev`: its own page, and programs of the machine.

use roomcast_tests::{Answer, Bridge, Process};
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

/// What a refused request is told: nothing, and no page may read it.
fn is_refused(answer: &Answer) {
    assert_eq!(answer.status, 403, "{answer:?}");
    assert_eq!(answer.json()["code"], "PERMISSION_DENIED");
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

/// Whether each path answers, with these headers.
async fn asks(bridge: &Bridge, headers: &[(&str, &str)], judge: impl Fn(&Answer)) {
    for (request, body) in POSTS.into_iter().chain([("GET /dev/about", "")]) {
        judge(&bridge.ask(request, headers, body).await);
    }
}

fn is_answered(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn another_page_is_refused_whatever_it_asks() {
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
        // Of this machine, but not of this server.
        [("origin", &other_port), ("sec-fetch-site", "same-site")],
        [("origin", &other_port), ("sec-fetch-site", "")],
        // Browsers name no origin where they only load.
        [("origin", ""), ("sec-fetch-site", "cross-site")],
        [("origin", ""), ("sec-fetch-site", "same-site")],
    ] {
        asks(&bridge, &headers, is_refused).await;
    }
    assert_eq!(bridge.about().await["edges"], json!([dev.url()]));
    let asked_first = [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    is_refused(&bridge.ask("OPTIONS /dev/token", &asked_first, "").await);
}

#[tokio::test]
async fn a_name_that_somebody_points_to_this_machine_is_refused() {
    let dev = Process::dev(&[]).await;
    let port = dev.addr("http").port();
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "0.0.0.0",
    ] {
        let rebound = Bridge::of(&dev).named(&format!("{host}:{port}"));
        asks(&rebound, &[], is_refused).await;
    }
    for host in [
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
        "localhost:80".to_owned(),
    ] {
        asks(&Bridge::of(&dev).named(&host), &[], is_answered).await;
    }
}

#[tokio::test]
async fn a_program_that_is_no_page_is_answered() {
    let dev = Process::dev(&[]).await;
    let none = [("origin", ""), ("sec-fetch-site", "")];
    asks(&Bridge::of(&dev), &none, is_answered).await;
}

#[tokio::test]
async fn what_a_form_could_send_is_refused() {
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
            let answer = bridge.ask(request, &[("content-type", content_type)], body).await;
            assert_eq!(answer.status, 415, "{content_type} {answer:?}");
        }
    }
    let charset = [("content-type", "application/JSON; charset=utf-8")];
    asks(&bridge, &charset, is_answered).await;
}

/// A process that other machines can reach by HTTP, asked by a name of this one.
async fn reachable(more: &[&str]) -> (Process, Bridge) {
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
    let bridge = Bridge::of(&dev).named(&name);
    (dev, bridge)
}

#[tokio::test]
async fn other_machines_have_no_bridge_unless_they_are_let_in() {
    let (_kept, bridge) = reachable(&["--jwt-secret", SECRET]).await;
    asks(&bridge, &[], is_refused).await;
    assert_eq!(bridge.ask("GET /", &[], "").await.status, 200);
    let (_open, bridge) = reachable(&["--insecure"]).await;
    asks(&bridge, &[], is_answered).await;
}
