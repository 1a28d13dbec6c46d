//! End to end: the real binary, a real Redis, grpcurl, and stock Socket.IO clients.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod api;
mod bridge;
mod cluster;
mod command_line;
mod commands;
mod crowd;
mod disconnect;
mod events;
mod faults;
mod feedback;
mod hangs;
mod jwks;
mod large;
mod lifecycle;
mod logs;
mod malformed;
mod membership;
mod once;
mod origins;
mod partitions;
mod payloads;
mod playground;
mod promotion;
mod protocol;
mod questions;
mod refusals;
mod resume;
mod rules;
mod second_edge;
mod service_tokens;
mod soak;
mod starts;
mod tokens;
mod watching;
mod wire;
