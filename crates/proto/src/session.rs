//! Sessions, participants and roles.

use std::{collections::BTreeSet, fmt::Display, sync::Arc};

use roomcast_core::{
    JsonObject, Participant, Role, Session, SessionId, SessionView, UserId, limits::MAX_STATUS_BYTES,
};

use crate::{json, v1, violation::Fields};

/// Names that attributes must not have, because browsers get the session's own fields under these names.
const RESERVED: [&str; 3] = ["id", "status", "participants"];

/// A session as a backend publishes it.
pub(crate) struct SessionDescription {
    pub(crate) id: SessionId,
    pub(crate) status: Arc<str>,
    /// `None`: unchanged.
    pub(crate) participants: Option<Vec<(UserId, Role)>>,
    pub(crate) attributes: JsonObject,
}

impl From<Role> for v1::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Interviewer => Self::Interviewer,
            Role::Interviewee => Self::Interviewee,
            Role::Observer => Self::Observer,
        }
    }
}

impl From<&Participant> for v1::Participant {
    fn from(participant: &Participant) -> Self {
        Self {
            user_id: participant.user.to_string(),
            role: v1::Role::from(participant.role).into(),
        }
    }
}

impl From<&Session> for v1::Session {
    fn from(session: &Session) -> Self {
        let list = session.participants.iter().map(Into::into).collect();
        Self {
            id: session.id.to_string(),
            status: session.status.to_string(),
            participants: Some(v1::Participants { list }),
            attributes: Some(json::to_struct(&session.attributes)),
        }
    }
}

impl From<&SessionView> for v1::GetSessionResponse {
    fn from(view: &SessionView) -> Self {
        Self {
            session: Some((&view.session).into()),
            revision: view.session.revision,
            position: Some(view.position.into()),
            open_feedback_user_ids: view.pending_feedback.iter().map(ToString::to_string).collect(),
        }
    }
}

pub(crate) fn role(fields: &mut Fields, path: impl Display, from: i32) -> Option<Role> {
    match v1::Role::try_from(from) {
        Ok(v1::Role::Interviewer) => Some(Role::Interviewer),
        Ok(v1::Role::Interviewee) => Some(Role::Interviewee),
        Ok(v1::Role::Observer) => Some(Role::Observer),
        Ok(v1::Role::Unspecified) | Err(_) => {
            fields.add(
                path,
                "must be ROLE_INTERVIEWER, ROLE_INTERVIEWEE or ROLE_OBSERVER",
            );
            None
        }
    }
}

pub(crate) fn session_description(
    fields: &mut Fields,
    from: Option<v1::Session>,
) -> Option<SessionDescription> {
    let Some(from) = from else {
        fields.add("session", "is required");
        return None;
    };
    let id = fields.check("session.id", SessionId::try_from(from.id));
    let status = status(fields, from.status);
    let participants = match from.participants {
        None => Some(None),
        Some(listed) => participants(fields, listed).map(Some),
    };
    let attributes = attributes(fields, from.attributes.unwrap_or_default());
    let (((id, status), participants), attributes) = id.zip(status).zip(participants).zip(attributes)?;
    Some(SessionDescription {
        id,
        status,
        participants,
        attributes,
    })
}

fn status(fields: &mut Fields, text: String) -> Option<Arc<str>> {
    match text.len() {
        1..=MAX_STATUS_BYTES => Some(text.into()),
        bytes => {
            fields.add(
                "session.status",
                format_args!("has {bytes} bytes: 1 to {MAX_STATUS_BYTES} are allowed"),
            );
            None
        }
    }
}

fn attributes(fields: &mut Fields, from: prost_types::Struct) -> Option<JsonObject> {
    for name in RESERVED {
        if from.fields.contains_key(name) {
            let path = format!("session.attributes.{name}");
            fields.add(
                path,
                "is a reserved name: browsers get the session's own field under it",
            );
        }
    }
    json::object(fields, "session.attributes", from)
}

fn participants(fields: &mut Fields, from: v1::Participants) -> Option<Vec<(UserId, Role)>> {
    let mut users = BTreeSet::new();
    let mut exclusive_roles = BTreeSet::new();
    let mut complete = Some(Vec::with_capacity(from.list.len()));
    for (n, listed) in from.list.into_iter().enumerate() {
        let path = |field: &str| format!("session.participants.list[{n}].{field}");
        let user = fields.check(path("user_id"), UserId::try_from(listed.user_id));
        let role = role(fields, path("role"), listed.role);
        if let Some(user) = &user
            && !users.insert(user.clone())
        {
            fields.add(path("user_id"), "is listed twice: a user has one role");
        }
        if let Some(role) = role
            && role.is_exclusive()
            && !exclusive_roles.insert(role)
        {
            fields.add(
                path("role"),
                format_args!("is taken: a session has only one {role}"),
            );
        }
        complete = complete.zip(user.zip(role)).map(|(mut list, participant)| {
            list.push(participant);
            list
        });
    }
    complete
}
