//! The link: how the edge leaves a control plane that failed.

use std::time::Duration;

use serde_json::json;
use tracing::Level;

use crate::{
    control_plane::Call,
    time::eventually,
    world::{EDGE, STEP, World, session_room, user_room},
};

/// An edge gives a control plane up when it has received nothing for longer than this.
const SILENCE: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn a_silent_control_plane_is_left_after_two_seconds_and_the_positions_are_renewed() {
    let world = World::start(2).await;
    world.create_session("s1", &["alice"]);
    let alice = world.member("alice", "s1").await;
    world.step().await;
    // When alice receives this, the edge has received the response to the ping.
    world.set_status("s1", "now");
    assert_eq!(alice.status().await, "now");
    let (current, other) = world.current_and_other();
    let (silent, next) = (&world.control_planes[current], &world.control_planes[other]);
    let position = world.logs.tail(&session_room("s1"));
    silent.script().is_silent = true;
    world.set_status("s1", "while silent");
    for _ in 0..(SILENCE.as_millis() / STEP.as_millis()) {
        world.step().await;
        assert_eq!(next.attachments(), 0);
    }
    assert!(world.readiness.check().is_ok());
    tokio::time::advance(STEP).await;
    silent.called(&Call::Detach, 1).await;
    next.called(&Call::Attach(EDGE.to_owned()), 1).await;
    next.called(&Call::Interest(session_room("s1"), Some(position)), 1)
        .await;
    let user_position = Some(world.logs.tail(&user_room("alice")));
    next.called(&Call::Interest(user_room("alice"), user_position), 1)
        .await;
    assert_eq!(alice.status().await, "while silent");
    assert_eq!(alice.unread(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_that_shuts_down_is_left_at_once() {
    let world = World::start(2).await;
    world.create_session("s1", &["alice"]);
    let alice = world.member("alice", "s1").await;
    let (current, other) = world.current_and_other();
    world.control_planes[current].go_away();
    world.control_planes[current].called(&Call::Detach, 1).await;
    let next = &world.control_planes[other];
    eventually("the interest in s1", || {
        next.feeds(&session_room("s1")).then_some(())
    })
    .await;
    world.set_status("s1", "after the move");
    assert_eq!(alice.status().await, "after the move");
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_is_replaced_at_once_and_logged_once() {
    let world = World::start(2).await;
    let (current, other) = world.current_and_other();
    world.control_planes[current].drop_links();
    eventually("the next attachment", || {
        world.control_planes[other].is_attached().then_some(())
    })
    .await;
    let lost = "lost the link to the control plane; attaching again";
    assert_eq!(world.log_lines.at(Level::WARN), [lost]);
    world.metric_is("attachments_total", 2).await;
}

#[tokio::test(start_paused = true)]
async fn the_only_control_plane_is_attached_again_after_a_pause() {
    let world = World::start(1).await;
    let control_plane = &world.control_planes[0];
    world.create_session("s1", &["alice"]);
    let alice = world.member("alice", "s1").await;
    control_plane.drop_links();
    eventually("the closed gate", || world.readiness.check().err()).await;
    assert_eq!(control_plane.attachments(), 1);
    world.set_status("s1", "while not attached");
    // The first pause is 100 ms at most.
    tokio::time::advance(Duration::from_millis(100)).await;
    assert_eq!(alice.status().await, "while not attached");
    assert_eq!(control_plane.attachments(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_join_that_a_failed_control_plane_did_not_respond_to_is_sent_to_the_next_one() {
    let world = World::start(2).await;
    world.create_session("s1", &["alice"]);
    let mut alice = world.browser("alice").await;
    let (current, other) = world.current_and_other();
    world.control_planes[current].script().is_unavailable = true;
    let request = alice.send_request(&json!(["join-session", "s1"]));
    let join = world.control_planes[current].called_join("alice", "s1").await;
    world.control_planes[current].drop_links();
    alice.joined(request).await;
    assert_eq!(world.control_planes[other].count(&join), 1);
}
