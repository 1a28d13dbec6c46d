//! One connection of the generator: as little as possible, since there are ten thousand of them.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
};

use mio::net::TcpStream;
use rustix::net::sockopt;

use super::protocol::Phase;

/// One connection.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Option<TcpStream>,
    /// How far it is.
    pub(crate) phase: Phase,
    /// Its room's number.
    pub(crate) room: u32,
    /// The number of its room's next event.
    pub(crate) expected: u64,
    /// The beginning of a frame whose end is not there yet.
    partial: Vec<u8>,
    /// What it hands back when it comes again; only where cursors are kept.
    pub(crate) resume: Option<Box<Resume>>,
}

/// What a socket has to hand back.
#[derive(Debug, Default)]
pub(crate) struct Resume {
    /// The `pid` of its CONNECT.
    pub(crate) pid: String,
    /// The last event's trailing string.
    pub(crate) cursor: String,
    /// Whether it is coming back.
    pub(crate) is_back: bool,
}

/// What a read found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// So many bytes are in the buffer, and whether there may be more.
    Bytes(usize, bool),
    /// Nothing.
    Nothing,
    /// The other side is gone.
    End,
}

impl Socket {
    pub(crate) const fn new(room: u32) -> Self {
        Self {
            stream: None,
            phase: Phase::Closed,
            room,
            expected: 1,
            partial: Vec::new(),
            resume: None,
        }
    }

    /// Begins to connect.
    pub(crate) fn dial(&mut self, to: SocketAddr) -> io::Result<&mut TcpStream> {
        let stream = TcpStream::connect(to)?;
        self.phase = Phase::Dialling;
        self.partial = Vec::new();
        Ok(self.stream.insert(stream))
    }

    /// Whether TCP is there.
    pub(crate) fn is_through(&self) -> io::Result<bool> {
        let Some(stream) = &self.stream else {
            return Ok(false);
        };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => stream.set_nodelay(true).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// From here on it acknowledges what it reads when it reads it, as a socket that only listens does.
    pub(crate) fn listen_only(&self) -> io::Result<()> {
        match &self.stream {
            Some(stream) => Ok(sockopt::set_tcp_quickack(stream, true)?),
            None => Ok(()),
        }
    }

    /// Says something short, which the kernel takes at once.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Some(stream) => stream.write_all(bytes),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Reads what is there, behind what was left over.
    #[inline]
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Found> {
        let Some(stream) = &mut self.stream else {
            return Ok(Found::Nothing);
        };
        let left = self.partial.len();
        buffer[..left].copy_from_slice(&self.partial);
        let read = loop {
            match stream.read(&mut buffer[left..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read {
            Ok(0) => Ok(Found::End),
            Ok(count) => {
                self.partial.clear();
                let all = left + count;
                Ok(Found::Bytes(all, all == buffer.len()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Found::Nothing),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Found::End),
            Err(error) => Err(error),
        }
    }

    /// Keeps what could not be used yet.
    #[inline]
    pub(crate) fn keep(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.partial.extend_from_slice(rest);
        }
    }

    /// Closes it.
    pub(crate) fn close(&mut self) {
        self.stream = None;
        self.phase = Phase::Closed;
        self.partial = Vec::new();
    }
}
