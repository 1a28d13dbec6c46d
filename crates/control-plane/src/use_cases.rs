//! What the control plane does for backends and edges: one use case a method, over the store.
//!
//! It decides nothing itself: the rules are the core's, the order and the atomicity the store's.

use std::sync::Arc;

use roomcast_core::{
    CommandDenial, Position, RoomId, SessionCommand, SessionId, SessionView, UserId, limits::READ_ENTRIES,
};
use roomcast_core::{LogSlice, Snapshot};
use roomcast_proto::{
    Failure,
    command::{Change, Disconnect, Require},
    join::{Join, JoinAuthorization},
    link::ReadLog,
    v1::EventRef,
};
use roomcast_store::{Appended, Participation, Store, StoreError};
use tracing::{error, warn};

use crate::portion;

/// The use cases.
#[derive(Clone)]
pub(crate) struct UseCases {
    store: Arc<dyn Store>,
}

/// What a change of a session did.
pub(crate) struct Changed {
    pub(crate) event: EventRef,
    pub(crate) revision: u64,
    pub(crate) duplicate: bool,
}

/// What a requirement of feedback did.
pub(crate) struct Required {
    pub(crate) events: Vec<EventRef>,
    pub(crate) duplicate: bool,
}

impl UseCases {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Does a command on a session.
    pub(crate) async fn change(&self, change: Change) -> Result<Changed, Failure> {
        let Change {
            session,
            command,
            request,
        } = change;
        let done = self.store.execute(&session, &command, request.as_ref()).await;
        let done = done.map_err(|error| failure(error, large_field(&command)))?;
        let event = event_ref(&session.into(), done.appended);
        Ok(Changed {
            event,
            revision: done.revision,
            duplicate: done.duplicate,
        })
    }

    /// Makes users owe feedback.
    pub(crate) async fn require_feedback(&self, require: Require) -> Result<Required, Failure> {
        let Require {
            session,
            users,
            request,
        } = require;
        let done = self
            .store
            .require_feedback(&session, &users, request.as_ref())
            .await;
        let done = done.map_err(|error| failure(error, ""))?;
        let event = |(user, appended): (UserId, Appended)| event_ref(&user.into(), appended);
        Ok(Required {
            events: done.users.into_iter().map(event).collect(),
            duplicate: done.duplicate,
        })
    }

    /// Closes every socket of a user.
    pub(crate) async fn disconnect_user(&self, disconnect: Disconnect) -> Result<EventRef, Failure> {
        let Disconnect { user, reason } = disconnect;
        let appended = self
            .store
            .disconnect_user(&user, &reason)
            .await
            .map_err(|error| failure(error, ""))?;
        Ok(event_ref(&user.into(), appended))
    }

    /// Whether a user may join a session, and as what.
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

    /// The session as it stands.
    pub(crate) async fn session(&self, session: SessionId) -> Result<SessionView, Failure> {
        let found = self
            .store
            .session(&session)
            .await
            .map_err(|error| failure(error, ""))?;
        found.ok_or_else(session_not_found)
    }

    /// A part of a room's log.
    pub(crate) async fn read_log(&self, read: ReadLog) -> Result<LogSlice, Failure> {
        let slice = self.store.read(&read.room, read.after, READ_ENTRIES).await;
        let mut slice = slice.map_err(|error| failure(error, ""))?;
        slice.entries.truncate(portion::of(&slice.entries));
        Ok(slice)
    }

    /// The position before the oldest event that the room's log still has.
    pub(crate) async fn oldest(&self, room: &RoomId) -> Result<Position, Failure> {
        let slice = self
            .store
            .read(room, Position::NONE.offset, 1)
            .await
            .map_err(|error| failure(error, ""))?;
        Ok(Position::new(slice.epoch, slice.first.previous()))
    }

    /// Whether there is such a room: a user's always is.
    pub(crate) async fn check_room(&self, room: &RoomId) -> Result<(), Failure> {
        match self.snapshot(room).await? {
            Some(_) => Ok(()),
            None => Err(session_not_found()),
        }
    }

    async fn snapshot(&self, room: &RoomId) -> Result<Option<Snapshot>, Failure> {
        self.store
            .snapshot(room)
            .await
            .map_err(|error| failure(error, ""))
    }
}

pub(crate) fn session_not_found() -> Failure {
    Failure::Denied {
        denial: CommandDenial::SessionNotFound,
        large_field: "",
    }
}

/// The field that makes a command's event large.
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
            warn!(reason, "a call failed: the store is out of reach");
            Failure::StoreUnavailable
        }
        StoreError::Corrupt(reason) => {
            error!(reason, "a call failed: the store's answer can't be understood");
            Failure::Internal
        }
    }
}

fn event_ref(room: &RoomId, appended: Appended) -> EventRef {
    EventRef::new(room, appended.position, appended.published_at)
}
