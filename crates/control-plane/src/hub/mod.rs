//! The hub: one feed for each room that an edge's link or a `WatchEvents` stream follows.
//!
//! `task` runs the core's hub, `store_reads` reads the store for it, and `follower` is how the services reach it.

mod follower;
mod store_reads;
mod task;

pub(crate) use follower::{Follower, HubHandle, RoomUpdate};
pub(crate) use task::start;
