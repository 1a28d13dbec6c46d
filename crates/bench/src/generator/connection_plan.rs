//! How the sockets of a measurement connect.

use std::net::SocketAddr;

use super::protocol::{ClientProtocol, JoinParams};

/// The protocol, the addresses, and the room and token of each socket.
#[derive(Debug)]
pub(crate) struct ConnectionPlan {
    pub(crate) protocol: ClientProtocol,
    /// The addresses to connect to. Sockets are distributed evenly among them.
    pub(crate) addrs: Vec<SocketAddr>,
    /// The number of each socket's room.
    pub(crate) rooms: Vec<u32>,
    /// The token of each socket; empty if sockets send none.
    pub(crate) tokens: Vec<String>,
    /// Whether sockets remember what they need to resume after a reconnect.
    pub(crate) keeps_cursors: bool,
}

impl ConnectionPlan {
    /// The number of rooms.
    pub(super) fn room_count(&self) -> usize {
        self.rooms.iter().max().map_or(0, |last| *last as usize + 1)
    }

    /// The index in `addrs` of the address that a socket connects to.
    pub(super) fn addr_index(&self, socket: usize) -> usize {
        socket % self.addrs.len()
    }

    /// What a socket sends to join its room. `resume` is the `pid` and the cursor of a socket that resumes.
    #[inline]
    pub(super) fn join_params<'a>(
        &'a self,
        socket: usize,
        resume: Option<(&'a str, &'a str)>,
    ) -> JoinParams<'a> {
        JoinParams {
            token: self.tokens.get(socket).map_or("", String::as_str),
            room: self.rooms[socket],
            resume,
        }
    }
}
