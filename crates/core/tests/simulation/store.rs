//! The store: logs that are trimmed, that lose their last entries, or that are lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use roomcast_core::{
    CommandDenial, Entry, Epoch, Event, LogSlice, Mark, Millis, Offset, Position, RoomId, RoomState,
    SessionCommand, SessionId, Snapshot, UserId, command::decide,
};

use crate::oracle::Oracle;

/// The number of entries that a log keeps.
const RETAINED_ENTRIES: usize = 12;
/// The maximum number of entries that a read returns.
const READ_LIMIT: usize = 3;

/// One epoch of a log.
struct Log {
    epoch: Epoch,
    /// All entries, with the trimmed ones, each with the state after it.
    entries: Vec<(Arc<Entry>, RoomState)>,
    /// The lowest number of entries that a loss of the last entries has left. The entry with this offset and later
    /// entries are never trimmed: a later entry may get the offset of a lost one, and only the mark of an entry that is
    /// not trimmed distinguishes the two.
    trim_limit: usize,
}

#[derive(Default)]
pub(crate) struct Store {
    logs: BTreeMap<RoomId, Log>,
    /// The position of the entry of each request id. It is lost with the entry.
    requests: BTreeMap<u64, (RoomId, Position)>,
    epochs: u64,
    clock: Millis,
}

impl Store {
    pub(crate) fn execute(
        &mut self,
        session: &SessionId,
        command: &SessionCommand,
        request: u64,
        oracle: &mut Oracle,
    ) -> Result<(Position, Option<Arc<Entry>>), CommandDenial> {
        if let Some((_, position)) = self.requests.get(&request) {
            return Ok((*position, None));
        }
        let room = RoomId::from(session.clone());
        let before = match self.logs.get(&room).and_then(|log| log.entries.last()) {
            Some((_, RoomState::Session(session))) => Some((**session).clone()),
            Some((_, RoomState::User { .. })) | None => None,
        };
        let event = decide(
            session,
            before.as_ref(),
            command,
            self.next(&room),
            self.clock,
            1 << 20,
        )?;
        let entry = self.append(&room, event, oracle);
        self.requests.insert(request, (room, entry.position));
        Ok((entry.position, Some(entry)))
    }

    /// Changes whether the user has pending feedback for the session. `None` if nothing changes.
    pub(crate) fn set_pending_feedback(
        &mut self,
        user: &UserId,
        session: &SessionId,
        is_pending: bool,
        oracle: &mut Oracle,
    ) -> Option<(RoomId, Arc<Entry>)> {
        let room = RoomId::User(user.clone());
        let session = session.clone();
        if self.pending_feedback(user).contains(&session) == is_pending {
            return None;
        }
        let event = if is_pending {
            Event::FeedbackRequired { session }
        } else {
            Event::FeedbackSettled { session }
        };
        let entry = self.append(&room, event, oracle);
        Some((room, entry))
    }

    pub(crate) fn pending_feedback(&self, user: &UserId) -> BTreeSet<SessionId> {
        let log = self.logs.get(&RoomId::User(user.clone()));
        match log.and_then(|log| log.entries.last()) {
            Some((_, RoomState::User { pending_feedback })) => pending_feedback.clone(),
            Some((_, RoomState::Session(_))) | None => BTreeSet::new(),
        }
    }

    fn next(&self, room: &RoomId) -> Offset {
        Offset(self.logs.get(room).map_or(1, |log| log.entries.len() as u64 + 1))
    }

    fn append(&mut self, room: &RoomId, event: Event, oracle: &mut Oracle) -> Arc<Entry> {
        self.clock += 1;
        let offset = self.next(room);
        let log = self.logs.entry(room.clone()).or_insert_with(|| {
            self.epochs += 1;
            Log {
                epoch: Epoch::from_random(self.epochs),
                entries: Vec::new(),
                trim_limit: usize::MAX,
            }
        });
        let before = log.entries.last();
        let mut state = match (before, &event) {
            (Some((_, state)), _) => state.clone(),
            (None, Event::SessionUpdated { session, .. }) => RoomState::Session(session.clone()),
            (None, _) => RoomState::User {
                pending_feedback: BTreeSet::new(),
            },
        };
        state.fold(offset, &event);
        let entry = Arc::new(Entry::new(log.epoch, offset, self.clock, event));
        oracle.appended(room, &entry, before.map(|(before, _)| before.position), &state);
        log.entries.push((entry.clone(), state));
        entry
    }

    pub(crate) fn snapshot(&self, room: &RoomId) -> Option<Snapshot> {
        let last = self.logs.get(room).and_then(|log| log.entries.last());
        match (last, room) {
            (Some((entry, state)), _) => Some(Snapshot {
                position: entry.position,
                state: state.clone(),
            }),
            (None, RoomId::Session(_)) => None,
            (None, RoomId::User(_)) => Some(Snapshot {
                position: self.tail(room),
                state: RoomState::User {
                    pending_feedback: BTreeSet::new(),
                },
            }),
        }
    }

    pub(crate) fn tail(&self, room: &RoomId) -> Position {
        let Some(log) = self.logs.get(room) else {
            return Position::NONE;
        };
        let before = Position::new(log.epoch, Offset::ZERO);
        log.entries.last().map_or(before, |(entry, _)| entry.position)
    }

    /// The offset of the oldest entry that is not trimmed.
    pub(crate) fn first(&self, room: &RoomId) -> Offset {
        let trimmed = |log: &Log| {
            let trimmed = log.entries.len().saturating_sub(RETAINED_ENTRIES);
            trimmed.min(log.trim_limit - 1)
        };
        Offset(self.logs.get(room).map_or(0, trimmed) as u64 + 1)
    }

    pub(crate) fn read(&self, room: &RoomId, after: Offset) -> LogSlice {
        let (tail, first) = (self.tail(room), self.first(room));
        let entries = self.logs.get(room).map_or(&[][..], |log| &log.entries);
        let kept = || {
            entries
                .iter()
                .map(|(entry, _)| entry)
                .filter(|entry| entry.position.offset >= first)
        };
        let entry_at_after = kept().find(|entry| entry.position.offset == after);
        LogSlice {
            epoch: tail.epoch,
            first,
            tail: tail.offset,
            after,
            after_mark: entry_at_after.map_or(Mark::UNKNOWN, |entry| entry.position.mark),
            entries: kept()
                .filter(|entry| entry.position.offset > after)
                .take(READ_LIMIT)
                .cloned()
                .collect(),
        }
    }

    /// Loses the last few entries of some logs, like the promotion of a replica that does not have them. `losses` gives
    /// the number of lost entries for each log.
    pub(crate) fn lose_ends(&mut self, mut losses: impl FnMut() -> usize, oracle: &mut Oracle) {
        for (room, log) in &mut self.logs {
            // Each log keeps its first entry. `lose_all` covers the loss of a whole log.
            let lost = losses().min(log.entries.len() - 1).min(RETAINED_ENTRIES / 2);
            if lost > 0 {
                log.entries.truncate(log.entries.len() - lost);
                log.trim_limit = log.trim_limit.min(log.entries.len());
                oracle.lost(room, log.entries.last().map(|(_, state)| state));
            }
        }
        self.forget_lost_requests();
        // The new machine has another clock, so no entry gets the mark of a lost entry.
        self.clock += 1_000;
    }

    pub(crate) fn lose_all(&mut self, oracle: &mut Oracle) {
        for room in self.logs.keys() {
            oracle.lost(room, None);
        }
        self.logs.clear();
        self.forget_lost_requests();
    }

    fn forget_lost_requests(&mut self) {
        let logs = &self.logs;
        self.requests.retain(|_, (room, position)| {
            let log = logs.get(room);
            log.is_some_and(|log| {
                log.epoch == position.epoch && log.entries.len() as u64 >= position.offset.0
            })
        });
    }

    /// Whether the log has the entry at this position, or had it before the entry was trimmed.
    pub(crate) fn has(&self, room: &RoomId, at: Position) -> bool {
        let log = self.logs.get(room).filter(|log| log.epoch == at.epoch);
        let index = usize::try_from(at.offset.0).expect("few entries").checked_sub(1);
        log.is_some_and(|log| {
            index.is_none_or(|index| {
                log.entries
                    .get(index)
                    .is_some_and(|(entry, _)| entry.position.mark.agrees(at.mark))
            })
        })
    }
}
