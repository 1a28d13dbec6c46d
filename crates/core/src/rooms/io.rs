//! The inputs and actions of the rooms of an edge.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    browser_event::BrowserEvent,
    error_code::ErrorCode,
    ids::{SessionId, UserId},
    log::{Entry, LogSlice},
    position::Position,
    replay::Replay,
    role::Role,
    room::RoomId,
    snapshot::Snapshot,
};

/// A socket of this edge. Unique within the edge's lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// A request of a socket, as the edge numbers it. Each request gets one response, unless its socket disconnects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketRequestId(pub u64);

/// The inputs of the rooms of an edge.
#[derive(Debug)]
pub enum Input {
    /// A socket with a verified token has connected.
    Connected {
        /// The new socket.
        socket: SocketId,
        /// The socket's verified identity.
        user: UserId,
    },
    /// A new socket presents a cursor. The response states whether each room of the cursor can be continued. Before it,
    /// the socket sends no requests, because it has not received its CONNECT.
    Resume {
        /// The socket that presents the cursor.
        socket: SocketId,
        /// The cursor's positions.
        positions: BTreeMap<SessionId, Position>,
        /// Identifies the authorizations that the resume requests.
        request: SocketRequestId,
    },
    /// A socket has disconnected.
    Disconnected(SocketId),
    /// A socket requests to join a session's room.
    Join {
        /// The socket that sent the request.
        socket: SocketId,
        /// The session to join.
        session: SessionId,
        /// The last position of the session that the page has; `None`: it has none and wants no replay.
        after: Option<Position>,
        /// The request to respond to.
        request: SocketRequestId,
    },
    /// A socket leaves a session's room.
    Leave {
        /// The socket that sent the request.
        socket: SocketId,
        /// The session to leave.
        session: SessionId,
        /// The request to respond to.
        request: SocketRequestId,
    },
    /// The result of [`Action::Authorize`].
    Authorized {
        /// The socket of the action.
        socket: SocketId,
        /// The session of the action.
        session: SessionId,
        /// The request of the action.
        request: SocketRequestId,
        /// An admission with the position at which it is true, or the denial.
        result: Result<Position, JoinDenial>,
    },
    /// The edge is attached to a control plane, which may be another one than before.
    Attached,
    /// The state of a room, from the link: the start of an interest without a position.
    Snapshot(RoomId, Snapshot),
    /// The state of a room, from the link: the interest's position could not be continued.
    Reset(RoomId, Snapshot),
    /// The next entries of a room, from the link.
    Entries(RoomId, Vec<Arc<Entry>>),
    /// The link reports that the room's session does not exist.
    SessionNotFound(RoomId),
    /// The result of [`Action::Read`].
    ReadResult {
        /// The room of the action.
        room: RoomId,
        /// The exclusive lower bound of the read.
        after: Position,
        /// What the read returned; `None`: it failed.
        slice: Option<LogSlice>,
    },
}

/// The actions of the rooms of an edge.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Request from a control plane whether the user may join, and respond with [`Input::Authorized`].
    Authorize {
        /// The socket that joins.
        socket: SocketId,
        /// The session to join.
        session: SessionId,
        /// The socket's user.
        user: UserId,
        /// Identifies this authorization in the result.
        request: SocketRequestId,
    },
    /// Request a room's feed from the link. While there is no link, the caller drops the action: [`Input::Attached`]
    /// repeats it.
    Interest {
        /// The room whose feed is requested.
        room: RoomId,
        /// The position of the last entry that the edge has; `None`: a snapshot is wanted first.
        after: Option<Position>,
    },
    /// End the interest in a room.
    EndInterest(RoomId),
    /// Read a part of a room's log for a replay, and respond with [`Input::ReadResult`].
    Read {
        /// The room whose log is read.
        room: RoomId,
        /// The exclusive lower bound of the read.
        after: Position,
    },
    /// Respond to a request.
    Respond {
        /// The socket that sent the request.
        socket: SocketId,
        /// The request that gets the response.
        request: SocketRequestId,
        /// The only response to the request.
        response: SocketResponse,
    },
    /// Deliver an event to sockets that have the same cursor after it.
    Deliver {
        /// The sockets, at least one.
        sockets: Vec<SocketId>,
        /// The same event for all sockets.
        event: Arc<BrowserEvent>,
        /// The sockets' cursor after the event.
        cursor: Arc<str>,
    },
    /// Deliver the events that a socket missed, as fast as it accepts them and before any later delivery.
    Replay {
        /// The socket that missed the events.
        socket: SocketId,
        /// The missed events, in order.
        replay: Replay,
    },
    /// The outcome of [`Input::Resume`]. The replay, if any, follows.
    Resumed {
        /// The socket that resumes.
        socket: SocketId,
        /// Whether the socket continues.
        outcome: ResumeOutcome,
    },
    /// Close the socket's transport: its client reconnects and resumes.
    Close(SocketId),
    /// The socket has joined its user's room.
    UserRoomJoined(SocketId),
    /// Send the socket a DISCONNECT, because a backend disconnected its user.
    Disconnect(SocketId),
}

/// The outcome of a resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeOutcome {
    /// Every room is continued without a gap, except those of which the user is no longer a participant.
    Continued,
    /// At least one room cannot be continued, so the page starts with a new connection without a cursor.
    Fresh,
    /// The control plane or the store is unavailable: the client must try again.
    Unavailable,
}

/// The response to a request of a socket.
#[derive(Debug, Clone, PartialEq)]
pub enum SocketResponse {
    /// The socket is in the session's room.
    Joined {
        /// The joined session.
        session: SessionId,
        /// The user's role in the session.
        role: Role,
        /// A cursor of this session alone. Deliveries after the response start after it.
        position: Arc<str>,
        /// Whether the socket receives every event after the position that the page presented.
        recovered: bool,
        /// The session's current state as JSON.
        snapshot: Arc<str>,
    },
    /// The socket is no longer in the session's room.
    Left(SessionId),
    /// The join was denied.
    Denied(SessionId, JoinDenial),
}

/// Why a join was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinDenial {
    /// The session does not exist.
    SessionNotFound,
    /// The user is not a participant of the session.
    NotAParticipant,
    /// The socket has joined the maximum number of sessions.
    TooManySessions,
    /// The socket left the session before the join was complete.
    LeftMeanwhile,
    /// The control plane or the store cannot be reached, or did not respond in time.
    Unavailable,
}

impl JoinDenial {
    /// Whether the user has no right to join, so that another attempt gets the same denial.
    pub(super) fn is_final(self) -> bool {
        match self {
            Self::SessionNotFound | Self::NotAParticipant => true,
            Self::TooManySessions | Self::LeftMeanwhile | Self::Unavailable => false,
        }
    }

    /// The code that browsers see.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::SessionNotFound => ErrorCode::SessionNotFound,
            Self::NotAParticipant => ErrorCode::NotAParticipant,
            Self::TooManySessions => ErrorCode::TooManySessions,
            Self::LeftMeanwhile => ErrorCode::BadRequest,
            Self::Unavailable => ErrorCode::Unavailable,
        }
    }

    /// The message that browsers see: what is wrong and what the page can do.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::SessionNotFound => "the session does not exist",
            Self::NotAParticipant => "you are not a participant of this session",
            Self::TooManySessions => "this socket has joined the maximum number of sessions: leave one first",
            Self::LeftMeanwhile => "the session was left before the join was complete",
            Self::Unavailable => "the service is temporarily unavailable: try again",
        }
    }
}
