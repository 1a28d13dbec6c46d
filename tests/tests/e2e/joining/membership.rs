//! Sockets before a join, after leaving, and after a removal.

use roomcast_tests::{Backend, Browsers, Client, Process, session, token};
use serde_json::json;

#[tokio::test]
async fn i4_a_removed_user_receives_the_revocation_and_no_later_event() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend
        .publish(session(
            "s1",
            "a",
            "alice=interviewer bob=interviewee carol=observer",
        ))
        .await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let mut bob = browsers.connect(&dev.url(), &token("bob")).await;
    let mut carol = browsers.connect(&dev.url(), &token("carol")).await;
    for browser in [&mut alice, &mut bob, &mut carol] {
        browser.join("s1").await;
    }
    backend.remove("s1", "bob").await;
    backend.publish(session("s1", "b", "alice=interviewer")).await;
    backend.publish(session("s1", "c", "alice=interviewer")).await;
    // An event of their own rooms. Everything that was published before arrives before it.
    backend.require_feedback("s1", &["bob", "carol"]).await;
    for browser in [&mut bob, &mut carol] {
        let revoked = browser.expect_event("session-revoked").await;
        assert_eq!(revoked["sessionId"], "s1");
        assert!(revoked["reason"].is_string());
        browser.expect_event("feedback-required").await;
        let response = browser.request("join-session", json!(["s1"])).await;
        assert_eq!(response["error"]["code"], "not_a_participant", "{response}");
    }
    for status in ["b", "c"] {
        assert_eq!(
            alice.expect_event("session-updated").await["session"]["status"],
            status
        );
    }
    // A user who becomes a participant again may join again.
    backend.select_role("s1", "bob", "interviewee").await.unwrap();
    bob.join("s1").await;
    alice.expect_event("role-selected").await;
}

#[tokio::test]
async fn i4_a_socket_that_left_receives_no_later_event() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    alice.join("s1").await;
    alice.request("leave-session", json!(["s1"])).await;
    backend.publish(session("s1", "b", "alice=interviewer")).await;
    backend.require_feedback("s1", &["alice"]).await;
    alice.expect_event("feedback-required").await;
}

#[tokio::test]
async fn i4_a_socket_receives_no_event_before_its_join() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend
        .publish(session("s1", "a", "alice=interviewer bob=interviewee"))
        .await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let mut bob = browsers.connect(&dev.url(), &token("bob")).await;
    bob.join("s1").await;
    backend
        .publish(session("s1", "b", "alice=interviewer bob=interviewee"))
        .await;
    bob.expect_event("session-updated").await;
    // The next event of Alice's socket is this one of her own room.
    backend.require_feedback("s1", &["alice"]).await;
    alice.expect_event("feedback-required").await;
    assert_eq!(alice.join("s1").await["session"]["status"], "b");
}
