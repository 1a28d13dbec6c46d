//! What comes to the sockets.

use super::{
    Generator,
    protocol::{Heard, Phase, Wish},
    frame::{self, Parsed},
    order,
    socket::{Found, Socket},
};
use crate::error::{Outcome, failed};

impl Generator {
    /// Something happened to a socket. `is_ending`: its end may stand behind what is to be read.
    #[inline]
    pub(super) fn ready(&mut self, at: usize, is_ending: bool) -> Outcome<()> {
        match self.sockets[at].phase {
            Phase::Closed => return Ok(()),
            Phase::Dialling => match self.sockets[at].is_through() {
                Ok(true) => {
                    let upgrade = self.crowd.dialect.upgrade("127.0.0.1");
                    self.sockets[at].say(upgrade.as_bytes())?;
                    self.sockets[at].phase = Phase::Upgrading;
                }
                Ok(false) => return Ok(()),
                Err(error) => return Err(failed(format!("a socket can't connect: {error}"))),
            },
            Phase::Upgrading | Phase::Opening | Phase::Greeting | Phase::Joining | Phase::Live => {}
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let taken = self.read(at, &mut buffer, is_ending);
        self.buffer = buffer;
        taken
    }

    #[inline]
    fn read(&mut self, at: usize, buffer: &mut [u8], is_ending: bool) -> Outcome<()> {
        loop {
            let (bytes, more) = match self.sockets[at].read(buffer)? {
                Found::Nothing => return Ok(()),
                Found::End => return self.closed(at),
                Found::Bytes(count, more) => (&buffer[..count], more),
            };
            let used = self.take(at, bytes)?;
            self.sockets[at].keep(&bytes[used..]);
            // Readiness comes by edges; a read that did not fill the buffer has taken everything.
            if !more && !is_ending {
                return Ok(());
            }
        }
    }

    /// Takes whole frames; how many bytes they were.
    #[inline]
    fn take(&mut self, at: usize, bytes: &[u8]) -> Outcome<usize> {
        let mut used = 0;
        if self.sockets[at].phase == Phase::Upgrading {
            let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
                return Ok(0);
            };
            used = end + 4;
            self.upgraded(at, &bytes[..used])?;
        }
        let mut now = None;
        loop {
            match frame::parse(&bytes[used..]) {
                Parsed::Text { payload, used: more } => {
                    used += more;
                    if self.crowd.dialect.is_divided() {
                        for text in payload.split(|byte| *byte == b'\n') {
                            if !text.is_empty() {
                                self.hear(at, text, &mut now)?;
                            }
                        }
                    } else {
                        self.hear(at, payload, &mut now)?;
                    }
                }
                Parsed::Control { opcode, used: more } => {
                    used += more;
                    if opcode == frame::CLOSE {
                        self.closed(at)?;
                        return Ok(bytes.len());
                    }
                }
                Parsed::Incomplete => return Ok(used),
                Parsed::Bad => return Err(failed("a frame that no server may send")),
            }
        }
    }

    #[inline]
    fn hear(&mut self, at: usize, text: &[u8], now: &mut Option<u64>) -> Outcome<()> {
        let socket = &mut self.sockets[at];
        let resume = socket.resume.as_deref().filter(|resume| resume.is_back);
        let wish = Wish {
            token: self.crowd.tokens.get(at).map_or("", String::as_str),
            room: socket.room,
            resume: resume.map(|resume| (resume.pid.as_str(), resume.cursor.as_str())),
        };
        let heard = self.crowd.dialect.hear(socket.phase, text, wish);
        if self.crowd.keeps_cursors {
            remember(socket, text);
        }
        match heard {
            Heard::Event(n, room) => self.delivered(at, n, room, now),
            Heard::Nothing => {}
            Heard::Say(text, phase) => {
                let mut bytes = Vec::with_capacity(text.len() + 8);
                frame::masked_text(&text, &mut bytes);
                socket.say(&bytes)?;
                socket.phase = phase;
            }
            Heard::Joined => {
                socket.phase = Phase::Live;
                self.live += 1;
            }
            Heard::Wrong if socket.phase == Phase::Live => self.faults.wrong += 1,
            Heard::Wrong => {
                let text = String::from_utf8_lossy(text);
                return Err(failed(format!("in {:?} a socket heard {text}", socket.phase)));
            }
        }
        Ok(())
    }

    #[inline]
    fn delivered(&mut self, at: usize, n: u64, room: u32, now: &mut Option<u64>) {
        let socket = &mut self.sockets[at];
        if room != socket.room {
            self.faults.wrong += 1;
            return;
        }
        if !room::check(&mut socket.expected, n, &mut self.faults) {
            return;
        }
        // The clock is read once for all that one read brought.
        let now = *now.get_or_insert_with(|| self.started.elapsed().as_nanos() as u64);
        match self.rooms[room as usize].deliver(n) {
            Some((due, is_last)) => {
                self.counted.deliveries += 1;
                self.counted.latency.saturating_record(now.saturating_sub(due));
                if is_last {
                    self.counted.events += 1;
                    self.under_way -= 1;
                }
            }
            None => self.faults.wrong += 1,
        }
    }

    fn upgraded(&mut self, at: usize, response: &[u8]) -> Outcome<()> {
        if !response.starts_with(b"HTTP/1.1 101") {
            let response = String::from_utf8_lossy(response);
            return Err(failed(format!("no WebSocket: {response}")));
        }
        self.sockets[at].phase = Phase::Opening;
        let wish = Wish {
            token: self.crowd.tokens.get(at).map_or("", String::as_str),
            room: self.sockets[at].room,
            resume: None,
        };
        if let Some((text, phase)) = self.crowd.dialect.opening(wish) {
            let mut bytes = Vec::with_capacity(text.len() + 8);
            frame::masked_text(&text, &mut bytes);
            self.sockets[at].say(&bytes)?;
            self.sockets[at].phase = phase;
        }
        Ok(())
    }

    fn closed(&mut self, at: usize) -> Outcome<()> {
        let socket = &mut self.sockets[at];
        let phase = socket.phase;
        socket.close();
        if phase == Phase::Live {
            self.live -= 1;
        }
        if self.expects_closing {
            self.lost_sockets.push(at);
        } else if phase == Phase::Live {
            self.faults.closed += 1;
        } else {
            return Err(failed(format!("a socket was closed in {phase:?}")));
        }
        Ok(())
    }
}

/// Keeps the `pid` of a CONNECT, and the trailing string of an event.
fn remember(socket: &mut Socket, text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let resume = socket.resume.get_or_insert_default();
    if text.starts_with("40{") {
        if let Some((_, rest)) = text.split_once(r#""pid":""#) {
            resume.pid = rest.split('"').next().unwrap_or_default().to_owned();
        }
    } else if text.starts_with("42[") {
        let last = text.strip_suffix("\"]").and_then(|text| text.rsplit_once('"'));
        if let Some((_, cursor)) = last {
            resume.cursor.clear();
            resume.cursor.push_str(cursor);
        }
    }
}
