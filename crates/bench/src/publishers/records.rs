//! Events as records of twelve bytes on a TCP connection: the room's number and the event's, little endian. The
//! peer makes the payload.

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpStream},
};

use super::Event;
use crate::error::Outcome;

/// How long a record is, in bytes.
pub(crate) const RECORD_BYTES: usize = 12;

/// A connection that takes records.
#[derive(Debug)]
pub(crate) struct Records {
    stream: TcpStream,
    waiting: Vec<u8>,
}

impl Records {
    /// Connects.
    pub(crate) fn connect(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            waiting: vec![],
        })
    }

    pub(crate) fn push(&mut self, event: Event) {
        self.waiting.extend_from_slice(&encode(event));
    }

    pub(crate) fn flush(&mut self) -> Outcome<bool> {
        while !self.waiting.is_empty() {
            match self.stream.write(&self.waiting) {
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }
}

/// Writes a record.
pub(crate) fn encode(event: Event) -> [u8; RECORD_BYTES] {
    let mut record = [0; RECORD_BYTES];
    record[..4].copy_from_slice(&event.room.to_le_bytes());
    record[4..].copy_from_slice(&event.n.to_le_bytes());
    record
}

/// Reads the whole records at the beginning of some bytes.
pub(crate) fn decode(bytes: &[u8]) -> impl Iterator<Item = Event> + '_ {
    let (records, _) = bytes.as_chunks::<RECORD_BYTES>();
    records.iter().map(|record| {
        let [a, b, c, d, n @ ..] = *record;
        Event {
            room: u32::from_le_bytes([a, b, c, d]),
            n: u64::from_le_bytes(n),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written() {
        let events = [
            Event { room: 1, n: 2 },
            Event {
                room: 70_000,
                n: u64::MAX,
            },
        ];
        let mut bytes: Vec<u8> = events.iter().flat_map(|event| encode(*event)).collect();
        bytes.push(9);
        assert_eq!(decode(&bytes).collect::<Vec<_>>(), events);
    }
}
