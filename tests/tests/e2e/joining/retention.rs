//! Sessions whose retention ends.

use roomcast_tests::{Backend, Browser, Browsers, Client, Process, Redis, eventually, session, token};
use serde_json::{Value, json};

/// Creates `s1` and joins it; again if it expired before the join, as it may on a slow machine.
async fn create_and_join(backend: &mut Backend, alice: &Browser, status: &str, options: &Value) -> Value {
    eventually("a join before the session expires", async || {
        backend.publish(session("s1", status, "alice=observer")).await;
        let response = alice.request("join-session", json!(["s1", options])).await;
        if response["error"]["code"] == "session_not_found" {
            return None;
        }
        assert_eq!(response["ok"], true, "{response}");
        Some(response)
    })
    .await
}

#[tokio::test]
async fn an_expired_session_is_revoked_from_its_sockets() {
    let redis = Redis::start().await;
    let short = ["--state-retention", "2s", "--log-retention", "1s"];
    for dev in [
        Process::dev(&short).await,
        Process::dev(&[&short[..], &["--redis-url", &redis.url()]].concat()).await,
    ] {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        let browsers = Browsers::start(Client::Js48);
        let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
        let joined = create_and_join(&mut backend, &alice, "a", &json!({})).await;
        alice.expect_event("session-joined").await;
        let revoked = alice.expect_event("session-revoked").await;
        assert_eq!(
            revoked,
            json!({ "sessionId": "s1", "reason": "session_not_found" })
        );
        let response = alice.request("join-session", json!(["s1"])).await;
        assert_eq!(response["error"]["code"], "session_not_found", "{response}");
        // A new session with the same id has another log: the old position is not continued.
        let after = json!({ "after": joined["position"] });
        let response = create_and_join(&mut backend, &alice, "b", &after).await;
        assert_eq!(
            (&response["recovered"], &response["session"]["status"]),
            (&json!(false), &json!("b")),
            "{response}"
        );
    }
}
