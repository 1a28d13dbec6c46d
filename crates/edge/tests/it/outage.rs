//! The link: what an edge does and logs while no control plane accepts it.

use std::time::Duration;

use tokio::time::Instant;
use tracing::Level;

use crate::{
    control_plane::Call,
    time::eventually,
    world::{EDGE, World},
};

/// The longest pause between two attempts to attach.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const BEGINS: &str = "could not attach to a control plane; retrying";

#[tokio::test(start_paused = true)]
async fn an_edge_without_a_control_plane_logs_once_and_then_at_intervals_that_double() {
    let world = World::not_attached(1, |it| it.script().is_unavailable = true, |_| {}).await;
    let control_plane = &world.control_planes[0];
    let began = Instant::now();
    world.failed_attempts(1).await;
    let mut attempts = 1;
    while began.elapsed() < Duration::from_secs(130) {
        tokio::time::advance(LONGEST_PAUSE).await;
        attempts += 1;
        world.failed_attempts(attempts).await;
    }
    control_plane.script().is_unavailable = false;
    tokio::time::advance(LONGEST_PAUSE).await;
    eventually("the attachment", || world.readiness.check().ok()).await;
    assert_eq!(
        control_plane.attachments(),
        attempts + 1,
        "each attempt follows a pause"
    );
    let lines = world.log_lines.at(Level::WARN);
    let seconds: Vec<u64> = lines[1..].iter().map(|line| seconds(line)).collect();
    assert_eq!((lines[0].as_str(), seconds.len()), (BEGINS, 3), "{lines:?}");
    let late = LONGEST_PAUSE.as_secs() * 2;
    for (at, due) in [(0, 30), (1, 2 * seconds[0]), (2, 2 * seconds[1])] {
        assert!((due..=due + late).contains(&seconds[at]), "{lines:?}");
    }
}

impl World {
    /// Waits until this many attempts to attach have failed.
    async fn failed_attempts(&self, count: usize) {
        let is_attempt = |line: &&String| line.starts_with("could not attach to a control plane");
        eventually(&format!("{count} failed attempts"), || {
            let warned = self.log_lines.at(Level::WARN).len();
            let not_warned = self.log_lines.at(Level::DEBUG);
            (warned + not_warned.iter().filter(is_attempt).count() >= count).then_some(())
        })
        .await;
    }
}

/// The duration in `still no control plane after 30 s, 41 attempts`.
fn seconds(line: &str) -> u64 {
    let rest = line
        .strip_prefix("still no control plane after ")
        .unwrap_or_else(|| panic!("{line}"));
    rest.split_once(" s, ").unwrap().0.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_control_plane_is_tried_at_once_before_the_first_pause() {
    let world = World::not_attached(3, |it| it.script().is_unavailable = true, |_| {}).await;
    for control_plane in &world.control_planes {
        control_plane.called(&Call::Attach(EDGE.to_owned()), 1).await;
    }
    world.failed_attempts(3).await;
    assert_eq!(world.log_lines.at(Level::WARN), [BEGINS]);
    assert!(
        world
            .readiness
            .check()
            .unwrap_err()
            .to_string()
            .contains("scripted by the test")
    );
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_that_does_not_respond_to_an_attachment_is_left_after_two_seconds() {
    let world = World::not_attached(2, |it| it.hold_welcome(true), |_| {}).await;
    let attempts = || {
        world
            .control_planes
            .iter()
            .map(|it| it.attachments())
            .collect::<Vec<_>>()
    };
    eventually("the first attempt", || {
        (attempts().iter().sum::<usize>() == 1).then_some(())
    })
    .await;
    let next = usize::from(attempts() == [1, 0]);
    world.control_planes[next].hold_welcome(false);
    tokio::time::advance(Duration::from_secs(2)).await;
    eventually("the attachment", || world.readiness.check().ok()).await;
    assert_eq!(attempts(), [1, 1]);
}
