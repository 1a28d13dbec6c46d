//! How events get to a peer.

pub(crate) mod centrifugo;
mod queues;
pub(crate) mod records;
pub(crate) mod roomcast;

pub(crate) use self::queues::Lanes;
use self::records::Records;
use crate::error::Outcome;

/// One event: its room's number, and its number in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) room: u32,
    pub(crate) n: u64,
}

/// The way to a peer.
pub(crate) enum Publisher {
    /// A record an event on a TCP connection: costs the peer next to nothing.
    Records(Records),
    /// Calls of the peer's own API, made by tasks.
    Calls(Lanes),
}

impl Publisher {
    /// Takes an event; it goes out with the next flush.
    pub(crate) fn publish(&mut self, event: Event) -> Outcome<()> {
        match self {
            Self::Records(records) => records.push(event),
            Self::Calls(lanes) => lanes.push(event),
        }
        Ok(())
    }

    /// Sends what was taken, as far as it is possible at once. Whether everything went out.
    pub(crate) fn flush(&mut self) -> Outcome<bool> {
        match self {
            Self::Records(records) => records.flush(),
            Self::Calls(lanes) => Ok(lanes.flush()),
        }
    }

    /// How many publishes were answered with OK; records are not answered.
    pub(crate) fn done(&self) -> u64 {
        match self {
            Self::Records(_) => 0,
            Self::Calls(lanes) => lanes.done(),
        }
    }

    /// How many publishes failed.
    pub(crate) fn failures(&self) -> u64 {
        match self {
            Self::Records(_) => 0,
            Self::Calls(lanes) => lanes.failures(),
        }
    }

    /// Why the first of them failed.
    pub(crate) fn error(&self) -> Option<String> {
        match self {
            Self::Records(_) => None,
            Self::Calls(lanes) => lanes.error(),
        }
    }
}
