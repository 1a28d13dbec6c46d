//! The event that a publisher sends.

/// One event of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The number of the room, from 0.
    pub(crate) room: u32,
    /// The number of the event in its room, from 1.
    pub(crate) number: u64,
}
