//! Sockets without a valid token receive nothing.

use roomcast_tests::{Backend, Browsers, Client, Process, expiring, session, token};

use super::raw_polling::RawPolling;

#[tokio::test]
async fn i6_a_socket_with_a_bad_or_expired_token_receives_no_event() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend.publish(session("s1", "a", "alice=observer")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    alice.join("s1").await;
    let altered = token("alice").replace('.', ".e");
    for (token, code) in [
        (altered, "token_invalid"),
        (expiring("alice", -1), "token_expired"),
        (String::new(), "token_missing"),
    ] {
        let transport = RawPolling::connect(dev.addr("http"), &token).await;
        // A stock client would stop here.
        let _ = transport.post(br#"42["join-session","s1"]"#).await; // the transport may be closed already
        // Both rooms of Alice have an event, and her valid socket has received both.
        backend.publish(session("s1", "b", "alice=observer")).await;
        alice.expect_event("session-updated").await;
        backend.require_feedback("s1", &["alice"]).await;
        alice.expect_event("feedback-required").await;
        let _ = transport.post(b"1").await; // the transport may be closed already
        let mut received = String::new();
        while let Some((200, packets)) = transport.poll().await {
            received += &packets;
            received.push('\n');
        }
        assert!(
            received.contains(&format!("44{{\"message\":\"{code}\"}}")),
            "{received}"
        );
        assert!(!received.contains("42["), "{received}");
    }
}
