//! The messages of the link between an edge and a control plane, and requests to read logs.

use std::sync::Arc;

use roomcast_core::{Entry, Mark, Offset, Position, RoomId, Snapshot};

use crate::{
    Invalid, log, position, v1,
    v1::{attach_request, attach_response},
    violation::Fields,
};

/// The most bytes of the id or the version of an edge or a control plane.
pub const MAX_ID_BYTES: usize = 128;

/// A message from an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromEdge {
    /// The first message.
    Hello {
        /// The edge's id, for logs: 1 to 128 visible ASCII characters.
        edge: String,
        /// The version of the edge's program, for logs: 1 to 128 visible ASCII characters.
        version: String,
    },
    /// Starts to follow a room.
    Interest {
        /// The room to follow.
        room: RoomId,
        /// The last position that the edge has; `None`: the first update is a snapshot.
        after: Option<Position>,
    },
    /// Stops following a room.
    EndInterest {
        /// The room that the edge followed.
        room: RoomId,
    },
    /// A keepalive.
    Ping {
        /// The pong repeats this number.
        nonce: u64,
    },
}

/// The load of a control plane, by which edges choose one: the smaller, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load {
    /// The control plane cannot reach the store.
    pub store_unreachable: bool,
    /// The number of attached edges, including the edge that receives this message if it is attached.
    pub edges: u32,
}

/// A message from a control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToEdge {
    /// The first message.
    Welcome {
        /// The control plane's id, for logs: 1 to 128 visible ASCII characters.
        control_plane: String,
        /// The version of the control plane's program, for logs: 1 to 128 visible ASCII characters.
        version: String,
        /// The control plane's load at this moment.
        load: Load,
    },
    /// A room's state at a position. Later entries follow it.
    Snapshot {
        /// A room that the edge follows.
        room: RoomId,
        /// The state and its position.
        snapshot: Snapshot,
        /// Whether the feed cannot continue after the edge's position. Otherwise, the edge requested a snapshot.
        reset: bool,
    },
    /// Consecutive entries of a room, at least one, all of the same epoch.
    Entries {
        /// A room that the edge follows.
        room: RoomId,
        /// The next entries, in order.
        entries: Vec<Arc<Entry>>,
    },
    /// The session of a room does not exist. The room is no longer followed.
    SessionNotFound {
        /// The session's room.
        room: RoomId,
    },
    /// The response to a ping.
    Pong {
        /// The number of the ping.
        nonce: u64,
        /// The control plane's load at this moment.
        load: Load,
    },
    /// The control plane drains: the edge should attach to another one.
    GoAway,
}

/// A request to read a part of a room's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLog {
    /// The room whose log is read.
    pub room: RoomId,
    /// The first entry that is read is the one after this offset.
    pub after: Offset,
}

/// The response of `GetLoad`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPlaneLoad {
    /// The control plane's id, as in [`ToEdge::Welcome`].
    pub control_plane: String,
    /// The control plane's load at this moment.
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
        let control_plane = visible_ascii(&mut fields, "control_plane_id", from.control_plane_id);
        let load = Load {
            store_unreachable: from.store_unreachable,
            edges: from.edges,
        };
        fields.finish(control_plane.map(|control_plane| Self { control_plane, load }))
    }
}

impl From<FromEdge> for v1::AttachRequest {
    fn from(message: FromEdge) -> Self {
        use attach_request::Item;
        let item = match message {
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
        let message = match from.item {
            Some(Item::Hello(hello)) => {
                let edge = visible_ascii(&mut fields, "hello.edge_id", hello.edge_id);
                let version = visible_ascii(&mut fields, "hello.version", hello.version);
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
        fields.finish(message)
    }
}

impl From<ToEdge> for v1::AttachResponse {
    fn from(message: ToEdge) -> Self {
        use attach_response::Item;
        let item = match message {
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
            } => Item::Snapshot(log::encode_snapshot(&room, &snapshot, reset)),
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
        let message = match from.item {
            Some(Item::Welcome(from)) => welcome(&mut fields, from),
            Some(Item::Snapshot(from)) => {
                let reset = from.reset;
                log::decode_snapshot(&mut fields, from).map(|(room, snapshot)| Self::Snapshot {
                    room,
                    snapshot,
                    reset,
                })
            }
            Some(Item::Entries(from)) => {
                let room = fields.check("entries.room", from.room.parse());
                let epoch = position::epoch(&mut fields, "entries.epoch", &from.epoch);
                let entries = epoch.and_then(|epoch| log::decode_entries(&mut fields, epoch, from.entries));
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
        fields.finish(message)
    }
}

fn welcome(fields: &mut Fields, from: v1::Welcome) -> Option<ToEdge> {
    let control_plane = visible_ascii(fields, "welcome.control_plane_id", from.control_plane_id);
    let version = visible_ascii(fields, "welcome.version", from.version);
    let load = Load {
        store_unreachable: from.store_unreachable,
        edges: from.edges,
    };
    let (control_plane, version) = control_plane.zip(version)?;
    Some(ToEdge::Welcome {
        control_plane,
        version,
        load,
    })
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

/// Parses an id or a version. They are written to logs, so that their length and their characters are limited.
fn visible_ascii(fields: &mut Fields, path: &str, text: String) -> Option<String> {
    if (1..=MAX_ID_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text);
    }
    fields.add(
        path,
        format_args!("must be 1 to {MAX_ID_BYTES} visible ASCII characters"),
    );
    None
}
