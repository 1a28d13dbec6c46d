//! End to end: the real binary, a real Redis, grpcurl, and stock Socket.IO clients.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod api;
mod cluster;
mod command_line;
mod disconnect;
mod events;
mod faults;
mod feedback;
mod jwks;
mod lifecycle;
mod malformed;
mod membership;
mod questions;
mod resume;
mod rules;
mod tokens;
mod wire;
