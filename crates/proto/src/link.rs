//! What edge and control plane say to each other on the link, and the reading of logs.

use std::sync::Arc;

use roomcast_core::{Entry, Mark, Offset, Position, RoomId, Snapshot};

use crate::{
    Invalid, log, position, v1,
    v1::{attach_request, attach_response},
    violation::Fields,
};

/// Bytes that an edge's or control plane's name, or its version, has at most.
pub const MAX_NAME_BYTES: usize = 128;

/// What an edge says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromEdge {
    /// The first one: who attaches.
    Hello {
        /// The edge's name for logs.
        edge: String,
        /// Its version.
        version: String,
    },
    /// Begin to feed a room.
    Interest {
        /// Which.
        room: RoomId,
        /// The last position that the edge has.
        after: Option<Position>,
    },
    /// Stop feeding a room.
    EndInterest {
        /// Which.
        room: RoomId,
    },
    /// Keepalive.
    Ping {
        /// Echoed.
        nonce: u64,
    },
}

/// What an edge may choose a control plane by: the smaller, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load {
    /// The store is out of its reach.
    pub store_unreachable: bool,
    /// How many edges it feeds, the one that is told included.
    pub edges: u32,
}

/// What a control plane says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToEdge {
    /// The first one: who feeds.
    Welcome {
        /// The control plane's name for logs.
        control_plane: String,
        /// Its version.
        version: String,
        /// What the edge may choose by.
        load: Load,
    },
    /// A room's state: the beginning, or a reset.
    Snapshot {
        /// Which room.
        room: RoomId,
        /// Its state.
        snapshot: Snapshot,
        /// Whether what the edge was to be fed can't be continued; or else it asked to begin with a snapshot.
        reset: bool,
    },
    /// Entries of a room, in order and without holes; at least one, all of one epoch.
    Entries {
        /// Which room.
        room: RoomId,
        /// The entries.
        entries: Vec<Arc<Entry>>,
    },
    /// The room of a session that does not exist.
    SessionNotFound {
        /// Which room.
        room: RoomId,
    },
    /// The echo of a keepalive.
    Pong {
        /// As it came.
        nonce: u64,
        /// What the edge may choose by.
        load: Load,
    },
    /// This control plane is going away.
    GoAway,
}

/// A part of a room's log to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLog {
    /// Which room.
    pub room: RoomId,
    /// Entries after this offset.
    pub after: Offset,
}

/// A control plane and how busy it is: the response of `GetLoad`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPlaneLoad {
    /// The control plane's id for logs, as in [`ToEdge::Welcome`].
    pub control_plane: String,
    /// Its load.
    pub load: Load,
}

impl From<ControlPlaneLoad> for v1::GetLoadResponse {
    fn from(from: ControlPlaneLoad) -> Self {
        Self {
            control_plane_id: from.control_plane,
            edges: from.load.edges,
            store_unreachable: from.load.store_unreachable,
        }
    }
}

impl TryFrom<v1::GetLoadResponse> for ControlPlaneLoad {
    type Error = Invalid;
    fn try_from(from: v1::GetLoadResponse) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let control_plane = name(&mut fields, "control_plane_id", from.control_plane_id);
        let load = Load {
            store_unreachable: from.store_unreachable,
            edges: from.edges,
        };
        fields.finish(control_plane.map(|control_plane| Self { control_plane, load }))
    }
}

impl From<FromEdge> for v1::AttachRequest {
    fn from(said: FromEdge) -> Self {
        use attach_request::Item;
        let item = match said {
            FromEdge::Hello { edge, version } => Item::Hello(v1::Hello {
                edge_id: edge,
                version,
            }),
            FromEdge::Interest { room, after } => Item::Interest(v1::Interest {
                room: room.to_string(),
                after: after.map(Into::into),
                after_mark: after.map_or(Mark::UNKNOWN, |after| after.mark).bits(),
            }),
            FromEdge::EndInterest { room } => Item::EndInterest(v1::EndInterest {
                room: room.to_string(),
            }),
            FromEdge::Ping { nonce } => Item::Ping(v1::Ping {
                nonce,
                ..Default::default()
            }),
        };
        Self { item: Some(item) }
    }
}

impl TryFrom<v1::AttachRequest> for FromEdge {
    type Error = Invalid;
    fn try_from(from: v1::AttachRequest) -> Result<Self, Invalid> {
        use attach_request::Item;
        let mut fields = Fields::default();
        let said = match from.item {
            Some(Item::Hello(hello)) => {
                let edge = name(&mut fields, "hello.edge_id", hello.edge_id);
                let version = name(&mut fields, "hello.version", hello.version);
                edge.zip(version)
                    .map(|(edge, version)| Self::Hello { edge, version })
            }
            Some(Item::Interest(interest)) => {
                let room = fields.check("interest.room", interest.room.parse());
                let after = position::optional(&mut fields, "interest.after", interest.after.as_ref());
                let mark = Mark::from_bits(interest.after_mark);
                let after = after.map(|after| after.map(|after| after.marked(mark)));
                room.zip(after)
                    .map(|(room, after)| Self::Interest { room, after })
            }
            Some(Item::EndInterest(end)) => fields
                .check("end_interest.room", end.room.parse())
                .map(|room| Self::EndInterest { room }),
            Some(Item::Ping(ping)) => Some(Self::Ping { nonce: ping.nonce }),
            None => {
                fields.add("item", "is required");
                None
            }
        };
        fields.finish(said)
    }
}

impl From<ToEdge> for v1::AttachResponse {
    fn from(said: ToEdge) -> Self {
        use attach_response::Item;
        let item = match said {
            ToEdge::Welcome {
                control_plane,
                version,
                load,
            } => Item::Welcome(v1::Welcome {
                control_plane_id: control_plane,
                version,
                edges: load.edges,
                store_unreachable: load.store_unreachable,
            }),
            ToEdge::Snapshot {
                room,
                snapshot,
                reset,
            } => Item::Snapshot(log::snapshot_out(&room, &snapshot, reset)),
            ToEdge::Entries { room, entries } => Item::Entries(v1::Entries {
                room: room.to_string(),
                epoch: entries
                    .first()
                    .map_or(Position::NONE, |entry| entry.position)
                    .epoch
                    .to_string(),
                entries: entries.iter().map(|entry| (&**entry).into()).collect(),
            }),
            ToEdge::SessionNotFound { room } => Item::SessionNotFound(v1::SessionNotFound {
                room: room.to_string(),
            }),
            ToEdge::Pong { nonce, load } => Item::Pong(v1::Ping {
                nonce,
                edges: load.edges,
                store_unreachable: load.store_unreachable,
            }),
            ToEdge::GoAway => Item::GoAway(v1::GoAway {}),
        };
        Self { item: Some(item) }
    }
}

impl TryFrom<v1::AttachResponse> for ToEdge {
    type Error = Invalid;
    fn try_from(from: v1::AttachResponse) -> Result<Self, Invalid> {
        use attach_response::Item;
        let mut fields = Fields::default();
        let said = match from.item {
            Some(Item::Welcome(welcome)) => {
                let control_plane = name(&mut fields, "welcome.control_plane_id", welcome.control_plane_id);
                let version = name(&mut fields, "welcome.version", welcome.version);
                let load = Load {
                    store_unreachable: welcome.store_unreachable,
                    edges: welcome.edges,
                };
                control_plane
                    .zip(version)
                    .map(|(control_plane, version)| Self::Welcome {
                        control_plane,
                        version,
                        load,
                    })
            }
            Some(Item::Snapshot(from)) => {
                let reset = from.reset;
                log::snapshot(&mut fields, from).map(|(room, snapshot)| Self::Snapshot {
                    room,
                    snapshot,
                    reset,
                })
            }
            Some(Item::Entries(from)) => {
                let room = fields.check("entries.room", from.room.parse());
                let epoch = position::epoch(&mut fields, "entries.epoch", &from.epoch);
                let entries = epoch.and_then(|epoch| log::entries(&mut fields, epoch, from.entries));
                room.zip(entries)
                    .map(|(room, entries)| Self::Entries { room, entries })
            }
            Some(Item::SessionNotFound(from)) => fields
                .check("session_not_found.room", from.room.parse())
                .map(|room| Self::SessionNotFound { room }),
            Some(Item::Pong(ping)) => Some(Self::Pong {
                nonce: ping.nonce,
                load: Load {
                    store_unreachable: ping.store_unreachable,
                    edges: ping.edges,
                },
            }),
            Some(Item::GoAway(v1::GoAway {})) => Some(Self::GoAway),
            None => {
                fields.add("item", "is required");
                None
            }
        };
        fields.finish(said)
    }
}

impl From<ReadLog> for v1::ReadLogRequest {
    fn from(read: ReadLog) -> Self {
        Self {
            room: read.room.to_string(),
            after: read.after.0,
        }
    }
}

impl TryFrom<v1::ReadLogRequest> for ReadLog {
    type Error = Invalid;
    fn try_from(from: v1::ReadLogRequest) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let room = fields.check("room", from.room.parse());
        fields.finish(room.map(|room| Self {
            room,
            after: Offset(from.after),
        }))
    }
}

/// Names go into logs, so they have a length, and no character that breaks a line.
fn name(fields: &mut Fields, path: &str, text: String) -> Option<String> {
    if (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text);
    }
    fields.add(
        path,
        format_args!("must be 1 to {MAX_NAME_BYTES} visible ASCII characters"),
    );
    None
}
