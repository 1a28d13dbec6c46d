//! I6: a socket without a valid token receives nothing.

use std::time::Duration;

use serde_json::json;

use crate::{
    browser::Browser,
    time::eventually,
    world::{World, session_room},
};

const TTL: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn i6_a_connection_without_a_valid_token_is_denied_with_the_code() {
    let world = World::start(1).await;
    let expired = world.token("alice", TTL);
    world.pass(TTL).await;
    for (auth, code) in [
        (json!({}), "token_missing"),
        (json!({ "token": "x" }), "token_invalid"),
        (json!({ "token": world.token("a b", TTL) }), "token_invalid"),
        (json!({ "token": expired }), "token_expired"),
    ] {
        let browser = Browser::open("alice", world.edge).await;
        assert_eq!(browser.denied_connect(&auth).await, code);
    }
    assert_eq!(world.metric("denied_connections_total"), 4);
    assert_eq!(world.metric("sockets"), 0);
}

#[tokio::test(start_paused = true)]
async fn i6_the_transport_of_a_socket_closes_when_its_token_expires() {
    let world = World::start(1).await;
    world.create_session("s1", &["alice", "bob"]);
    let (alice, bob) = (
        Browser::open("alice", world.edge).await,
        world.member("bob", "s1").await,
    );
    let mut alice = alice;
    alice
        .connect(&json!({ "token": world.token("alice", TTL) }))
        .await;
    alice.join("s1").await;
    world.pass(TTL - Duration::from_secs(1)).await;
    world.set_status("s1", "while valid");
    assert_eq!(alice.status().await, "while valid");
    world.pass(Duration::from_secs(1)).await;
    alice.closed().await;
    world.set_status("s1", "too late");
    assert_eq!(bob.status().await, "while valid");
    assert_eq!(bob.status().await, "too late");
    // Without a DISCONNECT, so that a stock client reconnects.
    assert_eq!(alice.unread(), [""; 0]);
    world.metric_is("sockets", 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_refreshed_token_keeps_the_socket_until_it_expires() {
    let world = World::start(1).await;
    let mut alice = Browser::open("alice", world.edge).await;
    alice
        .connect(&json!({ "token": world.token("alice", TTL) }))
        .await;
    world.pass(TTL - Duration::from_secs(1)).await;
    let refreshed = alice
        .request(&json!(["refresh-token", world.token("alice", TTL)]))
        .await;
    assert_eq!(
        refreshed,
        json!({ "ok": true, "expiresAt": "2025-05-08T01:20:09.000Z" })
    );
    world.pass(TTL - Duration::from_secs(1)).await;
    alice.is_served().await;
    world.pass(Duration::from_secs(1)).await;
    alice.closed().await;
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_user_or_a_bad_one_does_not_replace_the_old_one() {
    let world = World::start(1).await;
    let mut alice = world.browser("alice").await;
    let expired = world.token("alice", Duration::ZERO);
    for (token, code) in [
        (world.token("bob", TTL), "token_invalid"),
        ("x".to_owned(), "token_invalid"),
        (expired, "token_expired"),
    ] {
        let denied = alice.request(&json!(["refresh-token", token])).await;
        assert_eq!(
            (&denied["ok"], &denied["error"]["code"]),
            (&json!(false), &json!(code))
        );
        alice.emit(&json!(["refresh-token", token]));
        assert_eq!(alice.event().await.payload["code"], code);
    }
    alice.is_served().await;
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_disconnects_leaves_its_rooms_once() {
    let world = World::start(1).await;
    world.create_session("s1", &["alice"]);
    let control_plane = &world.control_planes[0];
    for times in 1..=2 {
        let alice = world.member("alice", "s1").await;
        assert_eq!(world.metric("rooms"), 2);
        alice.send("41");
        alice.closed().await;
        world.metric_is("sockets", 0).await;
        world.metric_is("rooms", 0).await;
        for room in [session_room("s1"), crate::world::user_room("alice")] {
            eventually("the end of the interests", || {
                (!control_plane.feeds(&room)).then_some(())
            })
            .await;
            assert_eq!(
                control_plane.count(&crate::control_plane::Call::EndInterest(room)),
                times
            );
        }
    }
    world.metric_is("transports", 0).await;
}
