//! The reads of state and logs.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::try_join_all;
use redis::Value;
use roomcast_core::{
    LogSlice, Offset, Participant, Position, RoomId, RoomState, Session, SessionId, SessionView, Snapshot,
    UserId, limits::READ_BYTES,
};

use super::{
    arguments,
    codec::{self, SessionFields, corrupt, corrupt_response, parse, typed},
    keys::Slot,
    reconnecting::ReconnectingConnection,
};
use crate::{
    limits::StoreLimits,
    store::{Participation, StoreError},
};

pub(super) struct Reads {
    pub(super) prefix: Arc<str>,
    /// Whether rooms are on several nodes.
    pub(super) cluster: bool,
    pub(super) limits: StoreLimits,
    pub(super) connection: Arc<ReconnectingConnection>,
}

impl Reads {
    pub(super) async fn session(&self, id: &SessionId) -> Result<Option<SessionView>, StoreError> {
        let slot = Slot::session(&self.prefix, id);
        let keys = [
            slot.state(),
            slot.log(),
            slot.participants(),
            slot.pending_feedback(),
        ];
        let response = self.connection.call("get_session", &keys, &[]).await?;
        if matches!(&response, Value::Array(parts) if parts.is_empty()) {
            return Ok(None);
        }
        let (state, participants, users): (Vec<String>, Vec<String>, Vec<String>) = typed(response)?;
        let [epoch, offset, at, revision, status, attributes] = &state[..] else {
            return Err(corrupt("a session", ""));
        };
        let fields = SessionFields {
            revision,
            status,
            attributes,
        };
        Ok(Some(SessionView {
            session: fields.session(id, in_order(&participants)?)?,
            position: codec::position(epoch, offset, Some(at))?,
            pending_feedback: parsed("a user", &users)?,
        }))
    }

    async fn user_snapshot(&self, id: &UserId) -> Result<Snapshot, StoreError> {
        let slot = Slot::user(&self.prefix, id);
        let keys = [slot.state(), slot.log(), slot.pending_feedback()];
        let response = self.connection.call("get_user", &keys, &[]).await?;
        let (tail, sessions): (Value, Vec<String>) = typed(response)?;
        Ok(Snapshot {
            position: tail_of(tail)?,
            state: RoomState::User {
                pending_feedback: parsed("a session", &sessions)?,
            },
        })
    }

    pub(super) async fn snapshot(&self, room: &RoomId) -> Result<Option<Snapshot>, StoreError> {
        match room {
            RoomId::Session(id) => {
                let view = self.session(id).await?;
                Ok(view.map(
                    |SessionView {
                         session, position, ..
                     }| Snapshot {
                        position,
                        state: RoomState::Session(Arc::<Session>::new(session)),
                    },
                ))
            }
            RoomId::User(id) => self.user_snapshot(id).await.map(Some),
        }
    }

    pub(super) async fn participation(
        &self,
        session: &SessionId,
        user: &UserId,
    ) -> Result<Option<Participation>, StoreError> {
        let slot = Slot::session(&self.prefix, session);
        let keys = [slot.state(), slot.participants()];
        let args = [user.to_string()];
        let response = self.connection.call("get_participant", &keys, &args).await?;
        let fields: Vec<String> = typed(response)?;
        match &fields[..] {
            [] => Ok(None),
            [epoch, tail, at, role] => Ok(Some(Participation {
                position: codec::position(epoch, tail, Some(at))?,
                role: match role.as_str() {
                    "" => None,
                    role => Some(parse("a role", role)?),
                },
            })),
            _ => Err(corrupt_response()),
        }
    }

    pub(super) async fn read(
        &self,
        room: &RoomId,
        after: Offset,
        limit: usize,
    ) -> Result<LogSlice, StoreError> {
        let slot = Slot::room(&self.prefix, room);
        let mut args = arguments::step(&self.limits);
        // A Lua number represents counts of this size exactly.
        let limit = limit.min(u32::MAX as usize);
        args.extend([after.to_string(), limit.to_string(), READ_BYTES.to_string()]);
        let keys = [slot.state(), slot.log()];
        let fields: Vec<String> = typed(self.connection.call("read", &keys, &args).await?)?;
        match &fields[..] {
            [] => Ok(LogSlice::of_no_log(after)),
            [epoch, tail, first, after_at, entries @ ..] => {
                let tail = codec::position(epoch, tail, None)?;
                let entries = entries
                    .iter()
                    .map(|line| codec::entry(room, line))
                    .collect::<Result<_, _>>()?;
                Ok(LogSlice {
                    epoch: tail.epoch,
                    first: Offset(parse("an offset", first)?),
                    tail: tail.offset,
                    after,
                    after_mark: codec::mark(Some(after_at.as_str()).filter(|at| !at.is_empty()))?,
                    entries,
                })
            }
            _ => Err(corrupt_response()),
        }
    }

    pub(super) async fn tails(&self, rooms: &[RoomId]) -> Result<Vec<Position>, StoreError> {
        let states = rooms.iter().map(|room| Slot::room(&self.prefix, room).state());
        if !self.cluster {
            return self.tails_on_one_node(states.collect()).await;
        }
        // The rooms are on several nodes, so each needs its own command. The commands run concurrently.
        let each = states.map(|state| async {
            let mut command = redis::cmd("HMGET");
            command.arg(state).arg("epoch").arg("tail").arg("tail_at");
            tail_of(self.connection.query(&command).await?)
        });
        try_join_all(each).await
    }

    /// The tails of all rooms in one call.
    async fn tails_on_one_node(&self, states: Vec<String>) -> Result<Vec<Position>, StoreError> {
        let tails: Vec<String> = typed(self.connection.call("tails", &states, &[]).await?)?;
        if tails.len() != states.len() {
            return Err(corrupt_response());
        }
        let tail = |text: &String| {
            let mut fields = text.split_terminator(' ');
            match (fields.next(), fields.next()) {
                (None, _) => Ok(Position::NONE),
                (Some(epoch), Some(tail)) => codec::position(epoch, tail, fields.next()),
                (Some(_), None) => Err(corrupt("a tail", text)),
            }
        };
        tails.iter().map(tail).collect()
    }
}

/// The participants of a flat list of users and values, in their order.
fn in_order(flat: &[String]) -> Result<Vec<Participant>, StoreError> {
    let mut participants = Vec::with_capacity(flat.len() / 2);
    for [user, value] in flat.as_chunks::<2>().0 {
        let (participant, seq) = codec::participant(user, value)?;
        participants.push((parse::<u64>("a sequence number", seq)?, participant));
    }
    participants.sort_by_key(|(seq, _)| *seq);
    Ok(participants
        .into_iter()
        .map(|(_, participant)| participant)
        .collect())
}

fn parsed<T: std::str::FromStr + Ord>(kind: &str, ids: &[String]) -> Result<BTreeSet<T>, StoreError> {
    ids.iter().map(|id| parse(kind, id)).collect()
}

/// Reads epoch, tail, and the time of the entry at the tail. Without a log, all of them are missing.
fn tail_of(value: Value) -> Result<Position, StoreError> {
    let (epoch, tail, at): (Option<String>, Option<String>, Option<String>) = typed(value)?;
    match (epoch, tail) {
        (Some(epoch), Some(tail)) => codec::position(&epoch, &tail, at.as_deref()),
        (None, _) | (_, None) => Ok(Position::NONE),
    }
}
