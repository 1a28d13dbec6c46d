//! Deliveries: their order, and sockets that read slowly.

use roomcast_core::Event;
use roomcast_edge::Limits;
use serde_json::json;

use crate::world::{World, session_room, user_room};

/// Bytes of a large event.
const LARGE: usize = 60_000;
/// More large events than the buffers of two kernels and an outbound queue hold.
const MOST_EVENTS: usize = 1_000;
/// Large events that fill the buffers of two kernels, of which the sender's grows to 4 MiB by default.
const STALLING_EVENTS: usize = 200;

#[tokio::test(start_paused = true)]
async fn the_response_to_a_join_leaves_before_the_events_that_follow_its_position() {
    let world = World::start(1).await;
    world.create_session("s1", &["alice"]);
    world.set_status("s1", "before the join");
    let mut alice = world.browser("alice").await;
    let joined = alice.join("s1").await;
    assert_eq!(joined["session"]["status"], "before the join");
    for number in 0..100 {
        world.set_status("s1", &number.to_string());
    }
    let mut last = offset(joined["position"].as_str().unwrap());
    for number in 0..100 {
        let event = alice.event().await;
        assert_eq!(event.payload["session"]["status"], number.to_string());
        last += 1;
        assert_eq!(offset(&event.cursor), last, "I1");
    }
}

/// The offset in a cursor of one session: `1;SESSION,EPOCH,OFFSET,MARK`.
fn offset(cursor: &str) -> u64 {
    cursor.split(',').nth(2).unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn requests_are_handled_in_their_order() {
    let world = World::start(1).await;
    world.create_session("s1", &["alice"]);
    let mut alice = world.member("alice", "s1").await;
    let first = alice.send_request(&json!(["leave-session", "s1"]));
    let denied = alice.send_request(&json!(["no-such-event"]));
    let second = alice.send_request(&json!(["join-session", "s1"]));
    assert_eq!(alice.acknowledgement(first).await["ok"], true);
    assert_eq!(alice.acknowledgement(denied).await["ok"], false);
    alice.joined(second).await;
}

#[tokio::test(start_paused = true)]
async fn i4_a_removed_participant_receives_nothing_after_the_removal() {
    let world = World::start(1).await;
    world.create_session("s1", &["alice", "bob"]);
    let mut alice = world.member("alice", "s1").await;
    let bob = world.member("bob", "s1").await;
    world.publish(
        &session_room("s1"),
        Event::ParticipantRemoved {
            user: "alice".parse().unwrap(),
        },
    );
    world.set_status("s1", "after the removal");
    assert_eq!(bob.status().await, "after the removal");
    let revoked = alice.event().await;
    assert_eq!(
        (revoked.name.as_str(), &revoked.payload["sessionId"]),
        ("session-revoked", &json!("s1"))
    );
    alice.is_served().await;
}

#[tokio::test(start_paused = true)]
async fn a_user_that_a_backend_disconnects_gets_a_disconnect_on_every_socket() {
    let world = World::start(1).await;
    let (one, two) = (world.browser("alice").await, world.browser("alice").await);
    let mut bob = world.browser("bob").await;
    world.publish(
        &user_room("alice"),
        Event::UserDisconnected {
            reason: "test".to_owned(),
        },
    );
    for browser in [&one, &two] {
        assert_eq!(browser.packet().await, "41");
    }
    // A browser that does not close its transport has one second.
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    one.closed().await;
    two.closed().await;
    world.metric_is("sockets", 1).await;
    bob.is_served().await;
}

#[tokio::test(start_paused = true)]
async fn i7_a_slow_socket_is_closed_and_the_others_are_not_affected() {
    let world = World::with(1, |config| config.limits.outbound_bytes = 10 * LARGE).await;
    world.create_session("s1", &["alice", "bob"]);
    let alice = world.slow_member("alice", "s1").await;
    let mut bob = world.member("bob", "s1").await;
    alice.set_reading(false);
    let mut published = 0;
    while world.metric("slow_sockets_total") == 0 {
        assert!(published < MOST_EVENTS, "the slow socket is not closed");
        world.set_status("s1", &format!("{published:0>LARGE$}"));
        assert_eq!(bob.status().await, format!("{published:0>LARGE$}"));
        published += 1;
    }
    alice.set_reading(true);
    alice.closed().await;
    assert!(alice.unread().len() < published);
    world.set_status("s1", "after the end");
    assert_eq!(bob.status().await, "after the end");
    bob.is_served().await;
    assert_eq!(world.metric("slow_sockets_total"), 1);
    world.metric_is("sockets", 1).await;
}

#[tokio::test(start_paused = true)]
async fn d6_a_browser_that_reads_nothing_is_closed_after_the_stall_and_the_others_are_not_affected() {
    let world = World::with(1, |config| config.limits.outbound_bytes = usize::MAX).await;
    world.create_session("s1", &["alice", "bob"]);
    let mut alice = world.slow_member("alice", "s1").await;
    let bob = world.member("bob", "s1").await;
    alice.is_served().await;
    alice.set_reading(false);
    for number in 0..STALLING_EVENTS {
        world.set_status("s1", &format!("{number:0>LARGE$}"));
        assert_eq!(bob.status().await.len(), LARGE);
    }
    world.metric_is("sockets", 2).await;
    // The stall is noticed after one period without progress.
    world.pass(2 * Limits::DEFAULT.write_stall).await;
    world.metric_is("sockets", 1).await;
    assert_eq!(world.metric("slow_sockets_total"), 0);
    world.set_status("s1", "after the end");
    assert_eq!(bob.status().await, "after the end");
}
