//! The roles in which a user can take part in a session.

use std::{fmt, str::FromStr};

/// As what a user takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Asks the questions; one seat.
    Interviewer,
    /// Answers them; one seat.
    Interviewee,
    /// Watches; any number of seats.
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

    /// Whether only one participant of a session can have this role.
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

/// The text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no role: use interviewer, interviewee or observer")]
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
