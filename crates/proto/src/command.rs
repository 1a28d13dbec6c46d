//! The requests of backends that change something. Parsing checks every field and names all invalid ones at once.

use prost::{Message, Name};
use roomcast_core::{
    FeedbackId, RequestId, SessionCommand, SessionId, UserId, ids::RequestKey, limits::MAX_REASON_BYTES,
};
use sha2::{Digest, Sha256};

use crate::{Invalid, json, session, time, v1, violation::Fields};

/// The most users of one `RequireFeedback`.
const MAX_REQUIRED_USERS: usize = 1_000;

/// A command on one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionChange {
    /// The session, which may not exist.
    pub session: SessionId,
    /// The command to execute.
    pub command: SessionCommand,
    /// The idempotency key, if the caller sent one.
    pub request: Option<RequestKey>,
}

/// A requirement that gives users pending feedback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequireFeedback {
    /// The session for which feedback is required, which may not exist.
    pub session: SessionId,
    /// The users, each once; empty: every participant.
    pub users: Vec<UserId>,
    /// The idempotency key, if the caller sent one.
    pub request: Option<RequestKey>,
}

/// A user whose sockets must be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisconnectUser {
    /// The user, who may have no socket.
    pub user: UserId,
    /// The caller's reason, for logs: at most 256 bytes, may be empty.
    pub reason: String,
}

impl TryFrom<v1::PublishSessionUpdateRequest> for SessionChange {
    type Error = Invalid;
    fn try_from(mut from: v1::PublishSessionUpdateRequest) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let id = std::mem::take(&mut from.request_id);
        let request = request_key(&mut fields, id, &from);
        let description = session::session_description(&mut fields, from.session);
        let change = description.zip(request).map(|(session, request)| Self {
            session: session.id,
            command: SessionCommand::Publish {
                status: session.status,
                participants: session.participants,
                attributes: session.attributes,
                expected_revision: from.expected_revision,
            },
            request,
        });
        fields.finish(change)
    }
}

impl TryFrom<v1::SelectRoleRequest> for SessionChange {
    type Error = Invalid;
    fn try_from(mut from: v1::SelectRoleRequest) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let id = std::mem::take(&mut from.request_id);
        let request = request_key(&mut fields, id, &from);
        let session = fields.check("session_id", SessionId::try_from(from.session_id));
        let user = fields.check("user_id", UserId::try_from(from.user_id));
        let role = session::role(&mut fields, "role", from.role);
        let change = session
            .zip(user.zip(role))
            .zip(request)
            .map(|((session, (user, role)), request)| {
                let command = SessionCommand::SelectRole { user, role };
                Self {
                    session,
                    command,
                    request,
                }
            });
        fields.finish(change)
    }
}

impl TryFrom<v1::UpdateFeedbackRequest> for SessionChange {
    type Error = Invalid;
    fn try_from(mut from: v1::UpdateFeedbackRequest) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let id = std::mem::take(&mut from.request_id);
        let request = request_key(&mut fields, id, &from);
        let session = fields.check("session_id", SessionId::try_from(from.session_id));
        let feedback = fields.check("feedback_id", FeedbackId::try_from(from.feedback_id));
        let author = match from.author_id.is_empty() {
            true => Some(None),
            false => fields
                .check("author_id", UserId::try_from(from.author_id))
                .map(Some),
        };
        let updates = json::object(&mut fields, "updates", from.updates.unwrap_or_default());
        let new_feedback = match from.new_feedback {
            None => Some(None),
            Some(created) => json::object(&mut fields, "new_feedback", created).map(Some),
        };
        let timestamp = match from.timestamp {
            None => Some(None),
            Some(at) => fields.check("timestamp", time::millis(at)).map(Some),
        };
        let change = (|| {
            Some(Self {
                session: session?,
                command: SessionCommand::UpdateFeedback {
                    feedback: feedback?,
                    author: author?,
                    updates: updates?,
                    new_feedback: new_feedback?,
                    timestamp: timestamp?,
                },
                request: request?,
            })
        })();
        fields.finish(change)
    }
}

impl TryFrom<v1::RemoveParticipantRequest> for SessionChange {
    type Error = Invalid;
    fn try_from(mut from: v1::RemoveParticipantRequest) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let id = std::mem::take(&mut from.request_id);
        let request = request_key(&mut fields, id, &from);
        let session = fields.check("session_id", SessionId::try_from(from.session_id));
        let user = fields.check("user_id", UserId::try_from(from.user_id));
        let change = session.zip(user).zip(request).map(|((session, user), request)| {
            let command = SessionCommand::RemoveParticipant { user };
            Self {
                session,
                command,
                request,
            }
        });
        fields.finish(change)
    }
}

impl TryFrom<v1::RequireFeedbackRequest> for RequireFeedback {
    type Error = Invalid;
    fn try_from(mut from: v1::RequireFeedbackRequest) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let id = std::mem::take(&mut from.request_id);
        let request = request_key(&mut fields, id, &from);
        let session = fields.check("session_id", SessionId::try_from(from.session_id));
        let users = users(&mut fields, from.user_ids);
        let require = session.zip(users.zip(request));
        fields.finish(require.map(|(session, (users, request))| Self {
            session,
            users,
            request,
        }))
    }
}

impl TryFrom<v1::DisconnectUserRequest> for DisconnectUser {
    type Error = Invalid;
    fn try_from(from: v1::DisconnectUserRequest) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let user = fields.check("user_id", UserId::try_from(from.user_id));
        let reason = from.reason;
        if reason.len() > MAX_REASON_BYTES {
            fields.add(
                "reason",
                format_args!(
                    "has {} bytes: at most {MAX_REASON_BYTES} are allowed",
                    reason.len()
                ),
            );
        }
        fields.finish(user.map(|user| Self { user, reason }))
    }
}

impl TryFrom<v1::GetSessionRequest> for SessionId {
    type Error = Invalid;
    fn try_from(from: v1::GetSessionRequest) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let session = fields.check("session_id", Self::try_from(from.session_id));
        fields.finish(session)
    }
}

/// Each user once, in the order of the request.
fn users(fields: &mut Fields, from: Vec<String>) -> Option<Vec<UserId>> {
    let (count, limit) = (from.len(), MAX_REQUIRED_USERS);
    if count > limit {
        fields.add(
            "user_ids",
            format_args!("has {count} users: at most {limit} are allowed"),
        );
        return None;
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut complete = Some(Vec::with_capacity(count));
    for (n, id) in from.into_iter().enumerate() {
        let user = fields.check(format_args!("user_ids[{n}]"), UserId::try_from(id));
        complete = complete.zip(user).map(|(mut users, user)| {
            if seen.insert(user.clone()) {
                users.push(user);
            }
            users
        });
    }
    complete
}

/// `Some(None)` if the caller sent no id. `from` is the request without its id. The fingerprint is the SHA-256 of the
/// request's name and encoding.
fn request_key<R: Message + Name>(fields: &mut Fields, id: String, from: &R) -> Option<Option<RequestKey>> {
    if id.is_empty() {
        return Some(None);
    }
    let id = fields.check("request_id", RequestId::try_from(id))?;
    // Maps are sorted in memory, so that equal requests have equal bytes.
    let digest = Sha256::new_with_prefix(R::NAME)
        .chain_update([0])
        .chain_update(from.encode_to_vec());
    Some(Some(RequestKey {
        id,
        fingerprint: digest.finalize().into(),
    }))
}
