//! The link: how the edge moves to a control plane that is less busy.

use std::time::Duration;

use roomcast_proto::link::Load;

use crate::{
    control_plane::Call,
    time::eventually,
    world::{EDGE, STEP, World, session_room, user_room},
};

/// How often, on average, the edge looks at another control plane.
const REBALANCE: Duration = Duration::from_secs(2);

async fn world() -> World {
    World::with(2, |config| config.rebalance = REBALANCE).await
}

impl World {
    /// Lets time pass until this control plane was looked at this often.
    async fn pass_until_looked_at(&self, at: usize, times: usize) {
        while self.control_planes[at].count(&Call::GetLoad) < times {
            self.step().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_at_a_control_plane_that_is_not_better_is_no_attachment() {
    let world = world().await;
    let (current, other) = world.current_and_other();
    // Both feed three edges if this one moves.
    world.control_planes[current].script().load.edges = 2;
    world.control_planes[other].script().load.edges = 2;
    world.pass_until_looked_at(other, 3).await;
    assert_eq!(world.control_planes[other].attachments(), 0);
    assert_eq!(world.metric("attachments_total"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_only_edge_of_a_control_plane_does_not_look_at_others() {
    let world = world().await;
    world.pass(5 * REBALANCE).await;
    for control_plane in &world.control_planes {
        assert_eq!(control_plane.count(&Call::GetLoad), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_opens_the_new_link_before_it_leaves_the_old_one() {
    let world = world().await;
    world.create_session("s1", &["alice"]);
    let alice = world.member("alice", "s1").await;
    let (current, other) = world.current_and_other();
    let (old, new) = (&world.control_planes[current], &world.control_planes[other]);
    old.script().load.edges = 5;
    new.hold_welcome(true);
    while new.attachments() == 0 {
        world.step().await;
    }
    // The new link is not open yet, and the old one is in use.
    world.set_status("s1", "before the move");
    assert_eq!(alice.status().await, "before the move");
    assert_eq!(old.count(&Call::Detach), 0);
    let position = world.logs.tail(&session_room("s1"));
    new.hold_welcome(false);
    old.called(&Call::Detach, 1).await;
    new.called(&Call::Interest(session_room("s1"), Some(position)), 1)
        .await;
    world.set_status("s1", "after the move");
    assert_eq!(alice.status().await, "after the move");
    assert_eq!(world.log_lines.at(tracing::Level::WARN), [""; 0]);
    assert!(world.readiness.check().is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_edge_leaves_a_control_plane_that_cannot_reach_the_store_within_a_few_pings() {
    let world = World::start(2).await;
    let _alice = world.browser("alice").await;
    let (current, other) = world.current_and_other();
    let busy = Load {
        store_unreachable: false,
        edges: 100,
    };
    world.control_planes[other].script().load = busy;
    world.control_planes[current].script().load.store_unreachable = true;
    // The edge looks at a control plane chosen at random, which may be the current one.
    while world.control_planes[other].attachments() == 0 {
        tokio::time::advance(STEP).await;
        tokio::task::yield_now().await;
    }
    world.control_planes[other]
        .called(&Call::Attach(EDGE.to_owned()), 1)
        .await;
    eventually("the interest", || {
        world.control_planes[other]
            .feeds(&user_room("alice"))
            .then_some(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_has_no_effect() {
    let world = world().await;
    let (current, other) = world.current_and_other();
    world.control_planes[current].script().load.edges = 5;
    world.control_planes[other].script().is_unavailable = true;
    world.pass_until_looked_at(other, 2).await;
    assert!(world.control_planes[current].is_attached());
    assert_eq!(world.log_lines.at(tracing::Level::WARN), [""; 0]);
}
