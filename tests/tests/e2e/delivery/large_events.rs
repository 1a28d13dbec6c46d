//! Events of the largest configurable size, and many large events.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browser, Browsers, Client, Process, Redis, session, structure, token};
use serde_json::json;

async fn expect_updates(browser: &mut Browser, last: u32) {
    for n in 1..=last {
        let update = browser.expect_event("session-updated").await;
        assert_eq!(update["session"]["status"], n.to_string());
    }
}

#[tokio::test]
async fn the_largest_events_that_can_be_configured_are_delivered_and_replayed() {
    let redis = Redis::start().await;
    let url = redis.url();
    let limits = [
        "--max-payload",
        "1MiB",
        "--max-request",
        "2MiB",
        "--outbound-cap",
        "2MiB",
    ];
    let dev = Process::dev(&[&limits[..], &["--redis-url", &url]].concat()).await;
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
        // The second event fills the outbound queue: the transport may be closed, and the client is then recovered.
        let mut last = 0;
        while last < 8 {
            let report = alice.next_report().await.expect("the driver process is running");
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
        let response = alice
            .request("join-session", json!(["s1", { "after": after }]))
            .await;
        assert_eq!(response["recovered"], true, "{transport}: {response}");
        alice.expect_event("session-joined").await;
        expect_updates(&mut alice, 8).await;
    }
}

#[tokio::test]
async fn a_replay_of_large_events_blocks_no_other_call() {
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
    let response = {
        let join = alice.request("join-session", json!(["s1", { "after": after }]));
        tokio::pin!(join);
        // Other calls succeed meanwhile.
        loop {
            tokio::select! {
                response = &mut join => break response,
                _ = backend.publish(session("s2", "a", "")) => {}
            }
        }
    };
    assert_eq!(response["recovered"], true, "{response}");
    alice.expect_event("session-joined").await;
    expect_updates(&mut alice, EVENTS).await;
}
