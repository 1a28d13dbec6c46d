//! Requests to join a session, and the responses to them. A denial is a response, not an error.

use roomcast_core::{Position, Role, SessionId, UserId};

use crate::{Invalid, position, session, v1, violation::Fields};

/// The most join requests of one call.
pub const MAX_JOINS: usize = 128;

/// A request of a user to join a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The session, which may not exist.
    pub session: SessionId,
    /// The user who wants to join.
    pub user: UserId,
}

/// The join requests of one call, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joins(pub Vec<Join>);

/// The response to a [`Join`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinAuthorization {
    /// The user may join.
    Admission {
        /// The user's role in the session.
        role: Role,
        /// The position in the session's log at which this is true.
        position: Position,
    },
    /// The session does not exist.
    SessionNotFound,
    /// The session exists, and the user is not a participant.
    NotAParticipant {
        /// The position in the session's log at which this is true.
        position: Position,
    },
}

impl From<Join> for v1::AuthorizeJoinRequest {
    fn from(join: Join) -> Self {
        Self {
            session_id: join.session.to_string(),
            user_id: join.user.to_string(),
        }
    }
}

impl TryFrom<v1::AuthorizeJoinRequest> for Join {
    type Error = Invalid;
    fn try_from(from: v1::AuthorizeJoinRequest) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let session = fields.check("session_id", SessionId::try_from(from.session_id));
        let user = fields.check("user_id", UserId::try_from(from.user_id));
        fields.finish(session.zip(user).map(|(session, user)| Self { session, user }))
    }
}

impl TryFrom<v1::AuthorizeJoinsRequest> for Joins {
    type Error = Invalid;
    fn try_from(from: v1::AuthorizeJoinsRequest) -> Result<Self, Invalid> {
        Invalid::check_length("joins", "requests", from.joins.len(), MAX_JOINS)?;
        let joins = from.joins.into_iter().map(Join::try_from);
        Ok(Self(joins.collect::<Result<_, _>>()?))
    }
}

impl From<JoinAuthorization> for v1::AuthorizeJoinResponse {
    fn from(authorization: JoinAuthorization) -> Self {
        let denied = |denial: v1::Denial, position: Option<Position>| Self {
            allowed: false,
            role: v1::Role::Unspecified.into(),
            denial: denial.into(),
            position: position.map(Into::into),
        };
        match authorization {
            JoinAuthorization::Admission { role, position } => Self {
                allowed: true,
                role: v1::Role::from(role).into(),
                denial: v1::Denial::Unspecified.into(),
                position: Some(position.into()),
            },
            JoinAuthorization::SessionNotFound => denied(v1::Denial::SessionNotFound, None),
            JoinAuthorization::NotAParticipant { position } => {
                denied(v1::Denial::NotAParticipant, Some(position))
            }
        }
    }
}

impl TryFrom<v1::AuthorizeJoinResponse> for JoinAuthorization {
    type Error = Invalid;
    fn try_from(from: v1::AuthorizeJoinResponse) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let position = from.position.as_ref();
        let authorization = match (from.allowed, from.denial()) {
            (true, _) => {
                let role = session::role(&mut fields, "role", from.role);
                let position = position::required(&mut fields, "position", position);
                role.zip(position)
                    .map(|(role, position)| Self::Admission { role, position })
            }
            (false, v1::Denial::SessionNotFound) => Some(Self::SessionNotFound),
            (false, v1::Denial::NotAParticipant) => {
                let position = position::required(&mut fields, "position", position);
                position.map(|position| Self::NotAParticipant { position })
            }
            (false, v1::Denial::Unspecified) => {
                fields.add("denial", "is not known to this version");
                None
            }
        };
        fields.finish(authorization)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_join_requests_of_one_call_is_limited() {
        let parsed = |count| {
            let join = v1::AuthorizeJoinRequest {
                session_id: "s1".to_owned(),
                user_id: "alice".to_owned(),
            };
            Joins::try_from(v1::AuthorizeJoinsRequest {
                joins: vec![join; count],
            })
        };
        assert_eq!(parsed(MAX_JOINS).map(|joins| joins.0.len()), Ok(MAX_JOINS));
        let invalid = parsed(MAX_JOINS + 1).unwrap_err();
        assert_eq!(
            invalid.to_string(),
            "joins: has 129 requests: at most 128 are allowed"
        );
    }
}
