//! The pure core of Roomcast: the logic that must be correct, without input or output.
//!
//! It holds ids, roles, session rules, events, positions, cursors, and three state machines: the [`feed`] of
//! one room, the [`hub`] of a control plane and the [`rooms`] of an edge. Time and randomness are
//! arguments, iteration order is fixed, and the same inputs give the same actions (I9).
//!
//! This crate must never use tokio, tonic, redis, a clock or a random source.

pub mod backoff;
pub mod browser_event;
pub mod command;
pub mod cursor;
pub mod error_code;
pub mod event;
pub mod feed;
pub mod hub;
pub mod ids;
pub mod json;
pub mod limits;
pub mod log;
pub mod position;
pub mod replay;
pub mod role;
pub mod room;
pub mod rooms;
pub mod session;
mod small_map;
pub mod snapshot;

pub use backoff::Backoff;
pub use command::{CommandDenial, SessionCommand};
pub use cursor::Cursor;
pub use error_code::ErrorCode;
pub use event::Event;
pub use ids::{FeedbackId, IdError, RequestId, RequestKey, SessionId, UserId};
pub use json::JsonObject;
pub use log::{Entry, LogSlice};
pub use position::{Epoch, Mark, Offset, Position};
pub use role::Role;
pub use room::RoomId;
pub use session::{Participant, Session};
pub use snapshot::{RoomState, SessionView, Snapshot};

/// Milliseconds. A state machine's `now` is read from a monotonic clock; the time of an event counts from the Unix epoch.
pub type Millis = i64;
