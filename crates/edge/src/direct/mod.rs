//! The direct path: what is for a browser is put into WebSocket frames here and handed to the kernel by whoever has
//! it, past the crate and its tasks. The crate speaks the protocol (handshake, pings, what the browser sends), and
//! writes through the same queue.
//!
//! What holds, for each wire:
//!
//! - D1 Only whole frames enter the queue, the crate's and ours, so they interleave at their borders alone, and what
//!   one of us entered leaves in the order in which it was entered.
//! - D2 No frame of ours leaves before CONNECT did, nor, on a wire that took the place of polling, before everything
//!   that went through the crate: what comes earlier is held, and released by CONNECT, or by the sentinel, an event that
//!   was the last to go through the crate. The browser never sees the sentinel.
//! - D3 Whenever something waits in the queue, somebody comes to write it: the wire is on a flusher's list, or the
//!   kernel's buffer is full and its writability puts it there.
//! - D4 Held and queued bytes together have a cap. What does not fit is given back, and the transport is closed by
//!   whoever had it: never is something left out in the middle. The crate waits instead, as it would for a TCP stream.
//! - D5 After a WebSocket close or a Socket.IO DISCONNECT nothing of ours enters any more, and once the transport is
//!   killed nothing at all.
//! - D6 No write waits: a browser that reads nothing costs its neighbours nothing, and is closed after a while.
//!
//! Two ways to write, chosen for each event: at once, by whoever has it (best where few sockets get it), or by a
//! flusher, which writes everything that came for a socket meanwhile in one call (best where many do).

mod flusher;
pub(crate) mod frame;
pub(crate) mod frame_splitter;
#[cfg(test)]
mod model;
pub(crate) mod queue;

use std::{
    io,
    net::Shutdown,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use tokio::net::tcp::OwnedWriteHalf;

pub(crate) use flusher::Flushers;
use frame::Frame;
use queue::{Part, Queue};

use crate::transport::Transport;

/// Bytes that one socket is written in its turn, before the others have theirs.
const TURN_BYTES: usize = 256 * 1024;
/// Bytes that may wait before the crate has to: the next frame that it writes is taken once there are fewer.
const CRATE_BYTES: usize = 256 * 1024;

/// When an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// At once.
    Now,
    /// With what else comes for the same socket meanwhile, by a flusher.
    Soon,
}

/// What may leave.
#[derive(Debug)]
enum Phase {
    /// The crate's alone; ours is held. In a box, since it soon is no more.
    Held(Box<Held>),
    Open,
    /// Nothing of ours enters any more.
    Ending,
    /// Nothing enters.
    Closed,
}

#[derive(Debug, Default)]
struct Held {
    queue: Queue,
    /// Nothing more of ours enters.
    ends: bool,
}

/// Full: the part is given up, with the transport.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// What is left to do after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Next {
    /// Nothing.
    Rest,
    /// It has to be put on a flusher's list.
    List,
    /// The kernel's buffer is full; its writability puts it on the list. Its stall has to be watched from here on.
    Watch,
}

/// The kernel takes something again.
struct Writable(Weak<Transport>);

impl Wake for Writable {
    fn wake(self: Arc<Self>) {
        if let Some(transport) = self.0.upgrade() {
            transport.writable();
        }
    }
}

/// The way to one browser.
#[derive(Debug)]
pub(crate) struct Wire {
    tcp: OwnedWriteHalf,
    /// Whose wire it is.
    transport: Weak<Transport>,
    /// Bytes that wait at most.
    cap: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    queue: Queue,
    /// On a flusher's list.
    listed: bool,
    /// The kernel's buffer is full.
    blocked: bool,
    /// Somebody watches whether it stalls.
    watched: bool,
    /// The crate, where it waits for room.
    waiting: Option<Waker>,
    /// Bytes that the kernel took while something waited.
    taken: u64,
}

impl Wire {
    /// A wire on which what is ours is held until [`Self::release`]. `greeting` is no frame, and leaves first.
    pub(crate) fn new(tcp: OwnedWriteHalf, transport: Weak<Transport>, greeting: Bytes, cap: usize) -> Self {
        let mut queue = Queue::default();
        if !greeting.is_empty() {
            queue.push(Part::Frame(Frame::whole(greeting, 0)));
        }
        let state = State {
            phase: Phase::Held(Box::default()),
            queue,
            listed: false,
            blocked: false,
            watched: false,
            waiting: None,
            taken: 0,
        };
        Self {
            tcp,
            transport,
            cap,
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters something of ours.
    pub(crate) fn send(&self, part: Part, when: When) -> Result<io::Result<Next>, Full> {
        let mut state = self.lock();
        let State { phase, queue, .. } = &mut *state;
        match phase {
            Phase::Ending | Phase::Closed => return Ok(Ok(Next::Rest)),
            Phase::Held(held) => {
                if !held.queue.fits(&part, self.cap.saturating_sub(queue.bytes())) {
                    return Err(Full);
                }
                held.push(part);
                return Ok(Ok(Next::Rest));
            }
            Phase::Open if !queue.fits(&part, self.cap) => return Err(Full),
            Phase::Open if part.is_last() => *phase = Phase::Ending,
            Phase::Open => {}
        }
        Ok(match (when, part) {
            (When::Now, Part::Frame(frame)) if queue.is_empty() => self.write_now(&mut state, frame),
            (_, part) => {
                queue.push(part);
                Ok(state.list())
            }
        })
    }

    /// Whether the crate may write; where it may not yet, it is woken.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.has_room() {
            return Poll::Ready(());
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Enters a whole frame of the crate; [`Self::list`] follows.
    pub(crate) fn enter(&self, frame: Frame) -> io::Result<()> {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Closed) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        state.queue.push(Part::Frame(frame));
        Ok(())
    }

    /// Takes what was entered elsewhere until now, before what is held comes from here on, in spite of the cap.
    pub(crate) fn hold(&self, parts: impl Iterator<Item = Part>) {
        if let Phase::Held(held) = &mut self.lock().phase {
            parts.for_each(|part| held.push(part));
        }
    }

    /// What is held may leave, after what is in the queue.
    pub(crate) fn release(&self) {
        let mut state = self.lock();
        if let Phase::Held(held) = &mut state.phase {
            let Held { queue, ends } = std::mem::take(&mut **held);
            state.queue.append(queue);
            state.phase = if ends { Phase::Ending } else { Phase::Open };
        }
    }

    /// Nothing of ours enters any more; what is in the queue is still written.
    pub(crate) fn end(&self) {
        match &mut self.lock().phase {
            Phase::Held(held) => held.ends = true,
            phase @ Phase::Open => *phase = Phase::Ending,
            Phase::Ending | Phase::Closed => {}
        }
    }

    /// Ends the connection: what waits is dropped, and the crate's next read ends.
    pub(crate) fn shut(&self) {
        let mut state = self.lock();
        state.phase = Phase::Closed;
        let dropped = std::mem::take(&mut state.queue);
        state.wake_waiting();
        drop(state);
        drop(dropped);
        // An error is a connection that has ended already.
        let _ = self.socket().shutdown(Shutdown::Both);
    }

    /// D3, after something entered.
    pub(crate) fn list(&self) -> Next {
        let mut state = self.lock();
        if state.queue.is_empty() {
            return Next::Rest;
        }
        state.list()
    }

    /// Writes what waits, as much as the kernel takes and its turn allows; says how many events that are waited for
    /// left. By a flusher, which took it from its list.
    pub(crate) fn flush(&self) -> io::Result<(Next, u64)> {
        let mut state = self.lock();
        state.listed = false;
        state.blocked = false;
        let written = self.write(&mut state);
        state.wake_waiting();
        written
    }

    /// Where it is blocked: how much the kernel took until now. Otherwise nobody watches it any more.
    pub(crate) fn watch(&self) -> Option<u64> {
        let mut state = self.lock();
        state.watched = state.blocked && !matches!(state.phase, Phase::Closed);
        state.watched.then_some(state.taken)
    }

    /// The socket past the runtime, which would first look at what it knows of it. Mostly the kernel takes everything;
    /// where it does not, it is asked again by way of the runtime, which then learns of it.
    fn socket(&self) -> socket2::SockRef<'_> {
        self.tcp.as_ref().into()
    }

    /// Writes one frame where nothing waits.
    fn write_now(&self, state: &mut State, frame: Frame) -> io::Result<Next> {
        let written = match frame.one_piece() {
            Some(piece) => self.socket().send(piece),
            None => self.socket().send_vectored(&frame.slices(0)),
        };
        match written {
            Ok(written) if written == frame.len() => return Ok(Next::Rest),
            Ok(written) => state.queue.begin(frame, written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => state.queue.begin(frame, 0),
            Err(error) => return Err(error),
        }
        self.write(state).map(|(next, _)| next)
    }

    fn write(&self, state: &mut State) -> io::Result<(Next, u64)> {
        let (mut awaited, mut turn) = (0, 0);
        if let Some(piece) = state.queue.next_piece()
            && let Ok(written) = self.socket().send(piece)
        {
            awaited += state.queue.advance(written);
            state.taken += written as u64;
        }
        loop {
            let slices = state.queue.next_slices();
            if slices.is_empty() {
                return Ok((Next::Rest, awaited));
            }
            match self.tcp.try_write_vectored(&slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    drop(slices);
                    awaited += state.queue.advance(written);
                    state.taken += written as u64;
                    turn += written;
                    if turn >= TURN_BYTES && !state.queue.is_empty() {
                        return Ok((state.list(), awaited));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    drop(slices);
                    let writable = Waker::from(Arc::new(Writable(self.transport.clone())));
                    match self
                        .tcp
                        .as_ref()
                        .poll_write_ready(&mut Context::from_waker(&writable))
                    {
                        Poll::Ready(ready) => ready?,
                        Poll::Pending => return Ok((state.block(), awaited)),
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Held {
    fn push(&mut self, part: Part) {
        if !self.ends {
            self.ends = part.is_last();
            self.queue.push(part);
        }
    }
}

impl State {
    fn has_room(&self) -> bool {
        self.queue.bytes() <= CRATE_BYTES
    }

    fn wake_waiting(&mut self) {
        if self.has_room()
            && let Some(waiting) = self.waiting.take()
        {
            waiting.wake();
        }
    }

    /// D3: somebody comes.
    fn list(&mut self) -> Next {
        if self.listed || self.blocked {
            return Next::Rest;
        }
        self.listed = true;
        Next::List
    }

    fn block(&mut self) -> Next {
        self.blocked = true;
        if std::mem::replace(&mut self.watched, true) {
            return Next::Rest;
        }
        Next::Watch
    }
}
