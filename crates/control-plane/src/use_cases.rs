//! What the control plane does for backends and edges: one method for each use case, over the store.
//!
//! No rule is decided here: the core defines the rules, and the store applies them atomically and in order.

use std::sync::Arc;

use roomcast_core::{
    CommandDenial, LogSlice, Position, RoomId, SessionCommand, SessionId, SessionView, UserId,
    limits::READ_ENTRIES,
};
use roomcast_proto::{
    Failure,
    command::{DisconnectUser, RequireFeedback, SessionChange},
    join::{Join, JoinAuthorization},
    link::ReadLog,
    v1::EventRef,
};
use roomcast_store::{Appended, Participation, Store, StoreError};
use tracing::{error, warn};

use crate::response_size::entries_that_fit;

/// The use cases over one store. Clones share the store.
#[derive(Clone)]
pub(crate) struct UseCases {
    store: Arc<dyn Store>,
}

/// The outcome of a command on a session.
pub(crate) struct ChangeOutcome {
    pub(crate) event: EventRef,
    /// The session's revision after the command.
    pub(crate) revision: u64,
    /// Whether the command had already been executed under the same request id.
    pub(crate) duplicate: bool,
}

/// The outcome of `RequireFeedback`.
pub(crate) struct RequireFeedbackOutcome {
    /// One event for each user, in the order of the request.
    pub(crate) events: Vec<EventRef>,
    /// Whether the command had already been executed under the same request id.
    pub(crate) duplicate: bool,
}

impl UseCases {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Executes a command on a session.
    pub(crate) async fn change(&self, change: SessionChange) -> Result<ChangeOutcome, Failure> {
        let SessionChange {
            session,
            command,
            request,
        } = change;
        let outcome = self.store.execute(&session, &command, request.as_ref()).await;
        let outcome = outcome.map_err(|error| failure(error, large_field(&command)))?;
        Ok(ChangeOutcome {
            event: event_ref(&session.into(), outcome.appended),
            revision: outcome.revision,
            duplicate: outcome.duplicate,
        })
    }

    /// Gives users pending feedback.
    pub(crate) async fn require_feedback(
        &self,
        require: RequireFeedback,
    ) -> Result<RequireFeedbackOutcome, Failure> {
        let RequireFeedback {
            session,
            users,
            request,
        } = require;
        let outcome = self
            .store
            .require_feedback(&session, &users, request.as_ref())
            .await
            .map_err(|error| failure(error, ""))?;
        let event = |(user, appended): (UserId, Appended)| event_ref(&user.into(), appended);
        Ok(RequireFeedbackOutcome {
            events: outcome.users.into_iter().map(event).collect(),
            duplicate: outcome.duplicate,
        })
    }

    /// Closes every socket of a user.
    pub(crate) async fn disconnect_user(&self, disconnect: DisconnectUser) -> Result<EventRef, Failure> {
        let DisconnectUser { user, reason } = disconnect;
        let appended = self
            .store
            .disconnect_user(&user, &reason)
            .await
            .map_err(|error| failure(error, ""))?;
        Ok(event_ref(&user.into(), appended))
    }

    /// Decides whether a user may join a session. A denial is a value, not a failure.
    pub(crate) async fn authorize_join(&self, join: Join) -> Result<JoinAuthorization, Failure> {
        let found = self.store.participation(&join.session, &join.user).await;
        Ok(match found.map_err(|error| failure(error, ""))? {
            None => JoinAuthorization::SessionNotFound,
            Some(Participation { position, role }) => match role {
                Some(role) => JoinAuthorization::Admission { role, position },
                None => JoinAuthorization::NotAParticipant { position },
            },
        })
    }

    /// The session's current state.
    pub(crate) async fn session(&self, session: SessionId) -> Result<SessionView, Failure> {
        let found = self.store.session(&session).await;
        found
            .map_err(|error| failure(error, ""))?
            .ok_or_else(session_not_found)
    }

    /// The part of a room's log after an offset, as much of it as fits into one response.
    pub(crate) async fn read_log(&self, read: ReadLog) -> Result<LogSlice, Failure> {
        let slice = self.store.read(&read.room, read.after, READ_ENTRIES).await;
        let mut slice = slice.map_err(|error| failure(error, ""))?;
        slice.entries.truncate(entries_that_fit(&slice.entries));
        Ok(slice)
    }

    /// The position before the oldest event that is still in the room's log.
    pub(crate) async fn before_oldest_event(&self, room: &RoomId) -> Result<Position, Failure> {
        let slice = self.store.read(room, Position::NONE.offset, 1).await;
        let slice = slice.map_err(|error| failure(error, ""))?;
        Ok(Position::new(slice.epoch, slice.first.previous()))
    }

    /// Fails if the room is that of a session that does not exist. A user's room always exists.
    pub(crate) async fn check_room_exists(&self, room: &RoomId) -> Result<(), Failure> {
        let snapshot = self.store.snapshot(room).await;
        match snapshot.map_err(|error| failure(error, ""))? {
            Some(_) => Ok(()),
            None => Err(session_not_found()),
        }
    }
}

pub(crate) fn session_not_found() -> Failure {
    Failure::Denied {
        denial: CommandDenial::SessionNotFound,
        large_field: "",
    }
}

/// The request's field that makes the command's event large; empty if no field can.
fn large_field(command: &SessionCommand) -> &'static str {
    match command {
        SessionCommand::Publish { .. } => "session.attributes",
        SessionCommand::UpdateFeedback { .. } => "updates",
        SessionCommand::SelectRole { .. } | SessionCommand::RemoveParticipant { .. } => "",
    }
}

fn failure(error: StoreError, large_field: &'static str) -> Failure {
    match error {
        StoreError::Denied(denial) => Failure::Denied { denial, large_field },
        StoreError::Unavailable(reason) => {
            warn!(reason, "call failed: the store is unreachable");
            Failure::StoreUnavailable
        }
        StoreError::Corrupt(reason) => {
            error!(
                reason,
                "call failed: the store returned data that cannot be decoded"
            );
            Failure::Internal
        }
    }
}

fn event_ref(room: &RoomId, appended: Appended) -> EventRef {
    EventRef::new(room, appended.position, appended.published_at)
}
