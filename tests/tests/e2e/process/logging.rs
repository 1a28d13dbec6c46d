//! Logs: what they must not contain, and that no process depends on their reader.

use std::process::Stdio;

use roomcast_auth::{DEV_SECRET, MintClaims};
use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browsers, Client, Process, Redis, claims, eventually, get, roomcast, session, structure, token,
    token_with, within,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tonic::{Code, Request};

const SECRET: &str = "a-secret-of-services-that-is-long-enough";
/// Part of the payload of an event.
const PAYLOAD: &str = "never-logged";

fn called<T>(token: &str, request: T) -> Request<T> {
    let mut request = Request::new(request);
    let value = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

/// Publishes a session with the payload that logs must not contain; a call with the wrong token is denied.
async fn publish_with_both_tokens(control_plane: &Process, service: &str, wrong: &str) {
    let mut backend = Backend::connect(control_plane.addr("grpc")).await;
    let mut update = session("s1", PAYLOAD, "alice=observer");
    update.attributes = Some(structure(&json!({ "note": PAYLOAD })));
    let request = v1::PublishSessionUpdateRequest {
        session: Some(update),
        ..Default::default()
    };
    let published = backend
        .0
        .publish_session_update(called(service, request.clone()))
        .await;
    published.unwrap();
    let denied = backend.0.publish_session_update(called(wrong, request)).await;
    assert_eq!(denied.unwrap_err().code(), Code::Unauthenticated);
}

/// Uses tokens in every way that the edge supports: on connecting, in a refresh, and in a header.
async fn connect_with_every_token(edge: &Process, good: &str, refreshed: &str, wrong: &str) {
    let browsers = Browsers::start(Client::Js48);
    for transport in ["websocket", "polling"] {
        let options = |token: &str| json!({ "token": token, "transports": [transport] });
        let mut mallory = browsers.open_with(&edge.url(), options(wrong)).await;
        mallory.denied().await;
        let mut alice = browsers.open_with(&edge.url(), options(good)).await;
        alice.connected().await;
        alice.join("s1").await;
        for (token, ok) in [(refreshed, true), (wrong, false)] {
            let response = alice.request("refresh-token", json!([token])).await;
            assert_eq!(response["ok"], ok, "{response}");
        }
        let headers = json!({ "Authorization": format!("Bearer {good}") });
        let by_header = json!({ "auth": {}, "headers": headers, "transports": [transport] });
        browsers.open_with(&edge.url(), by_header).await.connected().await;
    }
}

/// Stops a process. Its log must consist of JSON lines, of which none contains any of these texts.
async fn stops_with_a_log_without(process: &mut Process, never: &[&str]) {
    process.signal("TERM");
    assert!(process.exited().await.success());
    let log = eventually("the last line of the log", || {
        let log = process.log();
        async move { log.contains("drained").then_some(log) }
    })
    .await;
    for never in never {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(never)).collect();
        assert!(lines.is_empty(), "{lines:#?}");
    }
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    }
}

#[tokio::test]
async fn logs_contain_no_token_no_secret_and_no_payload() {
    let redis = Redis::start().await;
    let minted = ["token", "--service", "backend", "--jwt-secret", SECRET];
    let service = String::from_utf8(roomcast(&minted, &[]).await.stdout).unwrap();
    let service = service.trim();
    let log = ["--log", "debug"];
    let control_plane_options = [&["--api-jwt-secret", SECRET][..], &log].concat();
    let mut control_plane = Process::control_plane(&redis.url(), &control_plane_options).await;
    let edge_options = [&["--api-token", service][..], &log].concat();
    let mut edge = Process::edge(&[control_plane.addr("grpc")], &edge_options).await;
    control_plane.ready().await;
    edge.ready().await;
    let good = token("alice");
    let later = MintClaims {
        issued_at: 2_000_000_000,
        ..claims("alice")
    };
    let refreshed = token_with(DEV_SECRET, &later);
    let wrong = token_with("another-secret-that-is-also-long-enough", &claims("mallory"));

    publish_with_both_tokens(&control_plane, service, &wrong).await;
    connect_with_every_token(&edge, &good, &refreshed, &wrong).await;
    // The signature is the secret part of a token.
    let tokens = [good.as_str(), &refreshed, &wrong, service];
    let signatures = tokens.map(|token| token.rsplit('.').next().unwrap());
    let never = [&signatures[..], &[SECRET, DEV_SECRET, PAYLOAD]].concat();
    for process in [&mut edge, &mut control_plane] {
        stops_with_a_log_without(process, &never).await;
    }
}

/// Starts `dev` with this standard error; returns its addresses by name.
async fn dev(log: Stdio) -> (Child, std::collections::HashMap<String, std::net::SocketAddr>) {
    let binary = std::env::current_exe().unwrap();
    let binary = binary.ancestors().nth(2).unwrap().join("roomcast");
    let local = "127.0.0.1:0";
    let mut child = Command::new(binary)
        .args(["dev", "--log", "trace", "--grpc-addr", local])
        .args(["--http-addr", local, "--admin-addr", local])
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut addrs = std::collections::HashMap::new();
    while addrs.len() < 3 {
        let line = within("addresses", lines.next_line()).await.unwrap();
        let line = line.expect("the process is running");
        let (name, addr) = line.split_once(' ').unwrap_or_default();
        if let Ok(addr) = addr.trim().parse() {
            addrs.insert(name.to_owned(), addr);
        }
    }
    (child, addrs)
}

/// Publishes and receives so many events that their log lines fill any pipe.
async fn delivers_many_events(addrs: &std::collections::HashMap<String, std::net::SocketAddr>) {
    let mut backend = Backend::connect(addrs["grpc"]).await;
    let browsers = Browsers::start(Client::Js48);
    backend.publish(session("s1", "start", "alice=observer")).await;
    let url = format!("http://{}", addrs["http"]);
    let mut alice = browsers.connect(&url, &token("alice")).await;
    alice.join("s1").await;
    for n in 0..300 {
        backend
            .publish(session("s1", &n.to_string(), "alice=observer"))
            .await;
        let update = alice.expect_event("session-updated").await;
        assert_eq!(update["session"]["status"], n.to_string());
    }
    assert_eq!(
        within("a response", get(addrs["admin"], "/livez"))
            .await
            .unwrap()
            .0,
        200
    );
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_nothing() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (mut child, addrs) = dev(full.into()).await;
    delivers_many_events(&addrs).await;
    assert!(child.try_wait().unwrap().is_none());
    // A pipe without a reader.
    let (mut child, addrs) = dev(Stdio::piped()).await;
    drop(child.stderr.take());
    delivers_many_events(&addrs).await;
    assert!(child.try_wait().unwrap().is_none());
}

#[tokio::test]
async fn a_log_that_is_not_read_blocks_nothing() {
    let (child, addrs) = dev(Stdio::piped()).await;
    delivers_many_events(&addrs).await;
    drop(child);
}
