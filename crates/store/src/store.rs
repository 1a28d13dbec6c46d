//! The store's trait and its types.

use std::sync::Arc;

use async_trait::async_trait;
use roomcast_core::{
    CommandDenial, Entry, LogSlice, Millis, Offset, Position, Role, RoomId, SessionCommand, SessionId,
    SessionView, Snapshot, UserId, ids::RequestKey,
};

/// The entry that a command appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The position of the entry.
    pub position: Position,
    /// When it was appended, by the store's clock: milliseconds since the Unix epoch.
    pub published_at: Millis,
}

/// The result of a command on a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The entry in the session's log.
    pub appended: Appended,
    /// The session's revision after the command.
    pub revision: u64,
    /// Whether an earlier call with the same request id had this result, and this call changed nothing.
    pub duplicate: bool,
}

/// The result of [`Store::require_feedback`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackRequirement {
    /// Each user with the entry in their log, in the order of the request, or of the participants if it named none.
    pub users: Vec<(UserId, Appended)>,
    /// Whether an earlier call with the same request id had this result.
    pub duplicate: bool,
}

/// Whether a user is a participant of a session, and the position at which this is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Participation {
    /// The tail of the session's log.
    pub position: Position,
    /// The user's role; `None` if the user is not a participant.
    pub role: Option<Role>,
}

/// Why a call to the store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A rule denied the command; nothing was changed.
    #[error(transparent)]
    Denied(#[from] CommandDenial),
    /// The store is unreachable, or the result of the command is unknown. A retry with the same request id is safe.
    #[error("the store is unreachable: {0}")]
    Unavailable(String),
    /// The store contains data that this version cannot read, or its response breaks the protocol.
    #[error("the store sent an invalid response: {0}")]
    Corrupt(String),
}

/// What a [`Subscription`] yields.
#[derive(Debug, Clone)]
pub enum SubscriptionSignal {
    /// The subscription to the room is active: every later append is notified, unless the notification is lost.
    /// Sent once for each `subscribe`, and again for each affected room after [`SubscriptionSignal::Lost`].
    Subscribed(RoomId),
    /// An entry was appended. Notifications may be lost, repeated or out of order; a reader that needs every entry
    /// reads the log.
    Notification(RoomId, Arc<Entry>),
    /// Notifications were lost. `Subscribed` follows for each affected room as soon as its subscription is active
    /// again.
    Lost,
}

/// The one reader of a store's notifications, and the rooms it subscribes to. Dropping it ends the subscription.
#[async_trait]
pub trait Subscription: Send {
    /// Subscribes to a room. It returns immediately; [`SubscriptionSignal::Subscribed`] follows.
    fn subscribe(&mut self, room: RoomId);
    /// Ends the subscription to the room, and drops its signals that were not read yet.
    fn unsubscribe(&mut self, room: &RoomId);
    /// The next signal. Cancel-safe.
    ///
    /// At most 256 notifications wait to be read. When another one arrives, all of them are dropped, and
    /// [`SubscriptionSignal::Lost`] is sent.
    async fn next(&mut self) -> SubscriptionSignal;
}

/// Sessions, the logs of rooms, and pending feedback. Each call returns within about two seconds, or fails with
/// [`StoreError::Unavailable`].
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Executes a command on a session in one atomic step: checks the request id and the rule, changes the state,
    /// appends the entry, stores the response under the request id, and notifies the subscribers.
    async fn execute(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<Outcome, StoreError>;

    /// Adds pending feedback for the session to each user (`users` empty: to every participant), and appends
    /// `FeedbackRequired` to each user's log. A retry with the same request id completes a call that failed halfway.
    async fn require_feedback(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<FeedbackRequirement, StoreError>;

    /// Appends `UserDisconnected` to the user's log.
    async fn disconnect_user(&self, user: &UserId, reason: &str) -> Result<Appended, StoreError>;

    /// The session's current state and position; `None` if it does not exist.
    async fn session(&self, session: &SessionId) -> Result<Option<SessionView>, StoreError>;

    /// Whether a user is a participant of the session; `None` if the session does not exist. The cost does not
    /// depend on the number of participants.
    async fn participation(
        &self,
        session: &SessionId,
        user: &UserId,
    ) -> Result<Option<Participation>, StoreError>;

    /// The room's state and position; `None` for a session that does not exist. The room of a user always has a
    /// state; its position is [`Position::NONE`] if it has no log.
    async fn snapshot(&self, room: &RoomId) -> Result<Option<Snapshot>, StoreError>;

    /// Reads the room's log after an offset: at most `limit` entries, and fewer if they are large.
    async fn read(&self, room: &RoomId, after: Offset, limit: usize) -> Result<LogSlice, StoreError>;

    /// The tail of each room, in the order of `rooms`; [`Position::NONE`] for a room without a log.
    async fn tails(&self, rooms: &[RoomId]) -> Result<Vec<Position>, StoreError>;

    /// The store's one reader of notifications, at first without a room.
    ///
    /// # Panics
    /// If the previous reader was not dropped.
    fn subscription(&self) -> Box<dyn Subscription>;

    /// Checks that the store is reachable.
    async fn ping(&self) -> Result<(), StoreError>;
}
