//! What the generator does with the bytes that its sockets receive.

use super::{
    Generator,
    frame::{self, ParsedFrame},
    protocol::{Phase, Reaction},
    socket::{ReadResult, Socket},
};
use crate::error::BenchResult;

impl Generator {
    /// Handles a socket that is ready. `is_closing` means that the connection may end after the bytes that are ready.
    #[inline]
    pub(super) fn handle_ready(&mut self, index: usize, is_closing: bool) -> BenchResult<()> {
        let socket = &mut self.sockets[index];
        match socket.phase {
            Phase::Closed => return Ok(()),
            Phase::ConnectingTcp => match socket.is_tcp_connected() {
                Ok(true) => {
                    let request = self.plan.protocol.upgrade_request("127.0.0.1");
                    socket.send(request.as_bytes())?;
                    socket.phase = Phase::Upgrading;
                }
                Ok(false) => return Ok(()),
                Err(error) => return Err(format!("a socket could not connect: {error}").into()),
            },
            Phase::Upgrading | Phase::Opening | Phase::Connecting | Phase::Joining | Phase::Joined => {}
        }
        let mut buffer = std::mem::take(&mut self.read_buffer);
        let result = self.read(index, &mut buffer, is_closing);
        self.read_buffer = buffer;
        result
    }

    #[inline]
    fn read(&mut self, index: usize, buffer: &mut [u8], is_closing: bool) -> BenchResult<()> {
        loop {
            let (bytes, may_have_more) = match self.sockets[index].read(buffer)? {
                ReadResult::WouldBlock => return Ok(()),
                ReadResult::Closed => return self.handle_closed(index),
                ReadResult::Bytes { count, may_have_more } => (&buffer[..count], may_have_more),
            };
            let used = self.handle_bytes(index, bytes)?;
            self.sockets[index].keep_partial(&bytes[used..]);
            // The poll is edge-triggered. A read that did not fill the buffer has taken all bytes.
            if !may_have_more && !is_closing {
                return Ok(());
            }
        }
    }

    /// Handles all complete frames. Returns how many bytes they have.
    #[inline]
    fn handle_bytes(&mut self, index: usize, bytes: &[u8]) -> BenchResult<usize> {
        let mut used = 0;
        if self.sockets[index].phase == Phase::Upgrading {
            let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
                return Ok(0);
            };
            used = end + 4;
            self.handle_upgrade_response(index, &bytes[..used])?;
        }
        let mut now = None;
        loop {
            match frame::parse(&bytes[used..]) {
                ParsedFrame::Text {
                    payload,
                    used: frame_bytes,
                } => {
                    used += frame_bytes;
                    if self.plan.protocol.has_several_texts_per_frame() {
                        for text in payload.split(|byte| *byte == b'\n') {
                            if !text.is_empty() {
                                self.handle_text(index, text, &mut now)?;
                            }
                        }
                    } else {
                        self.handle_text(index, payload, &mut now)?;
                    }
                }
                ParsedFrame::Control {
                    opcode,
                    used: frame_bytes,
                } => {
                    used += frame_bytes;
                    if opcode == frame::CLOSE {
                        self.handle_closed(index)?;
                        return Ok(bytes.len());
                    }
                }
                ParsedFrame::Incomplete => return Ok(used),
                ParsedFrame::Invalid => return Err("a server sent an invalid WebSocket frame".into()),
            }
        }
    }

    /// Handles one text. `now` is set when the text is the first event of a read.
    #[inline]
    fn handle_text(&mut self, index: usize, text: &[u8], now: &mut Option<u64>) -> BenchResult<()> {
        let socket = &mut self.sockets[index];
        let resume = socket.resume.as_deref().filter(|resume| resume.is_resuming);
        let resume = resume.map(|resume| (resume.pid.as_str(), resume.cursor.as_str()));
        let params = self.plan.join_params(index, resume);
        let reaction = self.plan.protocol.handle_text(socket.phase, text, params);
        if self.plan.keeps_cursors {
            remember_cursor(socket, text);
        }
        match reaction {
            Reaction::Deliver { room, number } => self.handle_delivery(index, room, number, now),
            Reaction::Ignore => {}
            Reaction::Send(text, phase) => {
                send_text(socket, &text)?;
                socket.phase = phase;
            }
            Reaction::Join => {
                socket.phase = Phase::Joined;
                self.joined_sockets += 1;
            }
            Reaction::Fail if socket.phase == Phase::Joined => self.faults.wrong += 1,
            Reaction::Fail => {
                let text = String::from_utf8_lossy(text);
                return Err(format!("unexpected message in phase {:?}: {text}", socket.phase).into());
            }
        }
        Ok(())
    }

    #[inline]
    fn handle_delivery(&mut self, index: usize, room: u32, number: u64, now: &mut Option<u64>) {
        let socket = &mut self.sockets[index];
        if room != socket.room {
            self.faults.wrong += 1;
            return;
        }
        if !self.faults.check_order(&mut socket.next_expected, number) {
            return;
        }
        // The clock is read once for all events of one read.
        let now = *now.get_or_insert_with(|| self.started_at.elapsed().as_nanos() as u64);
        match self.rooms[room as usize].deliver(number) {
            Some(delivery) => {
                self.counts.deliveries += 1;
                let latency = now.saturating_sub(delivery.due);
                self.counts.latency.saturating_record(latency);
                if delivery.completes_event {
                    self.counts.completed_events += 1;
                    self.in_flight -= 1;
                }
            }
            None => self.faults.wrong += 1,
        }
    }

    fn handle_upgrade_response(&mut self, index: usize, response: &[u8]) -> BenchResult<()> {
        if !response.starts_with(b"HTTP/1.1 101") {
            let response = String::from_utf8_lossy(response);
            return Err(format!("the WebSocket upgrade failed: {response}").into());
        }
        let socket = &mut self.sockets[index];
        socket.phase = Phase::Opening;
        let params = self.plan.join_params(index, None);
        if let Some((text, phase)) = self.plan.protocol.first_message(params) {
            send_text(socket, &text)?;
            socket.phase = phase;
        }
        Ok(())
    }

    fn handle_closed(&mut self, index: usize) -> BenchResult<()> {
        let socket = &mut self.sockets[index];
        let phase = socket.phase;
        socket.close();
        if phase == Phase::Joined {
            self.joined_sockets -= 1;
        }
        if self.expects_closed_sockets {
            self.closed_sockets.push(index);
        } else if phase == Phase::Joined {
            self.faults.closed += 1;
        } else {
            return Err(format!("a socket was closed in phase {phase:?}").into());
        }
        Ok(())
    }
}

fn send_text(socket: &mut Socket, text: &str) -> std::io::Result<()> {
    let mut bytes = Vec::with_capacity(text.len() + 8);
    frame::push_masked_text(text, &mut bytes);
    socket.send(&bytes)
}

/// Keeps the `pid` of a CONNECT packet, and the cursor of an event, which is its last argument.
fn remember_cursor(socket: &mut Socket, text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let resume = socket.resume.get_or_insert_default();
    if text.starts_with("40{") {
        if let Some((_, rest)) = text.split_once(r#""pid":""#) {
            resume.pid = rest.split('"').next().unwrap_or_default().to_owned();
        }
    } else if text.starts_with("42[") {
        let last_string = text.strip_suffix("\"]").and_then(|text| text.rsplit_once('"'));
        if let Some((_, cursor)) = last_string {
            resume.cursor.clear();
            resume.cursor.push_str(cursor);
        }
    }
}
