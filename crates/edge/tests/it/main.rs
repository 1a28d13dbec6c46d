//! An edge in this process, between fake control planes and raw Socket.IO clients, on loopback connections.
//!
//! Time is paused and passes only where a test calls [`world::World::step`]: no timer of the edge runs because the test
//! is slow.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod browser;
mod connections;
mod control_plane;
mod delivery;
mod drain;
mod failover;
mod log_lines;
mod logs;
mod outage;
mod rebalance;
mod requests;
mod resume;
mod time;
mod tokens;
mod world;
