//! The logs of rooms, which all control planes of a test serve, as if they shared a store.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use roomcast_core::{
    Entry, Epoch, Event, JsonObject, LogSlice, Mark, Offset, Participant, Position, Role, RoomId, RoomState,
    Session, SessionId, Snapshot, UserId,
};
use roomcast_proto::join::{Join, JoinAuthorization};

/// When the first entry was published, in milliseconds since the Unix epoch.
const FIRST_ENTRY_AT: i64 = 1_746_667_200_000;

/// The logs by room. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<BTreeMap<RoomId, Vec<Arc<Entry>>>>>);

impl Logs {
    fn entries(&self, room: &RoomId) -> Vec<Arc<Entry>> {
        self.0.lock().unwrap().get(room).cloned().unwrap_or_default()
    }

    pub(crate) fn append(&self, room: &RoomId, event: Event) -> Arc<Entry> {
        let mut logs = self.0.lock().unwrap();
        let log = logs.entry(room.clone()).or_default();
        let offset = log.len() as u64 + 1;
        let at = FIRST_ENTRY_AT + i64::try_from(offset).unwrap();
        let entry = Arc::new(Entry::new(Epoch::from_random(0xab), Offset(offset), at, event));
        log.push(entry.clone());
        entry
    }

    pub(crate) fn tail(&self, room: &RoomId) -> Position {
        let last = self.entries(room).last().map(|entry| entry.position);
        last.unwrap_or(Position::NONE)
    }

    pub(crate) fn after(&self, room: &RoomId, after: Offset) -> Vec<Arc<Entry>> {
        let mut entries = self.entries(room);
        entries.retain(|entry| entry.position.offset > after);
        entries
    }

    pub(crate) fn slice(&self, room: &RoomId, after: Offset) -> LogSlice {
        let Some(at) = self
            .entries(room)
            .into_iter()
            .find(|entry| entry.position.offset == after)
        else {
            return LogSlice::of_no_log(after);
        };
        LogSlice {
            epoch: at.position.epoch,
            first: Offset(1),
            tail: self.tail(room).offset,
            after,
            after_mark: Mark::of(at.published_at),
            entries: self.after(room, after),
        }
    }

    /// `None` for the room of a session that does not exist.
    pub(crate) fn snapshot(&self, room: &RoomId) -> Option<Snapshot> {
        let entries = self.entries(room);
        let mut state = match (room, entries.first().map(|entry| &entry.event)) {
            (RoomId::User(_), _) => RoomState::User {
                pending_feedback: BTreeSet::new(),
            },
            (RoomId::Session(_), Some(Event::SessionUpdated { session, .. })) => {
                RoomState::Session(session.clone())
            }
            (RoomId::Session(_), _) => return None,
        };
        for entry in entries {
            state.fold(entry.position.offset, &entry.event);
        }
        Some(Snapshot {
            position: self.tail(room),
            state,
        })
    }

    pub(crate) fn session(&self, id: &SessionId) -> Option<Arc<Session>> {
        match self.snapshot(&RoomId::Session(id.clone()))?.state {
            RoomState::Session(session) => Some(session),
            RoomState::User { .. } => None,
        }
    }

    pub(crate) fn authorize(&self, join: &Join) -> JoinAuthorization {
        let position = self.tail(&RoomId::Session(join.session.clone()));
        let Some(session) = self.session(&join.session) else {
            return JoinAuthorization::SessionNotFound;
        };
        match session.participant(&join.user) {
            Some(Participant { role, .. }) => JoinAuthorization::Admission {
                role: *role,
                position,
            },
            None => JoinAuthorization::NotAParticipant { position },
        }
    }
}

/// The creation of a session whose participants are observers.
pub(crate) fn creation(id: &str, users: &[&str]) -> Event {
    let participant = |user: &&str| Participant {
        user: user.parse::<UserId>().unwrap(),
        role: Role::Observer,
        added_at: Offset(1),
    };
    let session = Session {
        id: id.parse().unwrap(),
        status: "created".into(),
        participants: users.iter().map(participant).collect(),
        attributes: JsonObject::empty(),
        revision: 1,
    };
    Event::SessionUpdated {
        session: session.into(),
        removed: Vec::new(),
    }
}
