//! Rooms: a named log and its audience.

use std::{fmt, str::FromStr};

use crate::ids::{IdError, SessionId, UserId};

/// A room of a session or of a user.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomId {
    /// `session:{id}`: its audience is the session's participants.
    Session(SessionId),
    /// `user:{id}`: its audience is every socket of one user.
    User(UserId),
}

impl From<SessionId> for RoomId {
    fn from(session: SessionId) -> Self {
        Self::Session(session)
    }
}

impl From<UserId> for RoomId {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(id) => write!(f, "session:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
        }
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not the name of a room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoomError {
    /// The text starts with neither `session:` nor `user:`.
    #[error("must be session:ID or user:ID")]
    Prefix,
    /// The text after the colon is not a valid id.
    #[error(transparent)]
    Id(#[from] IdError),
}

impl FromStr for RoomId {
    type Err = RoomError;
    fn from_str(text: &str) -> Result<Self, RoomError> {
        match text.split_once(':') {
            Some(("session", id)) => Ok(Self::Session(id.parse()?)),
            Some(("user", id)) => Ok(Self::User(id.parse()?)),
            _ => Err(RoomError::Prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_name_round_trips_even_with_colons_in_the_id() {
        for text in ["session:a:b", "user:u@example.com"] {
            assert_eq!(text.parse::<RoomId>().unwrap().to_string(), text);
        }
        assert_eq!("room:x".parse::<RoomId>(), Err(RoomError::Prefix));
        assert_eq!("user:".parse::<RoomId>(), Err(RoomError::Id(IdError::Empty)));
    }
}
