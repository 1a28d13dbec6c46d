//! What backends call: commands, idempotency, streams of commands and of events.

mod command_stream;
mod disconnect_user;
mod reflection;
mod session_rules;
mod watch_events;
