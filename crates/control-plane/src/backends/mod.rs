//! `roomcast.v1.SessionService`, for backends.

mod session_queues;
mod session_service;
mod stream_commands;
mod watch_events;

pub(crate) use session_service::SessionServiceImpl;
pub(crate) use stream_commands::StreamCommandsContext;
