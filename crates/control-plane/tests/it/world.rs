//! The world of a test: a control plane, its store, which can be taken away, and those who call.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use prost_types::Struct;
use roomcast_control_plane::{Config, ControlPlane, ServeError};
use roomcast_core::{
    LogSlice, Offset, Position, RequestKey, RoomId, SessionCommand, SessionId, SessionView, Snapshot, UserId,
};
use roomcast_proto::v1::{
    self, edge_service_client::EdgeServiceClient, session_service_client::SessionServiceClient,
};
use roomcast_runtime::{admin::Readiness, lifecycle::Shutdown, metrics::Registry};
use roomcast_store::{
    Appended, FeedbackRequirement, MemoryStore, Outcome, Participation, Store, StoreError, StoreLimits,
    Subscription,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore},
    task::JoinHandle,
};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;

pub(crate) struct World {
    pub(crate) addr: SocketAddr,
    pub(crate) channel: Channel,
    pub(crate) store: Arc<Faulty>,
    pub(crate) shutdown: Shutdown,
    pub(crate) readiness: Readiness,
    pub(crate) serving: JoinHandle<Result<(), ServeError>>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default(), StoreLimits::default()).await
    }

    pub(crate) async fn with(config: Config, bounds: StoreLimits) -> Self {
        let store = Arc::new(Faulty::new(bounds));
        let shutdown = Shutdown::new();
        let readiness = Readiness::new(shutdown.clone());
        let mut registry = Registry::default();
        let control_plane =
            ControlPlane::new(config, store.clone(), shutdown.clone(), &readiness, &mut registry);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serving = tokio::spawn(control_plane.serve(listener));
        let channel = Endpoint::from_shared(format!("http://{addr}"))
            .unwrap()
            .connect()
            .await
            .unwrap();
        Self {
            addr,
            channel,
            store,
            shutdown,
            readiness,
            serving,
        }
    }

    pub(crate) fn backend(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.channel.clone())
    }

    pub(crate) fn edge(&self) -> EdgeServiceClient<Channel> {
        EdgeServiceClient::new(self.channel.clone())
    }

    /// Publishes a session with alice as interviewer and bob as interviewee.
    pub(crate) async fn publish(&self, id: &str) -> v1::PublishSessionUpdateResponse {
        self.backend()
            .publish_session_update(publish(id))
            .await
            .unwrap()
            .into_inner()
    }
}

pub(crate) fn publish(id: &str) -> v1::PublishSessionUpdateRequest {
    let participant = |user: &str, role: v1::Role| v1::Participant {
        user_id: user.into(),
        role: role.into(),
    };
    let list = vec![
        participant("alice", v1::Role::Interviewer),
        participant("bob", v1::Role::Interviewee),
    ];
    let session = v1::Session {
        id: id.into(),
        status: "scheduled".into(),
        participants: Some(v1::Participants { list }),
        attributes: Some(object("topic", "Rust")),
    };
    v1::PublishSessionUpdateRequest {
        session: Some(session),
        expected_revision: None,
        request_id: String::new(),
    }
}

pub(crate) fn object(name: &str, text: &str) -> Struct {
    Struct {
        fields: [(name.to_owned(), text.into())].into(),
    }
}

pub(crate) fn select(session: &str, user: &str, role: v1::Role) -> v1::SelectRoleRequest {
    v1::SelectRoleRequest {
        session_id: session.into(),
        user_id: user.into(),
        role: role.into(),
        request_id: String::new(),
    }
}

pub(crate) fn watch(session: &str, after: Option<v1::Position>) -> v1::WatchEventsRequest {
    let room = Some(v1::watch_events_request::Room::SessionId(session.into()));
    v1::WatchEventsRequest { room, after }
}

pub(crate) fn offset(event: Option<&v1::EventRef>) -> u64 {
    event.unwrap().position.as_ref().unwrap().offset
}

/// The status's code and our reason.
pub(crate) fn told(status: &Status) -> (Code, String) {
    (
        status.code(),
        roomcast_proto::error::reason(status).unwrap_or_default(),
    )
}

pub(crate) fn fields(status: &Status) -> Vec<String> {
    let violations = status
        .get_details_bad_request()
        .map(|bad| bad.field_violations)
        .unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

/// A memory store that can be out of reach.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: MemoryStore,
    away: AtomicBool,
    /// Commands wait for a permit.
    pub(crate) gate: Semaphore,
    /// Told when a command waits.
    pub(crate) waiting: Notify,
}

impl Faulty {
    fn new(bounds: StoreLimits) -> Self {
        let (random, clock) = (AtomicU64::new(1), AtomicI64::new(1_746_667_200_000));
        let random = move || random.fetch_add(1, Ordering::Relaxed);
        let clock = move || clock.fetch_add(1, Ordering::Relaxed);
        Self {
            inner: MemoryStore::new(bounds, random, clock),
            away: AtomicBool::new(false),
            gate: Semaphore::new(1),
            waiting: Notify::new(),
        }
    }

    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    fn reach(&self) -> Result<&MemoryStore, StoreError> {
        match self.away.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("taken away by the test".to_owned())),
            false => Ok(&self.inner),
        }
    }
}

#[async_trait]
impl Store for Faulty {
    async fn execute(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<Outcome, StoreError> {
        self.waiting.notify_one();
        let _open = self.gate.acquire().await.unwrap();
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
