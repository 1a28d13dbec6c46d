//! Resume: a browser reconnects with its pid and its cursor.

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    control_plane::Call,
    world::{World, session_room},
};

/// A world with a session of alice and bob, and the pid and the cursor of a browser of alice that has disconnected.
async fn disconnected() -> (World, String, String) {
    let world = World::start(1).await;
    world.create_session("s1", &["alice", "bob"]);
    let mut alice = Browser::open("alice", world.edge).await;
    let pid = alice.connect(&world.auth("alice")).await;
    alice.join("s1").await;
    world.set_status("s1", "seen");
    let cursor = alice.event().await.cursor;
    drop(alice);
    (world, pid, cursor)
}

fn with_cursor(mut auth: Value, pid: &str, cursor: &str) -> Value {
    auth["pid"] = pid.into();
    auth["offset"] = cursor.into();
    auth
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_reconnects_keeps_its_pid_and_receives_the_missed_events_in_order() {
    let (world, pid, cursor) = disconnected().await;
    world.metric_is("sockets", 0).await;
    for status in ["missed 1", "missed 2"] {
        world.set_status("s1", status);
    }
    let mut alice = Browser::open("alice", world.edge).await;
    let auth = with_cursor(world.auth("alice"), &pid, &cursor);
    assert_eq!(alice.connect(&auth).await, pid);
    assert_eq!(alice.event().await.name, "session-joined");
    for status in ["missed 1", "missed 2"] {
        assert_eq!(alice.status().await, status);
    }
    world.set_status("s1", "live");
    assert_eq!(alice.status().await, "live");
    alice.is_served().await;
    assert_eq!(
        world.control_planes[0].count(&Call::ReadLog(session_room("s1"), 2)),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_another_user_starts_a_fresh_connection() {
    let (world, pid, cursor) = disconnected().await;
    let mut bob = Browser::open("bob", world.edge).await;
    let auth = with_cursor(world.auth("bob"), &pid, &cursor);
    assert_ne!(bob.connect(&auth).await, pid);
    bob.is_served().await;
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_cannot_be_continued_starts_a_fresh_connection() {
    let (world, pid, _) = disconnected().await;
    for cursor in ["x", "1;s1,0000000000cd,1"] {
        let mut alice = Browser::open("alice", world.edge).await;
        let auth = with_cursor(world.auth("alice"), &pid, cursor);
        assert_ne!(alice.connect(&auth).await, pid, "{cursor}");
        alice.is_served().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_join_with_a_position_is_recovered_and_replays_the_missed_events() {
    let (world, _, cursor) = disconnected().await;
    world.set_status("s1", "missed");
    let mut alice = world.browser("alice").await;
    let request = alice.send_request(&json!(["join-session", "s1", { "after": cursor }]));
    assert_eq!(alice.joined(request).await["recovered"], true);
    assert_eq!(alice.status().await, "missed");
    alice.is_served().await;
}
