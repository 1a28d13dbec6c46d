//! Events as large as may be configured.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browser, Browsers, Client, Process, Redis, session, structure, token};
use serde_json::json;

async fn told_in_order(browser: &mut Browser, last: u32) {
    for n in 1..=last {
        let told = browser.told("session-updated").await;
        assert_eq!(told["session"]["status"], n.to_string());
    }
}

#[tokio::test]
async fn the_largest_events_that_can_be_configured_are_delivered_and_replayed() {
    let redis = Redis::start().await;
    let url = redis.url();
    let caps = [
        "--max-payload",
        "1MiB",
        "--max-request",
        "2MiB",
        "--outbound-cap",
        "2MiB",
    ];
    let dev = Process::dev(&[&caps[..], &["--redis-url", &url]].concat()).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend.publish(session("s1", "0", "alice=interviewer")).await;
    let browsers = Browsers::start(Client::Js48);
    let attributes = structure(&json!({ "text": "x".repeat(1_048_000) }));
    for transport in ["websocket", "polling"] {
        let options = json!({ "token": token("alice"), "transports": [transport] });
        let mut alice = browsers.open_with(&dev.url(), options.clone()).await;
        alice.connected().await;
        let after = alice.join("s1").await["position"].clone();
        for n in 1..=8 {
            let update = v1::Session {
                attributes: Some(attributes.clone()),
                ..session("s1", &n.to_string(), "alice=interviewer")
            };
            backend.publish(update).await;
        }
        // The second of them already fills the queue, so that the transport may be closed and the client recovered.
        let mut last = 0;
        while last < 8 {
            let report = alice.reported().await.expect("the clients' process lives");
            if report["event"] == "session-updated" {
                last += 1;
                assert_eq!(report["args"][0]["session"]["status"], last.to_string());
            } else if report["on"] == "connect" {
                assert_eq!(report["recovered"], true, "{report}");
            }
        }
        alice.close().await;
        let mut alice = browsers.open_with(&dev.url(), options).await;
        alice.connected().await;
        let answer = alice.ask("join-session", json!(["s1", { "after": after }])).await;
        assert_eq!(answer["recovered"], true, "{transport}: {answer}");
        alice.told("session-joined").await;
        told_in_order(&mut alice, 8).await;
    }
}

#[tokio::test]
async fn a_log_full_of_large_events_is_replayed_and_disturbs_nobody() {
    const EVENTS: u32 = 900;
    let redis = Redis::start().await;
    let dev = Process::dev(&["--redis-url", &redis.url()]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend.publish(session("s1", "0", "alice=interviewer")).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let after = alice.join("s1").await["position"].clone();
    alice.close().await;
    let attributes = structure(&json!({ "text": "x".repeat(60_000) }));
    for n in 1..=EVENTS {
        let update = v1::Session {
            attributes: Some(attributes.clone()),
            ..session("s1", &n.to_string(), "alice=interviewer")
        };
        backend.publish(update).await;
    }
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let answer = {
        let asked = alice.ask("join-session", json!(["s1", { "after": after }]));
        tokio::pin!(asked);
        // Meanwhile the store has time for everybody else.
        loop {
            tokio::select! {
                answer = &mut asked => break answer,
                _ = backend.publish(session("s2", "a", "")) => {}
            }
        }
    };
    assert_eq!(answer["recovered"], true, "{answer}");
    alice.told("session-joined").await;
    told_in_order(&mut alice, EVENTS).await;
}
