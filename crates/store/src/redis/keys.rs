//! The names of keys. All keys of a session, and all keys of a user, share one hash slot. Ids contain no `{` or `}`,
//! so that no id can select another slot.

use std::fmt::Write as _;

use roomcast_core::{RoomId, SessionId, UserId, ids::RequestId};
use sha2::{Digest as _, Sha256};

/// The format of keys and values. An incompatible change raises it. Every key contains it, so that control planes of
/// different formats never read each other's data.
const FORMAT: u32 = 2;

/// The keys of one room's slot.
pub(crate) struct Slot(String);

impl Slot {
    pub(crate) fn session(prefix: &str, id: &SessionId) -> Self {
        Self(format!("{prefix}:{{s:{id}}}:{FORMAT}:"))
    }

    pub(crate) fn user(prefix: &str, id: &UserId) -> Self {
        Self(format!("{prefix}:{{u:{id}}}:{FORMAT}:"))
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
    pub(crate) fn state(&self) -> String {
        self.key("state")
    }

    /// A stream. The channel of the room's notifications has the same name.
    pub(super) fn log(&self) -> String {
        self.key("log")
    }

    /// A hash: the participants of the session, each with role and first offset.
    pub(super) fn participants(&self) -> String {
        self.key("participants")
    }

    /// A hash: the users with pending feedback for the session, or the sessions with pending feedback of the user.
    pub(super) fn pending_feedback(&self) -> String {
        self.key("pending")
    }

    /// The response under a request id. A request id may contain any character, so the key contains its digest.
    pub(super) fn request(&self, id: &RequestId) -> String {
        self.key(&format!("request:{}", hex(&Sha256::digest(id.as_str()))))
    }

    /// The session's last requirement that the user's feedback settled.
    pub(super) fn settled(&self, session: &SessionId) -> String {
        self.key(&format!("settled:{session}"))
    }

    /// The entry of a requirement in the user's log.
    pub(super) fn required(&self, session: &SessionId, requirement: u64) -> String {
        self.key(&format!("required:{requirement}:{session}"))
    }
}

/// The room whose log has this key.
pub(super) fn room_of(prefix: &str, log: &str) -> Option<RoomId> {
    let slot = log
        .strip_prefix(prefix)?
        .strip_prefix(":{")?
        .strip_suffix(&format!("}}:{FORMAT}:log"))?;
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
            let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
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
        for other in [
            "rc:{x:a}:2:log",
            "other:{s:a}:2:log",
            "rc:{s:a}:2:state",
            "rc:{s:a}:log",
            "rc:{s:a}:1:log",
            "",
        ] {
            assert_eq!(room_of("rc", other), None, "{other:?}");
        }
    }

    #[test]
    fn keys_of_the_first_format_are_not_used() {
        let room: RoomId = "session:a".parse().unwrap();
        assert_eq!(Slot::room("rc", &room).state(), "rc:{s:a}:2:state");
    }
}
