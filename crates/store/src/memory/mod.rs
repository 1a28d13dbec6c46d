//! The embedded store: everything in this process, gone with it. It must never wait: one lock, held for one step.

mod log;
mod session;
mod user;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use roomcast_core::{
    Entry, Epoch, Event, LogSlice, Millis, Offset, Position, RoomId, SessionCommand, SessionId, SessionView,
    Snapshot, UserId,
};

use self::{log::Log, session::SessionSlot, user::UserSlot};
use crate::{
    Appended, FeedbackRequirement, Outcome, Participation, RequestKey, Store, StoreError, StoreLimits,
    Subscription,
    audience::Audience,
    slots::{self, Required, Slots},
};

/// How many slots of each kind every write looks at, to drop those that nothing was written to for too long.
const SWEPT_PER_WRITE: usize = 2;

/// The store of one process.
pub struct MemoryStore {
    bounds: StoreLimits,
    clock: Box<dyn Fn() -> Millis + Send + Sync>,
    audience: Arc<Audience>,
    state: Mutex<State>,
}

struct State {
    random: Box<dyn FnMut() -> u64 + Send>,
    sessions: BTreeMap<SessionId, SessionSlot>,
    users: BTreeMap<UserId, UserSlot>,
    swept_session: Option<SessionId>,
    swept_user: Option<UserId>,
}

/// A step's answer, with the entries to tell the room's audience of.
type Told<T> = (T, Vec<Arc<Entry>>);

/// What a step in a slot needs to know of the world.
struct Now<'a> {
    at: Millis,
    bounds: &'a StoreLimits,
    random: &'a mut dyn FnMut() -> u64,
}

impl Now<'_> {
    fn log(&mut self) -> Log {
        Log::new(Epoch::from_random((self.random)()), self.at)
    }

    fn is_over(&self, since: Millis, retention: Millis) -> bool {
        self.at.saturating_sub(since) >= retention
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore")
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store. `random` gives 64 random bits for each new log's epoch; `clock` gives milliseconds since
    /// the Unix epoch.
    #[must_use]
    pub fn new(
        bounds: StoreLimits,
        random: impl FnMut() -> u64 + Send + 'static,
        clock: impl Fn() -> Millis + Send + Sync + 'static,
    ) -> Self {
        let state = State {
            random: Box::new(random),
            sessions: BTreeMap::new(),
            users: BTreeMap::new(),
            swept_session: None,
            swept_user: None,
        };
        Self {
            bounds,
            clock: Box::new(clock),
            audience: Audience::new(true),
            state: Mutex::new(state),
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a step in a session's slot. Hints go out under the lock, so that they leave in the log's order.
    fn in_session<T>(
        &self,
        id: &SessionId,
        step: impl FnOnce(&mut Option<SessionSlot>, &mut Now<'_>) -> Told<T>,
    ) -> T {
        let mut guard = self.locked();
        let state = &mut *guard;
        let mut now = Now {
            at: (self.clock)(),
            bounds: &self.bounds,
            random: &mut *state.random,
        };
        sweep(
            &mut state.sessions,
            &mut state.swept_session,
            &now,
            SessionSlot::written_at,
        );
        let mut slot = state
            .sessions
            .remove(id)
            .filter(|slot| !expired(slot.written_at(), &now));
        let (answer, entries) = step(&mut slot, &mut now);
        if let Some(slot) = slot {
            state.sessions.insert(id.clone(), slot);
        }
        let room = RoomId::from(id.clone());
        entries.iter().for_each(|entry| self.audience.hint(&room, entry));
        answer
    }

    /// Runs a step in a user's slot, which always exists.
    fn in_user<T>(&self, id: &UserId, step: impl FnOnce(&mut UserSlot, &mut Now<'_>) -> Told<T>) -> T {
        let mut guard = self.locked();
        let state = &mut *guard;
        let mut now = Now {
            at: (self.clock)(),
            bounds: &self.bounds,
            random: &mut *state.random,
        };
        sweep(
            &mut state.users,
            &mut state.swept_user,
            &now,
            UserSlot::written_at,
        );
        let mut slot = state
            .users
            .remove(id)
            .filter(|slot| !expired(slot.written_at(), &now))
            .unwrap_or_default();
        let (answer, entries) = step(&mut slot, &mut now);
        slot.written(now.at);
        state.users.insert(id.clone(), slot);
        let room = RoomId::from(id.clone());
        entries.iter().for_each(|entry| self.audience.hint(&room, entry));
        answer
    }

    /// Looks at a room; `None` for a session that does not exist.
    fn look<T>(
        &self,
        room: &RoomId,
        at_session: impl FnOnce(&SessionSlot, Millis) -> T,
        at_user: impl FnOnce(&UserSlot, Millis) -> T,
    ) -> Option<T> {
        let state = self.locked();
        let now = Now {
            at: (self.clock)(),
            bounds: &self.bounds,
            random: &mut || 0,
        };
        match room {
            RoomId::Session(id) => {
                let slot = state
                    .sessions
                    .get(id)
                    .filter(|slot| !expired(slot.written_at(), &now));
                slot.map(|slot| at_session(slot, now.at))
            }
            RoomId::User(id) => {
                let slot = state
                    .users
                    .get(id)
                    .filter(|slot| !expired(slot.written_at(), &now));
                Some(at_user(slot.unwrap_or(&UserSlot::default()), now.at))
            }
        }
    }
}

fn expired(written_at: Millis, now: &Now<'_>) -> bool {
    now.is_over(written_at, now.bounds.state_retention)
}

/// Drops expired slots, a few at a time, going round by name.
fn sweep<K: Ord + Clone, V>(
    slots: &mut BTreeMap<K, V>,
    swept: &mut Option<K>,
    now: &Now<'_>,
    written_at: impl Fn(&V) -> Millis,
) {
    use std::ops::Bound::{Excluded, Unbounded};
    for _ in 0..SWEPT_PER_WRITE {
        let from = swept.as_ref().map_or(Unbounded, Excluded);
        let next = slots.range((from, Unbounded)).next();
        let next = next.map(|(key, slot)| (key.clone(), expired(written_at(slot), now)));
        if let Some((key, true)) = &next {
            slots.remove(key);
        }
        *swept = next.map(|(key, _)| key);
    }
}

#[async_trait]
impl Slots for MemoryStore {
    async fn command(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<(Outcome, u64), StoreError> {
        self.in_session(session, |slot, now| {
            session::command(slot, session, command, request, now)
        })
    }

    async fn require(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<Required, StoreError> {
        self.in_session(session, |slot, now| {
            (session::require(slot, users, request, now), Vec::new())
        })
    }

    async fn user_requires(
        &self,
        user: &UserId,
        session: &SessionId,
        number: u64,
    ) -> Result<Appended, StoreError> {
        Ok(self.in_user(user, |slot, now| slot.requires(session, number, now)))
    }

    async fn user_gave(&self, user: &UserId, session: &SessionId, number: u64) -> Result<(), StoreError> {
        self.in_user(user, |slot, now| ((), slot.gave(session, number, now)));
        Ok(())
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn execute(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<Outcome, StoreError> {
        slots::execute(self, session, command, request).await
    }

    async fn require_feedback(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<FeedbackRequirement, StoreError> {
        slots::require_feedback(self, session, users, request).await
    }

    async fn disconnect_user(&self, user: &UserId, reason: &str) -> Result<Appended, StoreError> {
        let body = Event::UserDisconnected {
            reason: reason.to_owned(),
        };
        Ok(self.in_user(user, |slot, now| {
            let entry = slot.append(body, now);
            (log::appended(&entry), vec![entry])
        }))
    }

    async fn session(&self, session: &SessionId) -> Result<Option<SessionView>, StoreError> {
        let room = RoomId::from(session.clone());
        Ok(self
            .look(&room, |slot, _| Some(slot.view()), |_, _| None)
            .flatten())
    }

    async fn participation(
        &self,
        session: &SessionId,
        user: &UserId,
    ) -> Result<Option<Participation>, StoreError> {
        let room = RoomId::from(session.clone());
        Ok(self
            .look(&room, |slot, _| Some(slot.participation(user)), |_, _| None)
            .flatten())
    }

    async fn snapshot(&self, room: &RoomId) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.look(room, |slot, _| slot.snapshot(), |slot, _| slot.snapshot()))
    }

    async fn read(&self, room: &RoomId, after: Offset, limit: usize) -> Result<LogSlice, StoreError> {
        let read = |log: &Log, at| log.read(after, limit, at, &self.bounds);
        let slice = self.look(
            room,
            |slot, at| Some(read(&slot.log, at)),
            |slot, at| slot.log.as_ref().map(|log| read(log, at)),
        );
        Ok(slice.flatten().unwrap_or_else(|| LogSlice::of_no_log(after)))
    }

    async fn tails(&self, rooms: &[RoomId]) -> Result<Vec<Position>, StoreError> {
        let tail = |room| {
            let position = self.look(room, |slot, _| slot.log.position(), |slot, _| slot.position());
            position.unwrap_or(Position::NONE)
        };
        Ok(rooms.iter().map(tail).collect())
    }

    fn subscription(&self) -> Box<dyn Subscription> {
        self.audience.subscription()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
