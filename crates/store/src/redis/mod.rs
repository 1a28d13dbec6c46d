//! The store in Redis 7 or newer. What must be one step is one Lua function; everything else reads.

#[cfg(test)]
pub(crate) mod access;
mod backoff;
mod codec;
mod config;
mod connection;
mod durability;
mod hearing;
mod keys;
mod library;
#[cfg(test)]
pub(crate) mod server;
mod steps;
mod supervisor;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::try_join_all;
use redis::{FromRedisValue, Value};
use roomcast_core::{
    LogSlice, Offset, Position, RoomId, RoomState, SessionCommand, SessionId, SessionView, Snapshot, UserId,
    limits::READ_BYTES,
};
use tokio::{sync::watch, task::JoinHandle};

pub use self::config::{RedisConfig, RedisUrl, RedisUrlError};
use self::{
    codec::corrupt, config::Topology, durability::Durability, hearing::Hearing, keys::Slot,
    supervisor::Supervisor,
};
use crate::{
    Appended, FeedbackRequirement, Outcome, Participation, RequestKey, Store, StoreError, StoreLimits,
    Subscription, audience::Audience, slots,
};

/// What a call may take in all; less is what one command may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// How long `connect` waits for the first connection.
const FIRST_CONNECTION: Duration = Duration::from_secs(2);

/// The store of any number of processes. The server must not evict keys (`maxmemory-policy noeviction`): what is
/// to be forgotten has an end of its own.
///
/// It must run inside a tokio runtime; dropping it ends its two tasks.
pub struct RedisStore {
    prefix: String,
    /// Whether rooms are on several nodes.
    cluster: bool,
    bounds: StoreLimits,
    supervisor: Supervisor,
    durability: Durability,
    audience: Arc<Audience>,
    hearing: JoinHandle<()>,
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.hearing.abort();
    }
}

impl RedisStore {
    /// Starts connecting and waits a moment for it. A Redis that is away is no error: it is looked for as long as
    /// the store lives, and until then every call fails with [`StoreError::Unavailable`].
    pub async fn connect(config: RedisConfig) -> Self {
        let RedisConfig {
            url,
            prefix,
            bounds,
            replicas,
        } = config;
        let audience = Audience::new(false);
        let hearing = Hearing {
            url: url.clone(),
            prefix: prefix.clone(),
            audience: audience.clone(),
        };
        let hearing = tokio::spawn(hearing.run());
        let store = Self {
            prefix,
            cluster: matches!(url.topology, Topology::Cluster { .. }),
            bounds,
            supervisor: Supervisor::start(url),
            durability: Durability::new(replicas),
            audience,
            hearing,
        };
        let mut reachable = store.reachable();
        let _away = tokio::time::timeout(FIRST_CONNECTION, reachable.wait_for(|reachable| *reachable)).await;
        store
    }

    /// Whether Redis can be reached, as far as is known.
    #[must_use]
    pub fn reachable(&self) -> watch::Receiver<bool> {
        self.supervisor.reachable()
    }

    /// Ends a write when as many replicas have it as are wanted.
    async fn durably<T>(
        &self,
        write: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let generation = self.supervisor.generation();
        let written = write.await?;
        self.durability.reached(&self.supervisor, generation).await?;
        Ok(written)
    }

    /// The tails of rooms on one node, which takes one call for all of them.
    async fn tails_in_one(&self, states: Vec<String>) -> Result<Vec<Position>, StoreError> {
        let tails: Vec<String> = typed(self.supervisor.call("tails", &states, &[]).await?)?;
        if tails.len() != states.len() {
            return Err(corrupt("an answer", ""));
        }
        let tail = |text: &String| {
            let mut words = text.split_terminator(' ');
            match (words.next(), words.next()) {
                (None, _) => Ok(Position::NONE),
                (Some(epoch), Some(tail)) => codec::position(epoch, tail, words.next()),
                (Some(_), None) => Err(corrupt("an answer", text)),
            }
        };
        tails.iter().map(tail).collect()
    }

    async fn look(&self, room: &RoomId) -> Result<Option<(Snapshot, BTreeSet<UserId>)>, StoreError> {
        let slot = Slot::room(&self.prefix, room);
        let keys = |third: String| vec![slot.state(), slot.log(), third, slot.pending_feedback_of()];
        match room {
            RoomId::Session(id) => {
                let reply = self
                    .supervisor
                    .call("look_at_session", &keys(slot.people()), &[])
                    .await?;
                if matches!(&reply, Value::Array(parts) if parts.is_empty()) {
                    return Ok(None);
                }
                let (state, people, pending_feedback): (Vec<String>, Vec<String>, Vec<String>) =
                    typed(reply)?;
                let [epoch, offset, at, revision, status, attributes] = &state[..] else {
                    return Err(corrupt("a session", ""));
                };
                let mut participants = Vec::with_capacity(people.len() / 2);
                for [user, value] in people.as_chunks::<2>().0 {
                    let (participant, seq) = codec::participant(user, value)?;
                    participants.push((codec::parse::<u64>("a place", seq)?, participant));
                }
                participants.sort_by_key(|(seq, _)| *seq);
                let participants = participants
                    .into_iter()
                    .map(|(_, participant)| participant)
                    .collect();
                let session = codec::SessionParts {
                    revision,
                    status,
                    attributes,
                }
                .session(id, participants)?;
                let position = codec::position(epoch, offset, Some(at))?;
                let pending_feedback = pending_feedback
                    .iter()
                    .map(|user| codec::parse("a user", user))
                    .collect::<Result<_, _>>()?;
                Ok(Some((
                    Snapshot {
                        position,
                        state: RoomState::Session(session.into()),
                    },
                    pending_feedback,
                )))
            }
            RoomId::User(_) => {
                let reply = self
                    .supervisor
                    .call("look_at_user", &keys(slot.pending_feedback_of()), &[])
                    .await?;
                let (tail, pending_feedback): (Value, Vec<String>) = typed(reply)?;
                let pending_feedback = pending_feedback
                    .iter()
                    .map(|session| codec::parse("a session", session))
                    .collect::<Result<_, _>>()?;
                Ok(Some((
                    Snapshot {
                        position: tail_of(tail)?,
                        state: RoomState::User { pending_feedback },
                    },
                    BTreeSet::new(),
                )))
            }
        }
    }
}

/// Reads epoch and tail, which are both there or not.
fn tail_of(value: Value) -> Result<Position, StoreError> {
    match typed(value)? {
        (Some(epoch), Some(tail), at) => {
            let (epoch, tail, at): (String, String, Option<String>) = (epoch, tail, at);
            codec::position(&epoch, &tail, at.as_deref())
        }
        _ => Ok(Position::NONE),
    }
}

fn typed<T: FromRedisValue>(value: Value) -> Result<T, StoreError> {
    redis::from_redis_value(value).map_err(|_| corrupt("an answer", ""))
}

async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
    let late = |_| Err(StoreError::Unavailable("the server is slow".into()));
    tokio::time::timeout(CALL_TIMEOUT, call)
        .await
        .unwrap_or_else(late)
}

#[async_trait]
impl Store for RedisStore {
    async fn execute(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<Outcome, StoreError> {
        in_time(self.durably(slots::execute(self, session, command, request))).await
    }

    async fn require_feedback(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<FeedbackRequirement, StoreError> {
        in_time(self.durably(slots::require_feedback(self, session, users, request))).await
    }

    async fn disconnect_user(&self, user: &UserId, reason: &str) -> Result<Appended, StoreError> {
        in_time(self.durably(self.disconnect_step(user, reason))).await
    }

    async fn session(&self, session: &SessionId) -> Result<Option<SessionView>, StoreError> {
        let looked = in_time(self.look(&session.clone().into())).await?;
        Ok(
            looked.and_then(|(snapshot, pending_feedback)| match snapshot.state {
                RoomState::Session(session) => Some(SessionView {
                    session: Arc::unwrap_or_clone(session),
                    position: snapshot.position,
                    pending_feedback,
                }),
                RoomState::User { .. } => None,
            }),
        )
    }

    async fn participation(
        &self,
        session: &SessionId,
        user: &UserId,
    ) -> Result<Option<Participation>, StoreError> {
        let slot = Slot::session(&self.prefix, session);
        let keys = [slot.state(), slot.people()];
        let args = [user.to_string()];
        let looked = self.supervisor.call("look_at_participant", &keys, &args);
        let words: Vec<String> = typed(in_time(looked).await?)?;
        match &words[..] {
            [] => Ok(None),
            [epoch, tail, at, role] => Ok(Some(Participation {
                position: codec::position(epoch, tail, Some(at))?,
                role: match role.as_str() {
                    "" => None,
                    role => Some(codec::parse("a role", role)?),
                },
            })),
            _ => Err(corrupt("an answer", "")),
        }
    }

    async fn snapshot(&self, room: &RoomId) -> Result<Option<Snapshot>, StoreError> {
        Ok(in_time(self.look(room)).await?.map(|(snapshot, _)| snapshot))
    }

    async fn read(&self, room: &RoomId, after: Offset, limit: usize) -> Result<LogSlice, StoreError> {
        let slot = Slot::room(&self.prefix, room);
        let mut args = self.common_args();
        // A Lua number holds counts of this size exactly.
        let limit = limit.min(u32::MAX as usize);
        args.extend([after.to_string(), limit.to_string(), READ_BYTES.to_string()]);
        let reply = in_time(self.supervisor.call("read", &[slot.state(), slot.log()], &args)).await?;
        let words: Vec<String> = typed(reply)?;
        match &words[..] {
            [] => Ok(LogSlice::of_no_log(after)),
            [epoch, tail, first, at, entries @ ..] => {
                let Position {
                    epoch, offset: tail, ..
                } = codec::position(epoch, tail, None)?;
                let first = Offset(codec::parse("an offset", first)?);
                let entries = entries
                    .iter()
                    .map(|line| codec::entry(room, line))
                    .collect::<Result<_, _>>()?;
                Ok(LogSlice {
                    epoch,
                    first,
                    tail,
                    after,
                    after_mark: codec::mark(Some(at.as_str()).filter(|at| !at.is_empty()))?,
                    entries,
                })
            }
            _ => Err(corrupt("an answer", "")),
        }
    }

    async fn tails(&self, rooms: &[RoomId]) -> Result<Vec<Position>, StoreError> {
        let states = rooms.iter().map(|room| Slot::room(&self.prefix, room).state());
        if !self.cluster {
            return in_time(self.tails_in_one(states.collect())).await;
        }
        // One command for each room, since they are on several nodes; they go out together.
        let each = states.map(|state| async {
            let mut command = redis::cmd("HMGET");
            command.arg(state).arg("epoch").arg("tail").arg("at");
            tail_of(self.supervisor.query(&command).await?)
        });
        in_time(try_join_all(each)).await
    }

    fn subscription(&self) -> Box<dyn Subscription> {
        self.audience.subscription()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        in_time(self.supervisor.query(&redis::cmd("PING")))
            .await
            .map(drop)
    }
}
