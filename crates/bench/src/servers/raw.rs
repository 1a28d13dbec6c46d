//! The ceiling: one thread, epoll, ready-made frames, and one `write` per socket. It does nothing else that a real server
//! has to do, so no server that writes to sockets from one thread can be faster.
//!
//! Events of one room that arrive at the same time are written together.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr},
};

use mio::{
    Events, Interest, Poll, Registry, Token,
    net::{TcpListener, TcpStream},
};

use crate::{
    error::BenchResult,
    generator::frame,
    payload::Payload,
    publishers::records::{self, RECORD_BYTES},
};

const HTTP: Token = Token(usize::MAX);
const CONTROL: Token = Token(usize::MAX - 1);
const RECORDS: Token = Token(usize::MAX - 2);

/// The upgrade response to the only key that the load generator uses, the example of RFC 6455, section 1.3.
const UPGRADE_RESPONSE: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct Socket {
    stream: TcpStream,
    is_upgraded: bool,
    /// Bytes that the kernel has not accepted.
    unsent: Vec<u8>,
}

#[derive(Default)]
struct RawServer {
    /// The index is the poll's token. The entry of a closed socket is empty.
    sockets: Vec<Option<Socket>>,
    free_indices: Vec<usize>,
    rooms: Vec<Room>,
    /// The indices of rooms that have frames to write.
    rooms_to_write: Vec<usize>,
}

#[derive(Default)]
struct Room {
    /// Indices of sockets.
    members: Vec<usize>,
    /// The frames to write, one after another.
    frames: Vec<u8>,
}

/// Serves until the process ends.
pub(super) fn run() -> BenchResult<()> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (mut http, mut control) = (TcpListener::bind(any)?, TcpListener::bind(any)?);
    super::print_addrs(http.local_addr()?, control.local_addr()?);
    let mut poll = Poll::new()?;
    let registry = poll.registry().try_clone()?;
    registry.register(&mut http, HTTP, Interest::READABLE)?;
    registry.register(&mut control, CONTROL, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut server = RawServer::default();
    let (mut publisher, mut incomplete_record) = (None, Vec::new());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        poll.poll(&mut events, None)?;
        for event in events.iter() {
            match event.token() {
                HTTP => server.accept(&http, &registry)?,
                CONTROL => {
                    while let Ok((mut stream, _)) = control.accept() {
                        registry.register(&mut stream, RECORDS, Interest::READABLE)?;
                        publisher = Some(stream);
                    }
                }
                RECORDS => {
                    if let Some(publisher) = &mut publisher {
                        server.receive_records(publisher, &mut buffer, &mut incomplete_record);
                    }
                }
                Token(index) => server.handle_ready(index, &mut buffer),
            }
        }
        server.write_rooms();
    }
}

impl RawServer {
    fn accept(&mut self, http: &TcpListener, registry: &Registry) -> io::Result<()> {
        while let Ok((mut stream, _)) = http.accept() {
            stream.set_nodelay(true)?;
            let index = self.free_indices.pop().unwrap_or_else(|| {
                self.sockets.push(None);
                self.sockets.len() - 1
            });
            let both = Interest::READABLE | Interest::WRITABLE;
            registry.register(&mut stream, Token(index), both)?;
            self.sockets[index] = Some(Socket {
                stream,
                is_upgraded: false,
                unsent: Vec::new(),
            });
        }
        Ok(())
    }

    /// Receives records, and encodes the frame of each event once for its room.
    fn receive_records(
        &mut self,
        publisher: &mut TcpStream,
        buffer: &mut [u8],
        incomplete_record: &mut Vec<u8>,
    ) {
        let mut text = Vec::with_capacity(512);
        while let Ok(count @ 1..) = publisher.read(buffer) {
            incomplete_record.extend_from_slice(&buffer[..count]);
            for event in records::decode(incomplete_record) {
                let index = event.room as usize;
                let Some(room) = self.rooms.get_mut(index) else {
                    continue;
                };
                if room.frames.is_empty() {
                    self.rooms_to_write.push(index);
                }
                text.clear();
                text.extend_from_slice(b"42[\"e\",");
                text.extend_from_slice(Payload::new(event.room, event.number).json().as_bytes());
                text.push(b']');
                frame::push_text(&text, &mut room.frames);
            }
            incomplete_record.drain(..incomplete_record.len() / RECORD_BYTES * RECORD_BYTES);
        }
    }

    fn write_rooms(&mut self) {
        for index in std::mem::take(&mut self.rooms_to_write) {
            let room = &mut self.rooms[index];
            for member in &room.members {
                if let Some(socket) = &mut self.sockets[*member] {
                    socket.write(&room.frames);
                }
            }
            room.frames.clear();
        }
    }

    fn handle_ready(&mut self, index: usize, buffer: &mut [u8]) {
        let Some(socket) = &mut self.sockets[index] else {
            return;
        };
        socket.write(&[]);
        match socket.stream.read(buffer) {
            Ok(0) => self.remove(index),
            Ok(count) => self.handle_bytes(index, &mut buffer[..count]),
            Err(_) => {}
        }
    }

    /// Handles one request or one frame. A read never contains more, because the load generator waits for each response.
    fn handle_bytes(&mut self, index: usize, bytes: &mut [u8]) {
        let Some(socket) = &mut self.sockets[index] else {
            return;
        };
        if !socket.is_upgraded {
            socket.is_upgraded = true;
            let mut response = UPGRADE_RESPONSE.to_vec();
            frame::push_text(
                br#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}"#,
                &mut response,
            );
            socket.write(&response);
            return;
        }
        let Some(text) = unmask(bytes) else {
            return;
        };
        let mut response = Vec::with_capacity(64);
        if text.starts_with(b"40") {
            frame::push_text(br#"40{"sid":"x"}"#, &mut response);
        } else if let Some(room) = parse_join(text) {
            if room >= self.rooms.len() {
                self.rooms.resize_with(room + 1, Room::default);
            }
            self.rooms[room].members.push(index);
            frame::push_text(br#"430[{"ok":true}]"#, &mut response);
        }
        socket.write(&response);
    }

    fn remove(&mut self, index: usize) {
        self.sockets[index] = None;
        self.free_indices.push(index);
        for room in &mut self.rooms {
            room.members.retain(|member| *member != index);
        }
    }
}

impl Socket {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            if let Ok(count) = self.stream.write(&self.unsent) {
                self.unsent.drain(..count);
            }
        } else if !bytes.is_empty() {
            let count = self.stream.write(bytes).unwrap_or(0);
            if count < bytes.len() {
                self.unsent.extend_from_slice(&bytes[count..]);
            }
        }
    }
}

/// The payload of a client's short frame, unmasked in place.
fn unmask(frame: &mut [u8]) -> Option<&[u8]> {
    let [_, _, masked @ ..] = frame else {
        return None;
    };
    let (key, payload) = masked.split_first_chunk_mut::<4>()?;
    for (byte, key) in payload.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
    Some(payload)
}

/// The number of the room in a join request.
fn parse_join(text: &[u8]) -> Option<usize> {
    let text = str::from_utf8(text).ok()?;
    let room = text
        .strip_prefix(r#"420["join-session","s"#)?
        .strip_suffix("\"]")?;
    room.parse().ok()
}
