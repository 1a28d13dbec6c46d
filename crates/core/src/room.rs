//! Rooms: a named log and its audience.

use std::{fmt, str::FromStr};

use crate::ids::{IdError, SessionId, UserId};

/// A room: that of a session or a user's own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomId {
    /// `session:{id}`: everyone who takes part in the session.
    Session(SessionId),
    /// `user:{id}`: every socket of one user.
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

/// Why a text is not a room's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoomError {
    /// The text starts with neither `session:` nor `user:`.
    #[error("must be session:ID or user:ID")]
    Kind,
    /// What follows the colon is no id.
    #[error(transparent)]
    Id(#[from] IdError),
}

impl FromStr for RoomId {
    type Err = RoomError;
    fn from_str(text: &str) -> Result<Self, RoomError> {
        match text.split_once(':') {
            Some(("session", id)) => Ok(Self::Session(id.parse()?)),
            Some(("user", id)) => Ok(Self::User(id.parse()?)),
            _ => Err(RoomError::Kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_reads_back_what_it_writes_even_with_colons_in_the_id() {
        for text in ["session:a:b", "user:u@example.com"] {
            assert_eq!(text.parse::<RoomId>().unwrap().to_string(), text);
        }
        assert_eq!("room:x".parse::<RoomId>(), Err(RoomError::Kind));
        assert_eq!("user:".parse::<RoomId>(), Err(RoomError::Id(IdError::Empty)));
    }
}
