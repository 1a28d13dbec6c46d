//! End to end: the real binary, a real Redis, grpcurl, and stock Socket.IO clients.
//!
//! `tests/README.md` says where a new test belongs.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod backend_api;
mod delivery;
mod dev;
mod failover;
mod joining;
mod process;
mod resume;
mod security;
