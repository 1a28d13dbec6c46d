//! Sockets without a valid token receive nothing.

use roomcast_tests::{Backend, Browsers, Client, Process, expiring, session, token};

use super::raw_polling::RawPolling;

#[tokio::test]
async fn i6_a_socket_with_a_bad_or_expired_token_receives_no_event() {
    let dev = Process::dev(&["--ping-interval", "1s", "--ping-timeout", "10s"]).await;
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
        for requests_a_join in [false, true] {
            let transport = RawPolling::connect(dev.addr("http"), &token).await;
            let mut received = packets_until(&transport, "44{").await;
            let denial = format!("44{{\"message\":\"{code}\"}}");
            assert!(received.contains(&denial), "{received}");
            if requests_a_join {
                // A stock client would not send this.
                let _ = transport.post(br#"42["join-session","s1"]"#).await; // may close the transport
            }
            // Both rooms of Alice have an event, and her valid socket has received both.
            backend.publish(session("s1", "b", "alice=observer")).await;
            alice.expect_event("session-updated").await;
            backend.require_feedback("s1", &["alice"]).await;
            alice.expect_event("feedback-required").await;
            // Everything that was sent to the transport comes before the next ping, or before its end.
            received += &packets_until(&transport, "2").await;
            assert!(!received.contains("42["), "{received}");
        }
    }
}

/// All packets up to and including one that starts with this text, or up to the end of the transport.
async fn packets_until(transport: &RawPolling, start: &str) -> String {
    let mut received = String::new();
    while let Some((200, packets)) = transport.poll().await {
        received += &packets;
        received.push('\u{1e}');
        if packets.split('\u{1e}').any(|packet| packet.starts_with(start)) {
            break;
        }
    }
    received
}
