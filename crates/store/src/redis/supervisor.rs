//! Keeps one connection for commands. A command never waits for a connection: while there is none it fails at
//! once, and this task alone tries to connect, with backoff.

use std::{sync::Arc, time::Duration};

use redis::{Cmd, RedisError, Value};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    config::RedisUrl,
    connect_backoff, connect_jitter,
    connection::{Connection, RESPONSE_TIMEOUT, line, open},
    library::Library,
};
use crate::StoreError;

/// How often an idle connection is checked.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// How often a command that a cluster sent elsewhere is sent again.
const REDIRECTIONS: u32 = 4;

pub(super) struct Supervisor {
    line: watch::Sender<Line>,
    reachable: watch::Receiver<bool>,
    library: Arc<Library>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
enum Line {
    /// The generation tells a failure of this connection from one of an earlier one.
    Up {
        connection: Connection,
        generation: u64,
    },
    Away {
        reason: Arc<str>,
    },
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Supervisor {
    pub(super) fn start(url: RedisUrl) -> Self {
        let library = Arc::new(Library::new());
        let (line, _) = watch::channel(Line::Away {
            reason: "not connected yet".into(),
        });
        let (reachable, receiver) = watch::channel(false);
        let task = tokio::spawn(supervise(url, library.clone(), line.clone(), reachable));
        Self {
            line,
            reachable: receiver,
            library,
            task,
        }
    }

    pub(super) fn reachable(&self) -> watch::Receiver<bool> {
        self.reachable.clone()
    }

    /// Calls a function of the library, which is loaded first where the server does not know it.
    pub(super) async fn call(
        &self,
        function: &str,
        keys: &[String],
        args: &[String],
    ) -> Result<Value, StoreError> {
        let call = self.library.call(function, keys, args);
        match self.run(&call).await {
            Err(Failure::NoFunction) => {
                let loaded = self.run(&self.library.load()).await;
                match (self.run(&call).await, loaded) {
                    // A cluster with a primary away can't load everywhere; that matters only where it is needed.
                    (Err(Failure::NoFunction), Err(failure)) => Err(failure.into()),
                    (result, _) => result.map_err(StoreError::from),
                }
            }
            result => result.map_err(StoreError::from),
        }
    }

    /// Which connection there is: another number is another connection.
    pub(super) fn generation(&self) -> Option<u64> {
        match &*self.line.borrow() {
            Line::Up { generation, .. } => Some(*generation),
            Line::Away { .. } => None,
        }
    }

    /// Runs a command that is safe to run anywhere.
    pub(super) async fn query(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.run(command).await.map_err(StoreError::from)
    }

    async fn run(&self, command: &Cmd) -> Result<Value, Failure> {
        let (mut connection, generation) = match &*self.line.borrow() {
            Line::Up {
                connection,
                generation,
            } => (connection.clone(), *generation),
            Line::Away { reason } => return Err(Failure::Away(reason.to_string())),
        };
        let attempts = async {
            for attempt in 1.. {
                match connection.run(command).await.map_err(Failure::from) {
                    // It was not done there, so it is safe to send it again.
                    Err(Failure::Elsewhere(_)) if attempt < REDIRECTIONS => {
                        sleep(Duration::from_millis(20) * attempt).await;
                    }
                    result => return result,
                }
            }
            Err(Failure::Away("no node has the slot".into()))
        };
        let result = timeout(RESPONSE_TIMEOUT, attempts).await;
        let result = result.unwrap_or_else(|_| Err(Failure::Broken("the server does not answer".into())));
        if let (Err(Failure::Broken(reason)), Connection::One(_)) = (&result, &connection) {
            // Of a cluster's many connections the library renews the broken one.
            self.give_up(generation, reason);
        }
        result
    }

    fn give_up(&self, broken: u64, reason: &str) {
        self.line.send_if_modified(|line| match line {
            Line::Up { generation, .. } if *generation == broken => {
                *line = Line::Away {
                    reason: reason.into(),
                };
                true
            }
            Line::Up { .. } | Line::Away { .. } => false,
        });
    }
}

async fn supervise(
    url: RedisUrl,
    library: Arc<Library>,
    state: watch::Sender<Line>,
    reachable: watch::Sender<bool>,
) {
    let mut backoff = connect_backoff();
    let mut told = None;
    for generation in 1.. {
        match connect(&url, &library).await {
            Ok(mut connection) => {
                let since = Instant::now();
                state.send_replace(Line::Up {
                    connection: connection.clone(),
                    generation,
                });
                reachable.send_replace(true);
                tracing::info!("connected to redis");
                let reason = watch_over(&mut connection, &state).await;
                state.send_replace(Line::Away {
                    reason: reason.as_str().into(),
                });
                reachable.send_replace(false);
                tracing::warn!(error = reason, "lost the connection to redis");
                told = Some(reason);
                if since.elapsed() > CHECK_INTERVAL {
                    backoff.reset();
                }
            }
            Err(reason) => {
                if told.as_ref() != Some(&reason) {
                    tracing::warn!(error = reason, "could not connect to redis, trying again");
                }
                state.send_replace(Line::Away {
                    reason: reason.as_str().into(),
                });
                told = Some(reason);
            }
        }
        sleep(backoff.next(connect_jitter)).await;
    }
}

async fn connect(url: &RedisUrl, library: &Library) -> Result<Connection, String> {
    let mut connection = open(url, None::<fn(redis::PushInfo) -> Result<(), ()>>).await?;
    let loaded = connection.run(&library.load()).await;
    match (&connection, loaded) {
        (Connection::One(_), Err(error)) => Err(line(error)),
        // Where a primary of a cluster is away, the others can do their work.
        (Connection::Cluster(_), Err(_)) | (_, Ok(_)) => Ok(connection),
    }
}

/// Ends when the connection is no good any more, and says why.
async fn watch_over(connection: &mut Connection, state: &watch::Sender<Line>) -> String {
    let mut state = state.subscribe();
    loop {
        if let Line::Away { reason } = &*state.borrow_and_update() {
            return reason.to_string();
        }
        tokio::select! {
            biased;
            // What a command finds out is known sooner than what the next check would.
            changed = state.changed() => if changed.is_err() {
                return "closed".into();
            },
            () = sleep(CHECK_INTERVAL) => if let Err(reason) = connection.check().await {
                return reason;
            }
        }
    }
}

/// Why there is no answer.
enum Failure {
    NoFunction,
    /// It was certainly not done here.
    Elsewhere(String),
    /// The server can't do it now.
    Away(String),
    /// The connection is no good any more; whether it was done is not known.
    Broken(String),
    /// It will not work a second time either.
    Corrupt(String),
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        let detail = error.detail().unwrap_or_default();
        let text = line(&error);
        match error.code() {
            Some("ERR") if detail.contains("Function not found") => Self::NoFunction,
            Some("MOVED" | "ASK" | "TRYAGAIN") => Self::Elsewhere(text),
            Some("READONLY") => Self::Broken(text),
            Some("ERR" | "WRONGTYPE" | "CROSSSLOT") => Self::Corrupt(text),
            Some(_) => Self::Away(text),
            None if error.is_io_error() || error.is_unrecoverable_error() => Self::Broken(text),
            None => Self::Away(text),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoFunction => Self::Unavailable("the server lost the functions".into()),
            Failure::Elsewhere(reason) | Failure::Away(reason) | Failure::Broken(reason) => {
                Self::Unavailable(reason)
            }
            Failure::Corrupt(reason) => Self::Corrupt(reason),
        }
    }
}
