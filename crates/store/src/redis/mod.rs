//! The store in Redis 7 or newer. Each step that must be atomic is one Lua function.

mod arguments;
mod codec;
pub(crate) mod commands;
mod config;
mod connect_backoff;
mod connection;
mod durability;
mod failure;
pub(crate) mod keys;
pub(crate) mod library;
mod pubsub;
mod reads;
mod reconnecting;
mod response;

use std::{future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use roomcast_core::{
    LogSlice, Offset, Position, RoomId, SessionCommand, SessionId, SessionView, Snapshot, UserId,
    ids::RequestKey,
};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{error::Elapsed, timeout},
};

pub use self::config::{RedisConfig, RedisUrl, RedisUrlError};
use self::{
    commands::Commands, config::Topology, durability::Durability, library::Library, pubsub::PubSub,
    reads::Reads, reconnecting::ReconnectingConnection,
};
use crate::{
    feedback,
    store::{Appended, FeedbackRequirement, Outcome, Participation, Store, StoreError, Subscription},
    subscriptions::{Source, Subscriptions},
};

/// How long a call may take in total. One command may take less.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// How long `connect` waits for the first connection.
const FIRST_CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);

/// A store that any number of processes share. The server must not evict keys (`maxmemory-policy noeviction`): every
/// key has an expiry of its own.
///
/// It must run inside a tokio runtime. Dropping it ends its two tasks.
pub struct RedisStore {
    pub(crate) commands: Commands,
    reads: Reads,
    connection: Arc<ReconnectingConnection>,
    durability: Durability,
    subscriptions: Arc<Subscriptions>,
    pubsub: JoinHandle<()>,
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.commands.prefix)
            .finish_non_exhaustive()
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.pubsub.abort();
    }
}

impl RedisStore {
    /// Starts to connect, and waits up to two seconds for the first connection. An unreachable Redis is not an error:
    /// the store retries until it is dropped, and until then every call fails with [`StoreError::Unavailable`].
    pub async fn connect(config: RedisConfig) -> Self {
        let store = Self::start(config, Library::from_source(library::SOURCE));
        let mut reachable = store.reachable();
        let connected = reachable.wait_for(|reachable| *reachable);
        let _ = timeout(FIRST_CONNECTION_TIMEOUT, connected).await; // without a connection, the task keeps trying
        store
    }

    pub(crate) fn start(config: RedisConfig, library: Library) -> Self {
        let RedisConfig {
            url,
            prefix,
            limits,
            replicas,
        } = config;
        let prefix: Arc<str> = prefix.into();
        let cluster = matches!(url.topology, Topology::Cluster { .. });
        let subscriptions = Subscriptions::new(Source::Connection);
        let pubsub = PubSub {
            url: url.clone(),
            prefix: prefix.clone(),
            subscriptions: subscriptions.clone(),
        };
        let pubsub = tokio::spawn(pubsub.run());
        let connection = Arc::new(ReconnectingConnection::start(url, library));
        Self {
            commands: Commands {
                prefix: prefix.clone(),
                limits,
                connection: connection.clone(),
            },
            reads: Reads {
                prefix,
                cluster,
                limits,
                connection: connection.clone(),
            },
            connection,
            durability: Durability::new(replicas),
            subscriptions,
            pubsub,
        }
    }

    /// Whether Redis was reachable when it was last used or checked.
    pub(crate) fn reachable(&self) -> watch::Receiver<bool> {
        self.connection.reachable()
    }

    /// Runs a write, and waits until the configured number of replicas has it.
    async fn durably<T>(
        &self,
        write: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let generation = self.connection.generation();
        let result = write.await?;
        self.durability.wait(&self.connection, generation).await?;
        Ok(result)
    }
}

async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
    let late = |_: Elapsed| {
        Err(StoreError::Unavailable(
            "the server did not respond in time".into(),
        ))
    };
    timeout(CALL_TIMEOUT, call).await.unwrap_or_else(late)
}

#[async_trait]
impl Store for RedisStore {
    async fn execute(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<Outcome, StoreError> {
        let write = feedback::execute(&self.commands, session, command, request);
        in_time(self.durably(write)).await
    }

    async fn require_feedback(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<FeedbackRequirement, StoreError> {
        let write = feedback::require_feedback(&self.commands, session, users, request);
        in_time(self.durably(write)).await
    }

    async fn disconnect_user(&self, user: &UserId, reason: &str) -> Result<Appended, StoreError> {
        in_time(self.durably(self.commands.disconnect_user(user, reason))).await
    }

    async fn session(&self, session: &SessionId) -> Result<Option<SessionView>, StoreError> {
        in_time(self.reads.session(session)).await
    }

    async fn participation(
        &self,
        session: &SessionId,
        user: &UserId,
    ) -> Result<Option<Participation>, StoreError> {
        in_time(self.reads.participation(session, user)).await
    }

    async fn snapshot(&self, room: &RoomId) -> Result<Option<Snapshot>, StoreError> {
        in_time(self.reads.snapshot(room)).await
    }

    async fn read(&self, room: &RoomId, after: Offset, limit: usize) -> Result<LogSlice, StoreError> {
        in_time(self.reads.read(room, after, limit)).await
    }

    async fn tails(&self, rooms: &[RoomId]) -> Result<Vec<Position>, StoreError> {
        in_time(self.reads.tails(rooms)).await
    }

    fn subscription(&self) -> Box<dyn Subscription> {
        self.subscriptions.reader()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        in_time(self.connection.query(&redis::cmd("PING")))
            .await
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_without_a_response_is_unavailable_after_two_seconds() {
        let began = Instant::now();
        let failed = in_time::<()>(pending()).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
        assert_eq!(began.elapsed(), CALL_TIMEOUT);
    }
}
