//! One connection of the load generator. It is kept small, because there are thousands of them.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
};

use mio::net::TcpStream;
use rustix::net::sockopt;

use super::protocol::Phase;

/// One connection of the load generator.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Option<TcpStream>,
    pub(super) phase: Phase,
    /// The number of the socket's room.
    pub(super) room: u32,
    /// The number of the next event of the room.
    pub(super) next_expected: u64,
    /// The beginning of a frame that is not complete.
    partial: Vec<u8>,
    /// Unset if the socket does not keep cursors, or has received none.
    pub(super) resume: Option<Box<ResumeState>>,
}

/// What a socket sends when it resumes.
#[derive(Debug, Default)]
pub(super) struct ResumeState {
    /// The `pid` from the server's CONNECT packet.
    pub(super) pid: String,
    /// The cursor of the last event.
    pub(super) cursor: String,
    /// Whether the socket resumes with its next connection.
    pub(super) is_resuming: bool,
}

/// The result of a read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReadResult {
    /// The buffer contains bytes.
    Bytes {
        /// How many bytes of the buffer are used, from its beginning.
        count: usize,
        /// Whether the buffer is full, so that more bytes may be ready.
        may_have_more: bool,
    },
    /// No bytes are ready.
    WouldBlock,
    /// The server has closed the connection.
    Closed,
}

impl Socket {
    pub(super) const fn new(room: u32) -> Self {
        Self {
            stream: None,
            phase: Phase::Closed,
            room,
            next_expected: 1,
            partial: Vec::new(),
            resume: None,
        }
    }

    /// Begins to connect. Returns the stream, which has to be registered with the poll.
    pub(super) fn connect(&mut self, addr: SocketAddr) -> io::Result<&mut TcpStream> {
        let stream = TcpStream::connect(addr)?;
        self.phase = Phase::ConnectingTcp;
        self.partial = Vec::new();
        Ok(self.stream.insert(stream))
    }

    /// Whether TCP is connected.
    pub(super) fn is_tcp_connected(&self) -> io::Result<bool> {
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

    /// Acknowledges bytes when they are read, as the kernel does for a socket that only receives.
    pub(super) fn set_quick_ack(&self) -> io::Result<()> {
        match &self.stream {
            Some(stream) => Ok(sockopt::set_tcp_quickack(stream, true)?),
            None => Ok(()),
        }
    }

    /// Sends a few bytes, for which the kernel always has space.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Some(stream) => stream.write_all(bytes),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Reads into the buffer, after the bytes that [`Self::keep_partial`] has kept.
    #[inline]
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<ReadResult> {
        let Some(stream) = &mut self.stream else {
            return Ok(ReadResult::WouldBlock);
        };
        let kept = self.partial.len();
        buffer[..kept].copy_from_slice(&self.partial);
        let read = loop {
            match stream.read(&mut buffer[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read {
            Ok(0) => Ok(ReadResult::Closed),
            Ok(count) => {
                self.partial.clear();
                let count = kept + count;
                Ok(ReadResult::Bytes {
                    count,
                    may_have_more: count == buffer.len(),
                })
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(ReadResult::WouldBlock),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(ReadResult::Closed),
            Err(error) => Err(error),
        }
    }

    /// Keeps the beginning of a frame for the next read.
    #[inline]
    pub(super) fn keep_partial(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.partial.extend_from_slice(rest);
        }
    }

    /// Closes the connection.
    pub(super) fn close(&mut self) {
        self.stream = None;
        self.phase = Phase::Closed;
        self.partial = Vec::new();
    }
}
