//! Where rooms' logs and sessions live: one trait, two implementations, one contract suite that both pass.
//!
//! The log is the only truth. A command on a session is one atomic step that changes the state and appends the
//! entry, so that the two cannot disagree. This crate must never know gRPC or edges.

mod audience;
#[cfg(test)]
mod contract;
mod mailbox;
pub mod memory;
pub mod redis;
mod slots;

use std::sync::Arc;

use async_trait::async_trait;
use roomcast_core::{
    CommandDenial, Entry, LogSlice, Millis, Offset, Position, RequestKey, Role, RoomId, SessionCommand,
    SessionId, SessionView, Snapshot, UserId,
};

pub use self::redis::{RedisConfig, RedisStore, RedisUrl};
pub use memory::MemoryStore;

/// The entry that a command appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Where it stands.
    pub position: Position,
    /// When, by the store's clock: milliseconds since the Unix epoch.
    pub published_at: Millis,
}

/// What a command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The entry in the session's log.
    pub appended: Appended,
    /// The session's revision after it.
    pub revision: u64,
    /// Whether the same request id did this before, and nothing was done now.
    pub duplicate: bool,
}

/// What `require_feedback` did: one entry for each user, in the order of the request (or of the participants).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackRequirement {
    /// Each user with the entry in their log.
    pub users: Vec<(UserId, Appended)>,
    /// Whether the same request id did this before.
    pub duplicate: bool,
}

/// Whether a user takes part in a session, and where in its log that is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Participation {
    /// The session's tail.
    pub position: Position,
    /// As what; `None`: not at all.
    pub role: Option<Role>,
}

/// Why the store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A rule says no; nothing was changed.
    #[error(transparent)]
    Denied(#[from] CommandDenial),
    /// The store is out of reach, or it is not known whether the command was done. A retry with the same
    /// request id is safe.
    #[error("the store is out of reach: {0}")]
    Unavailable(String),
    /// The store holds something that this version can't read, or broke a promise.
    #[error("the store gave an answer that can't be understood: {0}")]
    Corrupt(String),
}

/// What a subscription tells.
#[derive(Debug, Clone)]
pub enum SubscriptionSignal {
    /// The room is listened to from here on: whatever is appended after this was sent comes as a hint, unless it
    /// is lost. Sent once for each `subscribe`, and again for each room after the connection was lost.
    Subscribed(RoomId),
    /// Something was appended. Hints may be lost, repeated or out of order: whoever needs all of them reads the log.
    Notification(RoomId, Arc<Entry>),
    /// The connection that carries hints was lost; `Subscribed` follows for each room when it is back.
    Lost,
}

/// The rooms that one subscriber listens to, and what it is told. Dropping it ends the subscription.
#[async_trait]
pub trait Subscription: Send {
    /// Listens to a room from here on. Not waiting: [`SubscriptionSignal::Subscribed`] tells when it is so.
    fn subscribe(&mut self, room: RoomId);
    /// Listens to the room no more.
    fn unsubscribe(&mut self, room: &RoomId);
    /// The next notice. Cancel-safe. Hints are dropped, never queued without bound: the cap is the
    /// implementation's, and [`SubscriptionSignal::Lost`] tells that some were.
    async fn next(&mut self) -> SubscriptionSignal;
}

/// Sessions, rooms' logs and obligations. Every call either returns within about two seconds or fails with
/// [`StoreError::Unavailable`].
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Does a command on a session in one atomic step: request id, rule, state, entry, remembered answer, hint.
    async fn execute(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<Outcome, StoreError>;

    /// Makes each user owe feedback for the session (`users` empty: every participant) and appends
    /// `FeedbackRequired` to each user's log. Torn calls are completed by a retry with the same request id.
    async fn require_feedback(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<FeedbackRequirement, StoreError>;

    /// Appends `UserDisconnected` to the user's log.
    async fn disconnect_user(&self, user: &UserId, reason: &str) -> Result<Appended, StoreError>;

    /// The session as it stands, with its position; `None` where there is none.
    async fn session(&self, session: &SessionId) -> Result<Option<SessionView>, StoreError>;

    /// Whether a user takes part in the session, at the same cost however many do; `None` where there is no session.
    async fn participation(
        &self,
        session: &SessionId,
        user: &UserId,
    ) -> Result<Option<Participation>, StoreError>;

    /// The room's state with its position; `None` for the room of a session that does not exist. A user's room
    /// always has a state; its position is [`Position::NONE`] where it has no log.
    async fn snapshot(&self, room: &RoomId) -> Result<Option<Snapshot>, StoreError>;

    /// Reads the room's log after an offset, at most `limit` entries; fewer where they are large.
    async fn read(&self, room: &RoomId, after: Offset, limit: usize) -> Result<LogSlice, StoreError>;

    /// The tail of each room, in the same order; [`Position::NONE`] where there is no log.
    async fn tails(&self, rooms: &[RoomId]) -> Result<Vec<Position>, StoreError>;

    /// A new subscription, to no room at first.
    fn subscription(&self) -> Box<dyn Subscription>;

    /// Whether the store can be reached right now.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// The bounds of what a store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// Entries a log keeps, at least 1.
    pub log_entries: u64,
    /// Milliseconds that a log keeps an entry and a request id is remembered.
    pub log_retention: Millis,
    /// Milliseconds that a session, and a room's epoch and tail, outlive the last write.
    pub state_retention: Millis,
    /// Bytes of the largest payload of an event, as JSON.
    pub max_payload: usize,
}

impl Default for StoreLimits {
    fn default() -> Self {
        use roomcast_core::limits;
        Self {
            log_entries: limits::DEFAULT_LOG_ENTRIES,
            log_retention: limits::DEFAULT_LOG_RETENTION,
            state_retention: limits::DEFAULT_STATE_RETENTION,
            max_payload: limits::DEFAULT_MAX_PAYLOAD_BYTES,
        }
    }
}

/// The users without repetitions, in the order of their first mention.
fn distinct(users: &[UserId]) -> Vec<UserId> {
    let mut seen = std::collections::BTreeSet::new();
    users.iter().filter(|user| seen.insert(*user)).cloned().collect()
}
