//! The inputs and actions of the hub.

use std::sync::Arc;

use crate::{
    log::{Entry, LogSlice},
    position::Position,
    room::RoomId,
    snapshot::Snapshot,
};

/// A follower of a hub: an edge's link, or a backend that watches a room. Unique within a hub's lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FollowerId(pub u64);

/// The inputs of a hub.
#[derive(Debug)]
pub enum Input {
    /// The follower wants a room's feed. A repeated interest in the same room restarts its feed with these arguments.
    Interest {
        /// The follower that requests the feed.
        follower: FollowerId,
        /// The room whose feed it requests.
        room: RoomId,
        /// The position of the last entry that the follower has; `None`: it wants a snapshot first.
        after: Option<Position>,
    },
    /// The follower no longer wants the room's feed.
    EndInterest {
        /// The follower whose interest ends.
        follower: FollowerId,
        /// The room that it no longer follows.
        room: RoomId,
    },
    /// The follower has ended; all of its interests end.
    Detached(FollowerId),
    /// Notifications of the room arrive from now on. Results of the room's earlier reads are ignored, because the source
    /// may be another one now.
    Subscribed(RoomId),
    /// A notification about an appended entry.
    Notification(RoomId, Arc<Entry>),
    /// The result of [`Action::ReadSnapshot`]; `None`: the session does not exist.
    Snapshot(RoomId, Option<Snapshot>),
    /// The result of [`Action::Read`].
    ReadResult {
        /// The room whose log was read.
        room: RoomId,
        /// The exclusive lower bound of the read.
        after: Position,
        /// What the read returned.
        slice: LogSlice,
    },
    /// The result of [`Action::Compare`]: for each requested room, the position of the request and the tail.
    Tails(Vec<(RoomId, Position, Position)>),
}

/// The actions of a hub. The caller repeats a read that fails until it succeeds.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// Subscribe to the room's notifications, then respond with [`Input::Subscribed`].
    Subscribe(RoomId),
    /// End the subscription.
    Unsubscribe(RoomId),
    /// Read the room's snapshot.
    ReadSnapshot(RoomId),
    /// Read the room's log.
    Read {
        /// The room whose log is read.
        room: RoomId,
        /// The exclusive lower bound of the read.
        after: Position,
    },
    /// Read the tails of these rooms. Each position is that of the room's feed.
    Compare(Vec<(RoomId, Position)>),
    /// Send an update to the follower; updates keep their order.
    Send {
        /// The follower that receives the update.
        follower: FollowerId,
        /// The room that the update is about.
        room: RoomId,
        /// What the follower receives.
        update: Update,
    },
}

/// What a follower receives of a room.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// The room's state; later updates start after its position.
    Snapshot {
        /// The room's state and the position at which it is true.
        snapshot: Arc<Snapshot>,
        /// Whether the follower's position could not be continued; otherwise it requested a snapshot.
        reset: bool,
    },
    /// The next entries: in order, without gaps, at least one.
    Entries(Vec<Arc<Entry>>),
    /// The session does not exist (any more). The follower's interest in the room has ended.
    SessionNotFound,
}
