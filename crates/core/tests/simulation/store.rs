//! The store: logs that are trimmed, that lose their ends, and that are lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use roomcast_core::{
    CommandDenial, Entry, Epoch, Event, LogSlice, Mark, Millis, Offset, Position, RoomId, RoomState,
    SessionCommand, SessionId, Snapshot, UserId, command::decide,
};

use crate::oracle::Oracle;

/// How many entries a log keeps.
const RETAINED: usize = 12;
/// How many entries a read returns.
const READ: usize = 3;

/// The entries of one life of a log, also those that are trimmed, each with the state after it.
struct Log {
    epoch: Epoch,
    entries: Vec<(Arc<Entry>, RoomState)>,
    /// The least that it ever had after it lost its end: nothing after that is trimmed, since what stood at a place that
    /// is trimmed away can't be known any more, and whoever comes back from just there is taken at their word.
    whole: usize,
}

#[derive(Default)]
pub(crate) struct Store {
    logs: BTreeMap<RoomId, Log>,
    /// What was answered under a request id: state like any other, and lost with the entry.
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
        let body = decide(
            session,
            before.as_ref(),
            command,
            self.next(&room),
            self.clock,
            1 << 20,
        )?;
        let entry = self.append(&room, body, oracle);
        self.requests.insert(request, (room, entry.position));
        Ok((entry.position, Some(entry)))
    }

    /// The user owes feedback, or does not any more; nothing where that is so already.
    pub(crate) fn owe(
        &mut self,
        user: &UserId,
        session: &SessionId,
        owes: bool,
        oracle: &mut Oracle,
    ) -> Option<(RoomId, Arc<Entry>)> {
        let room = RoomId::User(user.clone());
        let session = session.clone();
        if self.pending_feedback(user).contains(&session) == owes {
            return None;
        }
        let body = if owes {
            Event::FeedbackRequired { session }
        } else {
            Event::FeedbackSettled { session }
        };
        let entry = self.append(&room, body, oracle);
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

    fn append(&mut self, room: &RoomId, body: Event, oracle: &mut Oracle) -> Arc<Entry> {
        self.clock += 1;
        let offset = self.next(room);
        let log = self.logs.entry(room.clone()).or_insert_with(|| {
            self.epochs += 1;
            Log {
                epoch: Epoch::from_random(self.epochs),
                entries: Vec::new(),
                whole: usize::MAX,
            }
        });
        let before = log.entries.last();
        let mut state = match (before, &body) {
            (Some((_, state)), _) => state.clone(),
            (None, Event::SessionUpdated { session, .. }) => RoomState::Session(session.clone()),
            (None, _) => RoomState::User {
                pending_feedback: BTreeSet::new(),
            },
        };
        state.fold(offset, &body);
        let entry = Arc::new(Entry::new(log.epoch, offset, self.clock, body));
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

    /// The oldest offset that is kept.
    pub(crate) fn first(&self, room: &RoomId) -> Offset {
        let trimmed = |log: &Log| log.entries.len().saturating_sub(RETAINED).min(log.whole - 1);
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
        let asked = kept().find(|entry| entry.position.offset == after);
        LogSlice {
            epoch: tail.epoch,
            first,
            tail: tail.offset,
            after,
            after_mark: asked.map_or(Mark::UNKNOWN, |entry| entry.position.mark),
            entries: kept()
                .filter(|entry| entry.position.offset > after)
                .take(READ)
                .cloned()
                .collect(),
        }
    }

    /// A replica is promoted that had not seen the last few entries of some logs.
    pub(crate) fn lose_ends(&mut self, mut lost_of: impl FnMut() -> usize, oracle: &mut Oracle) {
        for (room, log) in &mut self.logs {
            // A log that began after the replica fell behind is lost with its epoch: here it keeps its first entry.
            let lost = lost_of().min(log.entries.len() - 1).min(RETAINED / 2);
            if lost > 0 {
                log.entries.truncate(log.entries.len() - lost);
                log.whole = log.whole.min(log.entries.len());
                oracle.lost(room, log.entries.last().map(|(_, state)| state));
            }
        }
        self.forget_lost_requests();
        // Another machine has another clock, and no place gets the mark that it had.
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

    /// Whether the log has this very entry, or had it before it was trimmed.
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
