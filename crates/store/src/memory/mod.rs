//! The embedded store: it keeps everything in this process and loses it at the end of the process. It must never
//! wait: one lock is held for one step.

mod log;
mod requests;
mod session;
mod step;
mod user;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use roomcast_core::{
    Event, LogSlice, Millis, Offset, Position, RoomId, SessionCommand, SessionId, SessionView, Snapshot,
    UserId, ids::RequestKey,
};

use self::{
    log::Log,
    session::SessionSlot,
    step::{Context, StepResult},
    user::UserSlot,
};
use crate::{
    feedback::{self, FeedbackSteps, SessionRequirement},
    limits::StoreLimits,
    store::{Appended, FeedbackRequirement, Outcome, Participation, Store, StoreError, Subscription},
    subscriptions::{Source, Subscriptions},
};

/// How many slots of each kind a write checks, to remove those that are expired.
const SWEPT_PER_WRITE: usize = 2;

/// The store of one process.
pub struct MemoryStore {
    limits: StoreLimits,
    clock: Box<dyn Fn() -> Millis + Send + Sync>,
    subscriptions: Arc<Subscriptions>,
    state: Mutex<State>,
}

struct State {
    random: Box<dyn FnMut() -> u64 + Send>,
    sessions: BTreeMap<SessionId, SessionSlot>,
    users: BTreeMap<UserId, UserSlot>,
    swept_session: Option<SessionId>,
    swept_user: Option<UserId>,
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store. `random` returns 64 random bits for the epoch of each new log; `clock` returns milliseconds
    /// since the Unix epoch.
    #[must_use]
    pub fn new(
        limits: StoreLimits,
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
            limits,
            clock: Box::new(clock),
            subscriptions: Subscriptions::new(Source::Local),
            state: Mutex::new(state),
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a step in a session's slot. Subscribers are notified under the lock, and so in the order of the log.
    fn in_session<T>(
        &self,
        id: &SessionId,
        step: impl FnOnce(&mut Option<SessionSlot>, &mut Context<'_>) -> StepResult<T>,
    ) -> T {
        let mut guard = self.locked();
        let state = &mut *guard;
        let mut context = Context {
            now: (self.clock)(),
            limits: &self.limits,
            random: &mut *state.random,
        };
        sweep(
            &mut state.sessions,
            &mut state.swept_session,
            &context,
            SessionSlot::written_at,
        );
        let mut slot = state
            .sessions
            .remove(id)
            .filter(|slot| !context.is_expired(slot.written_at()));
        let (result, entries) = step(&mut slot, &mut context);
        if let Some(slot) = slot {
            state.sessions.insert(id.clone(), slot);
        }
        let room = RoomId::from(id.clone());
        entries
            .iter()
            .for_each(|entry| self.subscriptions.notify(&room, entry));
        result
    }

    /// Runs a step in a user's slot, which always exists.
    fn in_user<T>(
        &self,
        id: &UserId,
        step: impl FnOnce(&mut UserSlot, &mut Context<'_>) -> StepResult<T>,
    ) -> T {
        let mut guard = self.locked();
        let state = &mut *guard;
        let mut context = Context {
            now: (self.clock)(),
            limits: &self.limits,
            random: &mut *state.random,
        };
        sweep(
            &mut state.users,
            &mut state.swept_user,
            &context,
            UserSlot::written_at,
        );
        let mut slot = state
            .users
            .remove(id)
            .filter(|slot| !context.is_expired(slot.written_at()))
            .unwrap_or_default();
        let (result, entries) = step(&mut slot, &mut context);
        slot.set_written_at(context.now);
        state.users.insert(id.clone(), slot);
        let room = RoomId::from(id.clone());
        entries
            .iter()
            .for_each(|entry| self.subscriptions.notify(&room, entry));
        result
    }

    /// Reads from a room's slot; `None` for a session that does not exist.
    fn look<T>(
        &self,
        room: &RoomId,
        in_session: impl FnOnce(&SessionSlot, Millis) -> T,
        in_user: impl FnOnce(&UserSlot, Millis) -> T,
    ) -> Option<T> {
        let state = self.locked();
        let context = Context {
            now: (self.clock)(),
            limits: &self.limits,
            random: &mut || 0,
        };
        match room {
            RoomId::Session(id) => {
                let slot = state
                    .sessions
                    .get(id)
                    .filter(|slot| !context.is_expired(slot.written_at()));
                slot.map(|slot| in_session(slot, context.now))
            }
            RoomId::User(id) => {
                let slot = state
                    .users
                    .get(id)
                    .filter(|slot| !context.is_expired(slot.written_at()));
                Some(in_user(slot.unwrap_or(&UserSlot::default()), context.now))
            }
        }
    }
}

/// Removes expired slots, a few at a time, in a loop over their ids.
fn sweep<K: Ord + Clone, V>(
    slots: &mut BTreeMap<K, V>,
    swept: &mut Option<K>,
    context: &Context<'_>,
    written_at: impl Fn(&V) -> Millis,
) {
    use std::ops::Bound::{Excluded, Unbounded};
    for _ in 0..SWEPT_PER_WRITE {
        let from = swept.as_ref().map_or(Unbounded, Excluded);
        let next = slots.range((from, Unbounded)).next();
        let next = next.map(|(key, slot)| (key.clone(), context.is_expired(written_at(slot))));
        if let Some((key, true)) = &next {
            slots.remove(key);
        }
        *swept = next.map(|(key, _)| key);
    }
}

#[async_trait]
impl FeedbackSteps for MemoryStore {
    async fn execute_command(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<(Outcome, u64), StoreError> {
        self.in_session(session, |slot, context| {
            session::execute_command(slot, session, command, request, context)
        })
    }

    async fn add_requirement(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<SessionRequirement, StoreError> {
        self.in_session(session, |slot, context| {
            let added = session::add_requirement(slot, users, request, context);
            (added, Vec::new())
        })
    }

    async fn add_pending_feedback(
        &self,
        user: &UserId,
        session: &SessionId,
        requirement: u64,
    ) -> Result<Appended, StoreError> {
        Ok(self.in_user(user, |slot, context| {
            slot.add_pending_feedback(session, requirement, context)
        }))
    }

    async fn settle_feedback(
        &self,
        user: &UserId,
        session: &SessionId,
        requirement: u64,
    ) -> Result<(), StoreError> {
        self.in_user(user, |slot, context| {
            slot.settle_feedback(session, requirement, context)
        });
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
        feedback::execute(self, session, command, request).await
    }

    async fn require_feedback(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<FeedbackRequirement, StoreError> {
        feedback::require_feedback(self, session, users, request).await
    }

    async fn disconnect_user(&self, user: &UserId, reason: &str) -> Result<Appended, StoreError> {
        let event = Event::UserDisconnected {
            reason: reason.to_owned(),
        };
        Ok(self.in_user(user, |slot, context| {
            let entry = slot.append(event, context);
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
        let read = |log: &Log, now| log.read(after, limit, now, &self.limits);
        let slice = self.look(
            room,
            |slot, now| Some(read(&slot.log, now)),
            |slot, now| slot.log.as_ref().map(|log| read(log, now)),
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
        self.subscriptions.reader()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
