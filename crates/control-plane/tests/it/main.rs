//! A control plane over the memory store, on a real listener, called by generated clients and by raw bytes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod attach;
mod commands;
mod drain;
mod errors;
mod rim;
mod sessions;
mod tls;
mod tokens;
mod watch;
mod world;
