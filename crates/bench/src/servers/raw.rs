//! The ceiling: one thread, epoll, and frames that are ready before they are written, one `write` a socket. It does
//! nothing that a real server has to do, and no server that writes to sockets from one thread can do less.
//!
//! Events that wait together for one room are written together.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr},
};

use mio::{
    Events, Interest, Poll, Registry, Token,
    net::{TcpListener, TcpStream},
};

use crate::{
    error::Outcome,
    generator::frame,
    payload::Payload,
    publishers::records::{self, RECORD_BYTES},
};

const HTTP: Token = Token(usize::MAX);
const CONTROL: Token = Token(usize::MAX - 1);
const RECORDS: Token = Token(usize::MAX - 2);

/// The answer to the one key that the generator uses, the example of RFC 6455, section 1.3.
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct Peer {
    stream: TcpStream,
    is_upgraded: bool,
    /// What the kernel did not take.
    left: Vec<u8>,
}

#[derive(Default)]
struct Raw {
    peers: Vec<Option<Peer>>,
    free: Vec<usize>,
    rooms: Vec<Room>,
    /// Rooms with frames that are to be written.
    dirty: Vec<usize>,
}

#[derive(Default)]
struct Room {
    members: Vec<usize>,
    frames: Vec<u8>,
}

/// Serves until the process is ended.
pub(crate) fn run() -> Outcome<()> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (mut http, mut control) = (TcpListener::bind(any)?, TcpListener::bind(any)?);
    super::say_where(http.local_addr()?, control.local_addr()?);
    let mut poll = Poll::new()?;
    let registry = poll.registry().try_clone()?;
    registry.register(&mut http, HTTP, Interest::READABLE)?;
    registry.register(&mut control, CONTROL, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut raw = Raw::default();
    let (mut source, mut pending) = (None, Vec::new());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        poll.poll(&mut events, None)?;
        for event in events.iter() {
            match event.token() {
                HTTP => raw.accept(&http, &registry)?,
                CONTROL => {
                    while let Ok((mut stream, _)) = control.accept() {
                        registry.register(&mut stream, RECORDS, Interest::READABLE)?;
                        source = Some(stream);
                    }
                }
                RECORDS => {
                    if let Some(source) = &mut source {
                        raw.take_records(source, &mut buffer, &mut pending);
                    }
                }
                Token(at) => raw.ready(at, &mut buffer),
            }
        }
        raw.write_dirty();
    }
}

impl Raw {
    fn accept(&mut self, http: &TcpListener, registry: &Registry) -> io::Result<()> {
        while let Ok((mut stream, _)) = http.accept() {
            stream.set_nodelay(true)?;
            let at = self.free.pop().unwrap_or_else(|| {
                self.peers.push(None);
                self.peers.len() - 1
            });
            registry.register(&mut stream, Token(at), Interest::READABLE | Interest::WRITABLE)?;
            self.peers[at] = Some(Peer {
                stream,
                is_upgraded: false,
                left: Vec::new(),
            });
        }
        Ok(())
    }

    fn take_records(&mut self, source: &mut TcpStream, buffer: &mut [u8], pending: &mut Vec<u8>) {
        let mut text = Vec::with_capacity(512);
        while let Ok(count @ 1..) = source.read(buffer) {
            pending.extend_from_slice(&buffer[..count]);
            for event in records::decode(pending) {
                let at = event.room as usize;
                let Some(room) = self.rooms.get_mut(at) else {
                    continue;
                };
                if room.frames.is_empty() {
                    self.dirty.push(at);
                }
                text.clear();
                text.extend_from_slice(b"42[\"e\",");
                text.extend_from_slice(Payload::new(event.room, event.n).json().as_bytes());
                text.push(b']');
                frame::text(&text, &mut room.frames);
            }
            pending.drain(..pending.len() / RECORD_BYTES * RECORD_BYTES);
        }
    }

    fn write_dirty(&mut self) {
        for at in std::mem::take(&mut self.dirty) {
            let room = &mut self.rooms[at];
            for member in &room.members {
                if let Some(peer) = &mut self.peers[*member] {
                    peer.write(&room.frames);
                }
            }
            room.frames.clear();
        }
    }

    fn ready(&mut self, at: usize, buffer: &mut [u8]) {
        let Some(peer) = &mut self.peers[at] else {
            return;
        };
        peer.write(&[]);
        match peer.stream.read(buffer) {
            Ok(0) => self.gone(at),
            Ok(count) => self.hear(at, &mut buffer[..count]),
            Err(_) => {}
        }
    }

    /// The generator waits for each answer, so one read is one request or one frame.
    fn hear(&mut self, at: usize, bytes: &mut [u8]) {
        let Some(peer) = &mut self.peers[at] else {
            return;
        };
        if !peer.is_upgraded {
            peer.is_upgraded = true;
            let mut answer = SWITCHING.to_vec();
            frame::text(
                br#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}"#,
                &mut answer,
            );
            peer.write(&answer);
            return;
        }
        let [_, _, mask @ ..] = bytes else {
            return;
        };
        let Some((key, text)) = mask.split_first_chunk_mut::<4>() else {
            return;
        };
        for (byte, key) in text.iter_mut().zip(key.iter().cycle()) {
            *byte ^= key;
        }
        let mut answer = Vec::with_capacity(64);
        if text.starts_with(b"40") {
            frame::text(br#"40{"sid":"x"}"#, &mut answer);
        } else if let Some(room) = joined(text) {
            if room >= self.rooms.len() {
                self.rooms.resize_with(room + 1, Room::default);
            }
            self.rooms[room].members.push(at);
            frame::text(br#"430[{"ok":true}]"#, &mut answer);
        }
        peer.write(&answer);
    }

    fn gone(&mut self, at: usize) {
        self.peers[at] = None;
        self.free.push(at);
        for room in &mut self.rooms {
            room.members.retain(|member| *member != at);
        }
    }
}

impl Peer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        if !self.left.is_empty() {
            self.left.extend_from_slice(bytes);
            if let Ok(count) = self.stream.write(&self.left) {
                self.left.drain(..count);
            }
        } else if !bytes.is_empty() {
            let count = self.stream.write(bytes).unwrap_or(0);
            if count < bytes.len() {
                self.left.extend_from_slice(&bytes[count..]);
            }
        }
    }
}

fn joined(text: &[u8]) -> Option<usize> {
    let text = str::from_utf8(text).ok()?;
    let room = text
        .strip_prefix(r#"420["join-session","s"#)?
        .strip_suffix("\"]")?;
    room.parse().ok()
}
