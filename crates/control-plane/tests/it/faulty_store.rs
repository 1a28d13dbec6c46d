//! A memory store that a test can make unreachable or corrupt, and whose commands a test can hold back.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use roomcast_core::{
    LogSlice, Offset, Position, RoomId, SessionCommand, SessionId, SessionView, Snapshot, UserId,
    ids::RequestKey,
};
use roomcast_store::{
    Appended, FeedbackRequirement, MemoryStore, Outcome, Participation, Store, StoreError, StoreLimits,
    Subscription,
};
use tokio::sync::{Notify, Semaphore};

/// The reason for which a corrupt store fails. No caller may see it.
pub(crate) const CORRUPTION: &str = "session:s1 contains a secret";

#[derive(Debug)]
pub(crate) struct FaultyStore {
    inner: MemoryStore,
    unreachable: AtomicBool,
    corrupt: AtomicBool,
    /// Each command needs a permit while it is executed. A test holds the permit to hold commands back.
    pub(crate) command_permits: Semaphore,
    /// Notified when a command arrives, before it waits for its permit.
    pub(crate) command_arrived: Notify,
}

impl FaultyStore {
    pub(crate) fn new(limits: StoreLimits) -> Self {
        let (random, clock) = (AtomicU64::new(1), AtomicI64::new(1_746_667_200_000));
        let random = move || random.fetch_add(1, Ordering::Relaxed);
        let clock = move || clock.fetch_add(1, Ordering::Relaxed);
        Self {
            inner: MemoryStore::new(limits, random, clock),
            unreachable: AtomicBool::new(false),
            corrupt: AtomicBool::new(false),
            command_permits: Semaphore::new(1),
            command_arrived: Notify::new(),
        }
    }

    pub(crate) fn set_unreachable(&self, unreachable: bool) {
        self.unreachable.store(unreachable, Ordering::SeqCst);
    }

    /// Every call fails from now on as if the store contained data that cannot be decoded.
    pub(crate) fn corrupt(&self) {
        self.corrupt.store(true, Ordering::SeqCst);
    }

    fn reach(&self) -> Result<&MemoryStore, StoreError> {
        if self.corrupt.load(Ordering::SeqCst) {
            return Err(StoreError::Corrupt(CORRUPTION.to_owned()));
        }
        match self.unreachable.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("made unreachable by the test".to_owned())),
            false => Ok(&self.inner),
        }
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn execute(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<Outcome, StoreError> {
        self.command_arrived.notify_one();
        let _permit = self.command_permits.acquire().await.unwrap();
        self.reach()?.execute(session, command, request).await
    }
    async fn require_feedback(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<FeedbackRequirement, StoreError> {
        self.reach()?.require_feedback(session, users, request).await
    }
    async fn disconnect_user(&self, user: &UserId, reason: &str) -> Result<Appended, StoreError> {
        self.reach()?.disconnect_user(user, reason).await
    }
    async fn session(&self, session: &SessionId) -> Result<Option<SessionView>, StoreError> {
        self.reach()?.session(session).await
    }
    async fn participation(
        &self,
        session: &SessionId,
        user: &UserId,
    ) -> Result<Option<Participation>, StoreError> {
        self.reach()?.participation(session, user).await
    }
    async fn snapshot(&self, room: &RoomId) -> Result<Option<Snapshot>, StoreError> {
        self.reach()?.snapshot(room).await
    }
    async fn read(&self, room: &RoomId, after: Offset, limit: usize) -> Result<LogSlice, StoreError> {
        self.reach()?.read(room, after, limit).await
    }
    async fn tails(&self, rooms: &[RoomId]) -> Result<Vec<Position>, StoreError> {
        self.reach()?.tails(rooms).await
    }
    fn subscription(&self) -> Box<dyn Subscription> {
        self.inner.subscription()
    }
    async fn ping(&self) -> Result<(), StoreError> {
        self.reach()?.ping().await
    }
}
