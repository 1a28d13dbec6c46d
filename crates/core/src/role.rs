//! The roles in which a user can take part in a session.

use std::{fmt, str::FromStr};

/// The capacity in which a participant takes part in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Conducts the interview; at most one per session.
    Interviewer,
    /// Is interviewed; at most one per session.
    Interviewee,
    /// Watches the session; a session can have any number of observers.
    Observer,
}

impl Role {
    /// The name that browsers see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interviewer => "interviewer",
            Self::Interviewee => "interviewee",
            Self::Observer => "observer",
        }
    }

    /// Whether at most one participant of a session can have this role.
    #[must_use]
    pub fn is_exclusive(self) -> bool {
        match self {
            Self::Interviewer | Self::Interviewee => true,
            Self::Observer => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a role: use interviewer, interviewee or observer")]
pub struct RoleError;

impl FromStr for Role {
    type Err = RoleError;
    fn from_str(text: &str) -> Result<Self, RoleError> {
        match text {
            "interviewer" => Ok(Self::Interviewer),
            "interviewee" => Ok(Self::Interviewee),
            "observer" => Ok(Self::Observer),
            _ => Err(RoleError),
        }
    }
}
