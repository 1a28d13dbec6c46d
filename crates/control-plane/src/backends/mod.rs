//! `SessionService`, for backends.

mod session_queues;
mod session_service;
mod stream_commands;
mod watch_events;

pub(crate) use session_service::Sessions;
pub(crate) use stream_commands::Commanding;
