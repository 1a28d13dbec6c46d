//! The steps of commands, each one call of a Lua function.

use async_trait::async_trait;
use redis::Value;
use roomcast_core::{
    CommandDenial, Event, JsonObject, Offset, Participant, Role, Session, SessionCommand, SessionId, UserId,
    browser_event,
};

use super::{
    RedisStore,
    codec::{corrupt, held, parse, position},
    keys::{Slot, hex},
};
use crate::{
    Appended, Outcome, RequestKey, StoreError,
    slots::{Required, Slots},
};

#[async_trait]
impl Slots for RedisStore {
    async fn command(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<(Outcome, u64), StoreError> {
        let mut args = self.session_args("x", request);
        let function = command_args(session, command, &mut args);
        let reply = self.session_step(function, session, request, &args).await?;
        let [epoch, offset, at, revision, requirement] = fields(&reply.words)?;
        let appended = Appended {
            position: position(epoch, offset, Some(at))?,
            published_at: parse("a time", at)?,
        };
        let outcome = Outcome {
            appended,
            revision: parse("a revision", revision)?,
            duplicate: reply.duplicate,
        };
        Ok((outcome, parse("a requirement", requirement)?))
    }

    async fn require(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<Required, StoreError> {
        let mut args = self.session_args("r", request);
        args.extend(crate::distinct(users).iter().map(UserId::to_string));
        let reply = self
            .session_step("require_feedback", session, request, &args)
            .await?;
        let [number, users @ ..] = &reply.words[..] else {
            return Err(corrupt("an answer", ""));
        };
        let users = users
            .iter()
            .map(|user| parse("a user", user))
            .collect::<Result<_, _>>()?;
        Ok(Required {
            users,
            number: parse("a requirement", number)?,
            duplicate: reply.duplicate,
        })
    }

    async fn user_requires(
        &self,
        user: &UserId,
        session: &SessionId,
        number: u64,
    ) -> Result<Appended, StoreError> {
        let words = self.feedback_step("user_requires", user, session, number).await?;
        appended(&words)
    }

    async fn user_gave(&self, user: &UserId, session: &SessionId, number: u64) -> Result<(), StoreError> {
        self.feedback_step("user_gave", user, session, number)
            .await
            .map(drop)
    }
}

struct Reply {
    words: Vec<String>,
    duplicate: bool,
}

impl RedisStore {
    async fn session_step(
        &self,
        function: &str,
        session: &SessionId,
        request: Option<&RequestKey>,
        args: &[String],
    ) -> Result<Reply, StoreError> {
        let slot = Slot::session(&self.prefix, session);
        let mut keys = vec![
            slot.state(),
            slot.log(),
            slot.people(),
            slot.pending_feedback_of(),
        ];
        keys.extend(request.map(|request| slot.request(&request.id)));
        reply(self.supervisor.call(function, &keys, args).await?)
    }

    async fn feedback_step(
        &self,
        function: &str,
        user: &UserId,
        session: &SessionId,
        number: u64,
    ) -> Result<Vec<String>, StoreError> {
        let slot = Slot::user(&self.prefix, user);
        let required = slot.required(session, number);
        let keys = [
            slot.state(),
            slot.log(),
            slot.pending_feedback_of(),
            slot.given(session),
            required,
        ];
        let mut args = self.common_args();
        args.extend([session.to_string(), number.to_string()]);
        Ok(reply(self.supervisor.call(function, &keys, &args).await?)?.words)
    }

    pub(super) async fn disconnect_step(&self, user: &UserId, reason: &str) -> Result<Appended, StoreError> {
        let slot = Slot::user(&self.prefix, user);
        let mut args = self.common_args();
        args.push(held(reason));
        let keys = [slot.state(), slot.log(), slot.pending_feedback_of()];
        appended(&reply(self.supervisor.call("disconnect_user", &keys, &args).await?)?.words)
    }

    /// The arguments of every step.
    pub(super) fn common_args(&self) -> Vec<String> {
        let bounds = &self.bounds;
        vec![
            bounds.log_entries.to_string(),
            bounds.log_retention.to_string(),
            bounds.state_retention.to_string(),
            roomcast_core::Epoch::from_random(rand::random()).to_string(),
        ]
    }

    /// `kind` keeps apart answers of different shapes, should a caller mix up their request ids.
    fn session_args(&self, kind: &str, request: Option<&RequestKey>) -> Vec<String> {
        let stamp = request.map(|request| format!("{kind}{}", hex(&request.fingerprint)));
        let mut args = self.common_args();
        args.extend([stamp.unwrap_or_default(), self.bounds.max_payload.to_string()]);
        args
    }
}

/// Adds the command's own arguments; gives its function's name.
fn command_args(id: &SessionId, command: &SessionCommand, args: &mut Vec<String>) -> &'static str {
    match command {
        SessionCommand::Publish {
            status,
            participants,
            attributes,
            expected_revision,
        } => {
            let listed = participants.as_deref().unwrap_or(&[]);
            let sized = |people: &[(UserId, Role)]| {
                let participants = people.iter().map(|(user, role)| Participant {
                    user: user.clone(),
                    role: *role,
                    added_at: Offset::ZERO,
                });
                let session = Session {
                    id: id.clone(),
                    status: status.clone(),
                    participants: participants.collect(),
                    attributes: attributes.clone(),
                    revision: 0,
                };
                bytes(
                    id,
                    &Event::SessionUpdated {
                        session: session.into(),
                        removed: Vec::new(),
                    },
                )
            };
            args.extend([
                sized(listed).to_string(),
                BYTES_OF_PARTICIPANT.to_string(),
                held(status),
                attributes.as_str().to_owned(),
                expected_revision
                    .map(|revision| revision.to_string())
                    .unwrap_or_default(),
                u8::from(participants.is_some()).to_string(),
            ]);
            args.extend(
                listed
                    .iter()
                    .flat_map(|(user, role)| [user.to_string(), role.to_string()]),
            );
            "publish"
        }
        SessionCommand::SelectRole { user, role } => {
            let body = Event::RoleSelected {
                user: user.clone(),
                role: *role,
            };
            args.extend([bytes(id, &body).to_string(), user.to_string(), role.to_string()]);
            "select_role"
        }
        SessionCommand::UpdateFeedback {
            feedback,
            author,
            updates,
            new_feedback,
            timestamp,
        } => {
            let body = Event::FeedbackUpdated {
                feedback: feedback.clone(),
                updates: updates.clone(),
                new_feedback: new_feedback.clone(),
                // Written with the same length whatever the time.
                timestamp: timestamp.unwrap_or(0),
            };
            args.extend([
                bytes(id, &body).to_string(),
                author.as_ref().map(UserId::to_string).unwrap_or_default(),
                feedback.to_string(),
                timestamp
                    .map(|timestamp| timestamp.to_string())
                    .unwrap_or_default(),
                updates.as_str().to_owned(),
                new_feedback
                    .as_ref()
                    .map(JsonObject::as_str)
                    .unwrap_or_default()
                    .to_owned(),
            ]);
            "update_feedback"
        }
        SessionCommand::RemoveParticipant { user } => {
            args.push(user.to_string());
            "remove_participant"
        }
    }
}

/// `{"userId":"","role":""}`: what a participant takes of a payload beside user, role and comma.
const BYTES_OF_PARTICIPANT: usize = 23;

fn bytes(id: &SessionId, body: &Event) -> usize {
    browser_event::session_event(id, body).map_or(0, |event| event.payload.len())
}

fn reply(value: Value) -> Result<Reply, StoreError> {
    let words: Vec<String> = redis::from_redis_value(value).map_err(|_| corrupt("an answer", ""))?;
    let [kind, rest @ ..] = &words[..] else {
        return Err(corrupt("an answer", ""));
    };
    let duplicate = match kind.as_str() {
        "done" => false,
        "duplicate" => true,
        _ => return Err(denial(rest)?.into()),
    };
    Ok(Reply {
        words: rest.to_vec(),
        duplicate,
    })
}

fn denial(words: &[String]) -> Result<CommandDenial, StoreError> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Ok(match words[..] {
        ["SessionNotFound"] => CommandDenial::SessionNotFound,
        ["RoleTaken", role] => CommandDenial::RoleTaken(parse("a role", role)?),
        ["RevisionMismatch", current] => CommandDenial::RevisionMismatch {
            current: parse("a revision", current)?,
        },
        ["NotAParticipant"] => CommandDenial::NotAParticipant,
        ["RequestIdReused"] => CommandDenial::RequestIdReused,
        ["PayloadTooLarge", bytes, limit] => CommandDenial::PayloadTooLarge {
            bytes: parse("a size", bytes)?,
            limit: parse("a size", limit)?,
        },
        _ => return Err(corrupt("an answer", "")),
    })
}

fn fields<const N: usize>(words: &[String]) -> Result<[&str; N], StoreError> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.try_into().map_err(|_| corrupt("an answer", ""))
}

fn appended(words: &[String]) -> Result<Appended, StoreError> {
    let [epoch, offset, at] = fields(words)?;
    Ok(Appended {
        position: position(epoch, offset, Some(at))?,
        published_at: parse("a time", at)?,
    })
}
