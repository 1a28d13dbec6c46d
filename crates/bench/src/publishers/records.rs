//! Events as records of twelve bytes on a TCP connection: the number of the room (4 bytes) and the number of the event
//! (8 bytes), little endian. The receiver makes the payload.

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpStream},
};

use super::event::Event;
use crate::error::BenchResult;

/// The length of a record in bytes.
pub(crate) const RECORD_BYTES: usize = 12;

/// A connection to a server that accepts records.
#[derive(Debug)]
pub(crate) struct RecordPublisher {
    stream: TcpStream,
    /// Bytes that have not been sent.
    unsent: Vec<u8>,
}

impl RecordPublisher {
    pub(crate) fn connect(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            unsent: vec![],
        })
    }

    pub(super) fn push(&mut self, event: Event) {
        self.unsent.extend_from_slice(&encode(event));
    }

    pub(super) fn flush(&mut self) -> BenchResult<bool> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }
}

fn encode(event: Event) -> [u8; RECORD_BYTES] {
    let mut record = [0; RECORD_BYTES];
    record[..4].copy_from_slice(&event.room.to_le_bytes());
    record[4..].copy_from_slice(&event.number.to_le_bytes());
    record
}

/// Decodes all complete records at the beginning of a buffer.
pub(crate) fn decode(bytes: &[u8]) -> impl Iterator<Item = Event> + '_ {
    let (records, _) = bytes.as_chunks::<RECORD_BYTES>();
    records.iter().map(|record| {
        let [a, b, c, d, number @ ..] = *record;
        Event {
            room: u32::from_le_bytes([a, b, c, d]),
            number: u64::from_le_bytes(number),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_returns_the_encoded_records_and_ignores_an_incomplete_one() {
        let events = [
            Event { room: 1, number: 2 },
            Event {
                room: 70_000,
                number: u64::MAX,
            },
        ];
        let mut bytes: Vec<u8> = events.iter().flat_map(|event| encode(*event)).collect();
        bytes.push(9);
        assert_eq!(decode(&bytes).collect::<Vec<_>>(), events);
    }
}
