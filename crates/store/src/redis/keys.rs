//! The names of keys. All keys of a session, and all of a user, share one hash slot. Ids hold no `{` or `}`, so
//! that none can reach into another slot.

use std::fmt::Write as _;

use roomcast_core::{RoomId, SessionId, UserId, ids::RequestId};
use sha2::{Digest as _, Sha256};

/// The keys of one room's slot.
pub(super) struct Slot(String);

impl Slot {
    pub(super) fn session(prefix: &str, id: &SessionId) -> Self {
        Self(format!("{prefix}:{{s:{id}}}:"))
    }

    pub(super) fn user(prefix: &str, id: &UserId) -> Self {
        Self(format!("{prefix}:{{u:{id}}}:"))
    }

    pub(super) fn room(prefix: &str, room: &RoomId) -> Self {
        match room {
            RoomId::Session(id) => Self::session(prefix, id),
            RoomId::User(id) => Self::user(prefix, id),
        }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }

    /// A hash: epoch, tail and, for a session, the rest of its state.
    pub(super) fn state(&self) -> String {
        self.key("state")
    }

    /// A stream; the name is the channel of the room's hints too.
    pub(super) fn log(&self) -> String {
        self.key("log")
    }

    /// A hash: who takes part in the session.
    pub(super) fn people(&self) -> String {
        self.key("people")
    }

    /// A hash: who owes feedback for the session, or for which sessions the user owes it.
    pub(super) fn pending_feedback_of(&self) -> String {
        self.key("pending_feedback")
    }

    /// The answer under a request id, which may hold any character and so is in the key as a digest.
    pub(super) fn request(&self, id: &RequestId) -> String {
        self.key(&format!("q:{}", hex(&Sha256::digest(id.as_str()))))
    }

    /// Up to which requirement of the session the user gave feedback.
    pub(super) fn given(&self, session: &SessionId) -> String {
        self.key(&format!("g:{session}"))
    }

    /// The entry of a requirement in the user's log.
    pub(super) fn required(&self, session: &SessionId, number: u64) -> String {
        self.key(&format!("r:{number}:{session}"))
    }
}

/// The room whose log has this key.
pub(super) fn room_of(prefix: &str, log: &str) -> Option<RoomId> {
    let slot = log
        .strip_prefix(prefix)?
        .strip_prefix(":{")?
        .strip_suffix("}:log")?;
    match slot.split_once(':')? {
        ("s", id) => id.parse().map(RoomId::Session).ok(),
        ("u", id) => id.parse().map(RoomId::User).ok(),
        _ => None,
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_names_its_room() {
        for room in ["session:a:b", "user:u@example.com"] {
            let room: RoomId = room.parse().unwrap();
            assert_eq!(room_of("rc", &Slot::room("rc", &room).log()), Some(room));
        }
        for other in ["rc:{x:a}:log", "other:{s:a}:log", "rc:{s:a}:state", ""] {
            assert_eq!(room_of("rc", other), None, "{other:?}");
        }
    }
}
