//! A store under test.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering},
    },
};

use roomcast_core::{
    CommandDenial, Entry, Event, Millis, Offset, RoomState, Session, SessionCommand, SessionId, Snapshot,
    UserId,
};

use super::{StoreKind, room, session};
use crate::{
    MemoryStore, Outcome, RedisStore, Store, StoreError, StoreLimits,
    feedback::FeedbackSteps,
    redis::library::{Library, SOURCE},
    tests::support::{
        acl,
        clock::{START, TestClock, library_with_clock},
        config,
        server::{Cluster, Server},
        until_reachable,
    },
};

/// A store under test, with the servers that it runs on.
pub(super) struct Subject {
    pub(super) store: Arc<dyn Store>,
    pub(super) steps: Arc<dyn FeedbackSteps>,
    clock: TestClock,
    servers: Servers,
}

enum Servers {
    None,
    One(Server),
    Cluster(Arc<Cluster>),
}

impl StoreKind {
    pub(super) async fn subject(self, limits: StoreLimits) -> Subject {
        match self {
            Self::Memory => Subject::memory(limits),
            Self::Redis | Self::Cluster => {
                let (servers, url) = self.servers().await;
                let library = Library::from_source(SOURCE);
                Subject::redis(servers, &url, &unused_prefix(), limits, library, TestClock::Real).await
            }
        }
    }

    /// A subject whose time the test controls. Its clock does not move until [`Subject::pass`].
    pub(super) async fn subject_with_clock(self, limits: StoreLimits) -> Subject {
        match self {
            Self::Memory => Subject::memory(limits),
            Self::Redis | Self::Cluster => {
                let (servers, url) = self.servers().await;
                let prefix = unused_prefix();
                let library = library_with_clock(&prefix);
                let clock = TestClock::Redis {
                    library: library.clone(),
                    prefix: prefix.clone(),
                };
                Subject::redis(servers, &url, &prefix, limits, library, clock).await
            }
        }
    }

    /// The servers, and the URL of the documented user.
    async fn servers(self) -> (Servers, String) {
        match self {
            Self::Memory => (Servers::None, String::new()),
            Self::Redis => {
                let server = Server::start();
                acl::add_documented_user(&server).await;
                let url = acl::as_documented_user(&server.url());
                (Servers::One(server), url)
            }
            Self::Cluster => {
                let cluster = Cluster::shared().await;
                let url = acl::as_documented_user(&cluster.url());
                (Servers::Cluster(cluster), url)
            }
        }
    }
}

/// The documented user may use all keys that begin with `rc:`.
fn unused_prefix() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("rc:test-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Subject {
    fn memory(limits: StoreLimits) -> Self {
        let now = Arc::new(AtomicI64::new(START));
        let clock = now.clone();
        let random = AtomicU64::new(1);
        let store = Arc::new(MemoryStore::new(
            limits,
            move || random.fetch_add(1, Ordering::Relaxed),
            move || clock.load(Ordering::Relaxed),
        ));
        Self {
            store: store.clone(),
            steps: store,
            clock: TestClock::Memory(now),
            servers: Servers::None,
        }
    }

    async fn redis(
        servers: Servers,
        url: &str,
        prefix: &str,
        limits: StoreLimits,
        library: Library,
        clock: TestClock,
    ) -> Self {
        let store = RedisStore::start(config(url, prefix, limits), library);
        until_reachable(&store, true).await;
        Self {
            steps: Arc::new(store.commands.clone()),
            store: Arc::new(store),
            clock,
            servers,
        }
    }

    /// Lets time pass.
    pub(super) async fn pass(&self, millis: Millis) {
        let servers = match &self.servers {
            Servers::None => &[],
            Servers::One(server) => std::slice::from_ref(server),
            Servers::Cluster(cluster) => &cluster.nodes[..],
        };
        let mut connections = Vec::new();
        for server in servers {
            connections.push(server.admin().await);
        }
        self.clock.advance(millis, &mut connections).await;
    }

    /// Executes the command on the session `s1`.
    pub(super) async fn execute(&self, command: &SessionCommand) -> Result<Outcome, StoreError> {
        self.store.execute(&session("s1"), command, None).await
    }

    pub(super) async fn denied(&self, command: &SessionCommand) -> CommandDenial {
        match self.execute(command).await {
            Err(StoreError::Denied(denial)) => denial,
            other => panic!("not denied: {other:?}"),
        }
    }

    pub(super) async fn s1(&self) -> Session {
        self.store.session(&session("s1")).await.unwrap().unwrap().session
    }

    /// The participants of `s1`, as `user role added_at`.
    pub(super) async fn participants(&self) -> Vec<String> {
        let line = |p: &roomcast_core::Participant| format!("{} {} {}", p.user, p.role, p.added_at);
        self.s1().await.participants.iter().map(line).collect()
    }

    /// All entries that the room's log still contains.
    pub(super) async fn log(&self, name: &str) -> Vec<Arc<Entry>> {
        self.store
            .read(&room(name), Offset::ZERO, usize::MAX)
            .await
            .unwrap()
            .entries
    }

    pub(super) async fn events(&self, name: &str) -> Vec<Event> {
        self.log(name)
            .await
            .iter()
            .map(|entry| entry.event.clone())
            .collect()
    }

    pub(super) async fn snapshot(&self, name: &str) -> Snapshot {
        self.store.snapshot(&room(name)).await.unwrap().unwrap()
    }

    /// The sessions with pending feedback of the user. The entries of the user's log must lead to the same.
    pub(super) async fn sessions_with_pending_feedback(&self, id: &str) -> Vec<String> {
        let name = format!("user:{id}");
        let mut folded = RoomState::User {
            pending_feedback: BTreeSet::new(),
        };
        for entry in self.log(&name).await {
            folded.fold(entry.position.offset, &entry.event);
        }
        let snapshot = self.snapshot(&name).await;
        assert_eq!(snapshot.state, folded, "the entries of {name} lead to its state");
        match snapshot.state {
            RoomState::User { pending_feedback } => {
                pending_feedback.iter().map(SessionId::to_string).collect()
            }
            RoomState::Session(_) => panic!("{name} is the room of a user"),
        }
    }

    /// The users with pending feedback for `s1`.
    pub(super) async fn users_with_pending_feedback(&self) -> Vec<String> {
        let view = self.store.session(&session("s1")).await.unwrap().unwrap();
        view.pending_feedback.iter().map(UserId::to_string).collect()
    }
}
