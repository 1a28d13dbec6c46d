//! The hub: one feed for each room that a follower is interested in.

mod follower;
mod store_reads;
mod task;

pub(crate) use follower::{Fed, Follower, HubHandle};
pub(crate) use task::start;
