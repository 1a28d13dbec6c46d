//! The request of `WatchEvents`.

use roomcast_core::{Position, RoomId, SessionId, UserId};

use crate::{
    Invalid, position,
    v1::{self, watch_events_request::Room},
    violation::Fields,
};

/// A room whose events a backend watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRoom {
    /// The room, which may not exist.
    pub room: RoomId,
    /// The last position that the caller has; `None`: start with the oldest event that is still in the log.
    pub after: Option<Position>,
}

impl TryFrom<v1::WatchEventsRequest> for WatchRoom {
    type Error = Invalid;
    fn try_from(from: v1::WatchEventsRequest) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let room = match from.room {
            Some(Room::SessionId(id)) => fields
                .check("session_id", SessionId::try_from(id))
                .map(RoomId::from),
            Some(Room::UserId(id)) => fields.check("user_id", UserId::try_from(id)).map(RoomId::from),
            None => {
                fields.add("session_id", "session_id or user_id is required");
                None
            }
        };
        let after = position::optional(&mut fields, "after", from.after.as_ref());
        let watch = room.zip(after).map(|(room, after)| Self { room, after });
        fields.finish(watch)
    }
}
