//! A control plane over the memory store, on a real listener, called by generated clients and with raw bytes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod deadlines;
mod drain;
mod edge;
mod errors;
mod faulty_store;
mod harness;
mod health;
mod link;
mod load;
mod log_capture;
mod raw_requests;
mod reflection;
mod requests;
mod sessions;
mod stream_commands;
mod tls;
mod tokens;
mod watch_events;
