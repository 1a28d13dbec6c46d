//! The connection for commands, which reconnects by itself. A command never waits for a connection: without one it
//! fails at once. Only this module's task connects, with backoff.

use std::{sync::Arc, time::Duration};

use redis::{Cmd, PushInfo, Value};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    config::RedisUrl,
    connect_backoff::{connect_backoff, next_wait},
    connection::{CHECK_INTERVAL, Connection, RESPONSE_TIMEOUT, open},
    failure::{Failure, one_line},
    library::Library,
};
use crate::store::StoreError;

/// How often a command is sent in total if nodes of a cluster redirect it.
const MAX_ATTEMPTS: u32 = 4;

/// Dropping it ends its task and closes the connection.
pub(crate) struct ReconnectingConnection {
    state: watch::Sender<State>,
    reachable: watch::Receiver<bool>,
    library: Arc<Library>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
enum State {
    Connected {
        connection: Connection,
        /// The number of this connection. It distinguishes a failure of this connection from one of an earlier connection.
        generation: u64,
    },
    Disconnected {
        reason: Arc<str>,
    },
}

impl Drop for ReconnectingConnection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ReconnectingConnection {
    pub(super) fn start(url: RedisUrl, library: Library) -> Self {
        let library = Arc::new(library);
        let (state, _) = watch::channel(State::Disconnected {
            reason: "not connected yet".into(),
        });
        let (reachable, receiver) = watch::channel(false);
        let task = tokio::spawn(keep_connected(url, library.clone(), state.clone(), reachable));
        Self {
            state,
            reachable: receiver,
            library,
            task,
        }
    }

    pub(super) fn reachable(&self) -> watch::Receiver<bool> {
        self.reachable.clone()
    }

    /// Calls a function of the library. Loads the library first if the server does not have it.
    pub(super) async fn call(
        &self,
        function: &str,
        keys: &[String],
        args: &[String],
    ) -> Result<Value, StoreError> {
        let call = self.library.call(function, keys, args);
        match self.run(&call).await {
            Err(Failure::FunctionNotFound) => {
                let loaded = self.run(&self.library.load()).await;
                match (self.run(&call).await, loaded) {
                    // A cluster without one of its primaries cannot load it everywhere. That matters only if the call
                    // fails again.
                    (Err(Failure::FunctionNotFound), Err(failure)) => Err(failure.into()),
                    (result, _) => result.map_err(StoreError::from),
                }
            }
            result => result.map_err(StoreError::from),
        }
    }

    /// The number of the current connection; `None` without a connection.
    pub(super) fn generation(&self) -> Option<u64> {
        match &*self.state.borrow() {
            State::Connected { generation, .. } => Some(*generation),
            State::Disconnected { .. } => None,
        }
    }

    /// Runs a command that may be executed more than once.
    pub(super) async fn query(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.run(command).await.map_err(StoreError::from)
    }

    async fn run(&self, command: &Cmd) -> Result<Value, Failure> {
        let (mut connection, generation) = match &*self.state.borrow() {
            State::Connected {
                connection,
                generation,
            } => (connection.clone(), *generation),
            State::Disconnected { reason } => return Err(Failure::Unavailable(reason.to_string())),
        };
        let attempts = async {
            for attempt in 1.. {
                match connection.run(command).await.map_err(Failure::from) {
                    // The command was not executed, so it is safe to send it again.
                    Err(Failure::Redirected(_)) if attempt < MAX_ATTEMPTS => {
                        sleep(Duration::from_millis(20) * attempt).await;
                    }
                    result => return result,
                }
            }
            Err(Failure::Unavailable(
                "no node of the cluster serves the slot of the key".into(),
            ))
        };
        let no_response = || Failure::ConnectionLost("the server does not respond".into());
        let result = timeout(RESPONSE_TIMEOUT, attempts).await;
        let result = result.unwrap_or_else(|_| Err(no_response()));
        if let (Err(Failure::ConnectionLost(reason)), Connection::One(_)) = (&result, &connection) {
            // The redis crate itself replaces a lost connection to one of a cluster's nodes.
            self.disconnect(generation, reason);
        }
        result
    }

    fn disconnect(&self, lost_generation: u64, reason: &str) {
        self.state.send_if_modified(|state| match state {
            State::Connected { generation, .. } if *generation == lost_generation => {
                *state = State::Disconnected {
                    reason: reason.into(),
                };
                true
            }
            State::Connected { .. } | State::Disconnected { .. } => false,
        });
    }
}

async fn keep_connected(
    url: RedisUrl,
    library: Arc<Library>,
    state: watch::Sender<State>,
    reachable: watch::Sender<bool>,
) {
    let mut backoff = connect_backoff();
    let mut logged = None;
    for generation in 1.. {
        match connect(&url, &library).await {
            Ok(mut connection) => {
                let connected_at = Instant::now();
                state.send_replace(State::Connected {
                    connection: connection.clone(),
                    generation,
                });
                reachable.send_replace(true);
                tracing::info!("connected to redis");
                let reason = until_lost(&mut connection, &state).await;
                state.send_replace(State::Disconnected {
                    reason: reason.as_str().into(),
                });
                reachable.send_replace(false);
                tracing::warn!(error = reason, "lost the connection to redis");
                logged = Some(reason);
                if connected_at.elapsed() > CHECK_INTERVAL {
                    backoff.reset();
                }
            }
            Err(reason) => {
                if logged.as_ref() != Some(&reason) {
                    tracing::warn!(error = reason, "could not connect to redis, retrying");
                }
                state.send_replace(State::Disconnected {
                    reason: reason.as_str().into(),
                });
                logged = Some(reason);
            }
        }
        sleep(next_wait(&mut backoff)).await;
    }
}

async fn connect(url: &RedisUrl, library: &Library) -> Result<Connection, String> {
    let mut connection = open(url, None::<fn(PushInfo) -> Result<(), ()>>).await?;
    let loaded = connection.run(&library.load()).await;
    match (&connection, loaded) {
        (Connection::One(_), Err(error)) => Err(one_line(error)),
        // If one primary of a cluster is unreachable, the others can still serve their rooms.
        (Connection::Cluster(_), Err(_)) | (_, Ok(_)) => Ok(connection),
    }
}

/// Returns the reason when the connection cannot be used any more.
async fn until_lost(connection: &mut Connection, state: &watch::Sender<State>) -> String {
    let mut state = state.subscribe();
    loop {
        if let State::Disconnected { reason } = &*state.borrow_and_update() {
            return reason.to_string();
        }
        tokio::select! {
            biased;
            // A failed command detects the loss before the next check does.
            changed = state.changed() => if changed.is_err() {
                return "closed".into();
            },
            () = sleep(CHECK_INTERVAL) => if let Err(reason) = connection.check().await {
                return reason;
            }
        }
    }
}
