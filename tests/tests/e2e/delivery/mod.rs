//! Which sockets receive which events, in which order and with which payload.

mod events;
mod large_events;
mod ordering;
mod payloads;
mod pending_feedback;
mod slow_readers;
