//! A room of the edge: its feed, its state and its sockets.

use std::{collections::VecDeque, sync::Arc};

use super::io::SocketId;
use crate::{
    browser_event, feed::Feed, limits::WINDOW_ENTRIES, log::Entry, position::Position, room::RoomId,
    small_map::SmallMap, snapshot::RoomState,
};

#[derive(Debug, Default)]
pub(super) struct LocalRoom {
    pub(super) feed: Feed,
    /// The room's state at the feed's position; `None` before the first snapshot.
    pub(super) state: Option<RoomState>,
    /// What joins of a session's room need. Boxed, because most rooms are those of users and have none.
    pub(super) recent: Option<Box<Recent>>,
    /// The position that the cursors of the members contain: that of the last entry that was delivered to them.
    pub(super) delivered: Position,
    pub(super) members: SmallMap<SocketId, Member>,
    /// The sockets that wait for the room's state: admitted joins, or new sockets of a user.
    pub(super) waiting: SmallMap<SocketId, ()>,
}

/// A socket's membership in a room.
#[derive(Debug)]
pub(super) struct Member {
    /// The socket has received every event after this position.
    pub(super) complete_after: Position,
    /// Whether the room is the only one in the socket's cursor. All such members of a room have the same cursor.
    pub(super) is_only_room: bool,
}

#[derive(Debug, Default)]
pub(super) struct Recent {
    /// The session as JSON; `None` after the state has changed.
    json: Option<Arc<str>>,
    /// The most recent entries, at most [`WINDOW_ENTRIES`].
    window: VecDeque<Arc<Entry>>,
    /// The position before the first entry of the window.
    window_after: Position,
}

impl LocalRoom {
    pub(super) fn new(id: &RoomId) -> Self {
        Self {
            recent: match id {
                RoomId::Session(_) => Some(Box::default()),
                RoomId::User(_) => None,
            },
            ..Self::default()
        }
    }

    /// The entries after a position, if the window reaches back that far.
    pub(super) fn window_after(&self, after: Position) -> Option<Vec<Arc<Entry>>> {
        let at = self.feed.position()?;
        if !at.has_reached(after) {
            return None;
        }
        let missing = usize::try_from(at.offset.0 - after.offset.0).unwrap_or(usize::MAX);
        let recent = self.recent.as_ref()?;
        let first = recent.window.len().checked_sub(missing)?;
        // Compare the marks at `after`, because another entry may have had its offset.
        let before = first.checked_sub(1).and_then(|n| recent.window.get(n));
        let mark = before.map_or(recent.window_after, |entry| entry.position).mark;
        let same_entry = mark.agrees(after.mark);
        same_entry.then(|| recent.window.iter().skip(first).cloned().collect())
    }

    /// The session as JSON; `None` if this is not a session's room or its state is unknown.
    pub(super) fn session_json(&mut self) -> Option<Arc<str>> {
        match (&self.state, &mut self.recent) {
            (Some(RoomState::Session(session)), Some(recent)) => Some(
                recent
                    .json
                    .get_or_insert_with(|| browser_event::session_json(session).into())
                    .clone(),
            ),
            (Some(RoomState::Session(_) | RoomState::User { .. }) | None, _) => None,
        }
    }
}

impl Recent {
    /// An empty window that starts after `position`.
    pub(super) fn after(position: Position) -> Self {
        Self {
            window_after: position,
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        self.json = None;
        self.window.push_back(entry);
        if self.window.len() > WINDOW_ENTRIES
            && let Some(entry) = self.window.pop_front()
        {
            self.window_after = entry.position;
        }
    }
}
