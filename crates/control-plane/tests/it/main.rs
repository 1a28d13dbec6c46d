//! A control plane over the memory store, on a real listener, called by generated clients and by raw bytes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod drain;
mod errors;
mod harness;
mod link;
mod raw_requests;
mod sessions;
mod stream_commands;
mod tls;
mod tokens;
mod watch_events;
