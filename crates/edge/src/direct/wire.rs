//! The connection to one browser: its TCP stream, the queue of frames, and the phases that decide which frames may enter
//! the queue.

use std::{
    fmt, io,
    net::Shutdown,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use tokio::net::tcp::OwnedWriteHalf;

use super::{
    Flushers, FollowUp, Full, WireOwner, WriteMode,
    flusher::Flusher,
    frame::Frame,
    queue::{Queue, QueueItem},
};

/// The most bytes that one flush writes to one socket before it continues with other sockets.
const FLUSH_BYTES: usize = 256 * 1024;
/// socketioxide waits while more bytes than this are queued.
const SOCKETIOXIDE_BYTES: usize = 256 * 1024;

/// The phase of a wire. It decides which frames may enter the queue.
#[derive(Debug)]
pub(super) enum WirePhase {
    /// The start: socketioxide's frames enter, and direct frames are held. Boxed, because this phase is short.
    Held(Box<Held>),
    /// All frames enter.
    Open,
    /// No further direct frame enters; socketioxide's frames still do.
    Ending,
    /// The transport is killed: no frame enters.
    Closed,
}

/// Direct frames that wait for [`Wire::release`].
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) queue: Queue,
    /// Whether the queue contains the last direct frame; no other may follow it.
    ends: bool,
}

/// Puts the wire on its flusher's list when the kernel's buffer has space again.
struct Writable<O> {
    owner: Weak<O>,
    flusher: Arc<Flusher<O>>,
}

impl<O: WireOwner> Wake for Writable<O> {
    fn wake(self: Arc<Self>) {
        if let Some(owner) = self.owner.upgrade() {
            self.flusher.register(owner);
        }
    }
}

/// The connection to one browser. It holds no reference to its owner, which passes itself to each write.
pub(crate) struct Wire<O> {
    tcp: OwnedWriteHalf,
    flusher: Arc<Flusher<O>>,
    /// The most bytes that may be held and queued together.
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: WirePhase,
    pub(super) queue: Queue,
    /// The wire is on its flusher's list.
    pub(super) registered: bool,
    /// The kernel's buffer is full.
    pub(super) blocked: bool,
    /// A task watches whether the wire stalls.
    pub(super) watched: bool,
    /// Wakes socketioxide while it waits for space in the queue.
    waiting: Option<Waker>,
    /// Bytes that the kernel accepted from the queue.
    written: u64,
}

impl<O> fmt::Debug for Wire<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("tcp", &self.tcp)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl<O: WireOwner> Wire<O> {
    /// A wire that holds direct frames until [`Self::release`]. `number` chooses the flusher. `greeting` is written
    /// first; it is not a frame. `limit` is the most bytes that may be held and queued together.
    pub(crate) fn new(
        tcp: OwnedWriteHalf,
        flushers: &Flushers<O>,
        number: u64,
        greeting: Bytes,
        limit: usize,
    ) -> Self {
        let mut queue = Queue::default();
        if !greeting.is_empty() {
            queue.push(QueueItem::Frame(Frame::encoded(greeting, 0)));
        }
        let state = State {
            phase: WirePhase::Held(Box::default()),
            queue,
            registered: false,
            blocked: false,
            watched: false,
            waiting: None,
            written: 0,
        };
        Self {
            tcp,
            flusher: flushers.of(number),
            limit,
            state: Mutex::new(state),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the wire's owner on the flusher's list; see [`FollowUp::Register`].
    pub(crate) fn register(&self, owner: &Arc<O>) {
        self.flusher.register(owner.clone());
    }

    /// Sends direct frames.
    pub(crate) fn send(
        &self,
        owner: &Arc<O>,
        item: QueueItem,
        mode: WriteMode,
    ) -> Result<io::Result<FollowUp>, Full> {
        let mut state = self.lock();
        let State { phase, queue, .. } = &mut *state;
        match phase {
            WirePhase::Ending | WirePhase::Closed => return Ok(Ok(FollowUp::Nothing)),
            WirePhase::Held(held) => {
                if !held.queue.fits(&item, self.limit.saturating_sub(queue.bytes())) {
                    return Err(Full);
                }
                held.push(item);
                return Ok(Ok(FollowUp::Nothing));
            }
            WirePhase::Open if !queue.fits(&item, self.limit) => return Err(Full),
            WirePhase::Open if item.is_last() => *phase = WirePhase::Ending,
            WirePhase::Open => {}
        }
        Ok(match (mode, item) {
            (WriteMode::Inline, QueueItem::Frame(frame)) if queue.is_empty() => {
                self.write_inline(owner, &mut state, frame)
            }
            (_, item) => {
                queue.push(item);
                Ok(state.register())
            }
        })
    }

    /// Whether socketioxide may write. If not, its task is woken when the queue has space.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.has_space() {
            return Poll::Ready(());
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Queues a complete frame of socketioxide. The caller then calls [`Self::request_flush`].
    pub(crate) fn enqueue(&self, frame: Frame) -> io::Result<()> {
        let mut state = self.lock();
        if matches!(state.phase, WirePhase::Closed) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        state.queue.push(QueueItem::Frame(frame));
        Ok(())
    }

    /// Holds items from the path that this wire replaces, before any other direct frame. The limit does not apply,
    /// because they were within the limit of that path.
    pub(crate) fn hold(&self, items: impl Iterator<Item = QueueItem>) {
        if let WirePhase::Held(held) = &mut self.lock().phase {
            items.for_each(|item| held.push(item));
        }
    }

    /// Moves the held frames behind the queued ones; direct frames are held no longer.
    pub(crate) fn release(&self) {
        let mut state = self.lock();
        if let WirePhase::Held(held) = &mut state.phase {
            let Held { queue, ends } = std::mem::take(&mut **held);
            state.queue.append(queue);
            state.phase = if ends { WirePhase::Ending } else { WirePhase::Open };
        }
    }

    /// Accepts no more direct frames. Queued frames are still written.
    pub(crate) fn end_direct(&self) {
        match &mut self.lock().phase {
            WirePhase::Held(held) => held.ends = true,
            phase @ WirePhase::Open => *phase = WirePhase::Ending,
            WirePhase::Ending | WirePhase::Closed => {}
        }
    }

    /// Closes the connection. The queue is dropped, and socketioxide's next read fails.
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        state.phase = WirePhase::Closed;
        let dropped = std::mem::take(&mut state.queue);
        state.wake_waiting();
        drop(state);
        drop(dropped);
        let _ = self.socket().shutdown(Shutdown::Both); // An error means that the connection is closed already.
    }

    /// Keeps D3 after [`Self::enqueue`] or [`Self::release`].
    pub(crate) fn request_flush(&self) -> FollowUp {
        let mut state = self.lock();
        if state.queue.is_empty() {
            return FollowUp::Nothing;
        }
        state.register()
    }

    /// Writes as much of the queue as the kernel accepts, but not much more than [`FLUSH_BYTES`]. Also returns the number of
    /// tracked events that were written. Called by the flusher, which has taken the wire from its list.
    pub(crate) fn flush(&self, owner: &Arc<O>) -> io::Result<(FollowUp, u64)> {
        let mut state = self.lock();
        state.registered = false;
        state.blocked = false;
        let result = self.write(owner, &mut state);
        state.wake_waiting();
        result
    }

    /// Returns how many bytes the kernel has accepted, while its buffer is full. Otherwise returns `None`, and the wire
    /// counts as not watched.
    pub(crate) fn check_stall(&self) -> Option<u64> {
        let mut state = self.lock();
        state.watched = state.blocked && !matches!(state.phase, WirePhase::Closed);
        state.watched.then_some(state.written)
    }

    /// The socket without tokio's readiness check. The kernel usually accepts everything. If it does not, the write
    /// is repeated through tokio, which then detects that the socket is not writable.
    fn socket(&self) -> socket2::SockRef<'_> {
        self.tcp.as_ref().into()
    }

    /// Writes one frame; the queue is empty.
    fn write_inline(&self, owner: &Arc<O>, state: &mut State, frame: Frame) -> io::Result<FollowUp> {
        let written = match frame.as_one_piece() {
            Some(piece) => self.socket().send(piece),
            None => self.socket().send_vectored(&frame.slices(0)),
        };
        match written {
            Ok(written) if written == frame.len() => return Ok(FollowUp::Nothing),
            Ok(written) => state.queue.push_partial(frame, written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => state.queue.push_partial(frame, 0),
            Err(error) => return Err(error),
        }
        self.write(owner, state).map(|(follow_up, _)| follow_up)
    }

    fn write(&self, owner: &Arc<O>, state: &mut State) -> io::Result<(FollowUp, u64)> {
        let (mut tracked, mut flushed) = (0, 0);
        if let Some(piece) = state.queue.next_piece()
            && let Ok(written) = self.socket().send(piece)
        {
            tracked += state.queue.advance(written);
            state.written += written as u64;
        }
        loop {
            let slices = state.queue.next_slices();
            if slices.is_empty() {
                return Ok((FollowUp::Nothing, tracked));
            }
            match self.tcp.try_write_vectored(&slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    drop(slices);
                    tracked += state.queue.advance(written);
                    state.written += written as u64;
                    flushed += written;
                    if flushed >= FLUSH_BYTES && !state.queue.is_empty() {
                        return Ok((state.register(), tracked));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    drop(slices);
                    if self.register_when_writable(owner)? {
                        return Ok((state.block(), tracked));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Arranges that the wire registers itself when the kernel's buffer has space; `false` if it has space already.
    fn register_when_writable(&self, owner: &Arc<O>) -> io::Result<bool> {
        let writable = Writable {
            owner: Arc::downgrade(owner),
            flusher: self.flusher.clone(),
        };
        let waker = Waker::from(Arc::new(writable));
        match self
            .tcp
            .as_ref()
            .poll_write_ready(&mut Context::from_waker(&waker))
        {
            Poll::Ready(ready) => ready.map(|()| false),
            Poll::Pending => Ok(true),
        }
    }
}

impl Held {
    fn push(&mut self, item: QueueItem) {
        if !self.ends {
            self.ends = item.is_last();
            self.queue.push(item);
        }
    }
}

impl State {
    fn has_space(&self) -> bool {
        self.queue.bytes() <= SOCKETIOXIDE_BYTES
    }

    fn wake_waiting(&mut self) {
        if self.has_space()
            && let Some(waiting) = self.waiting.take()
        {
            waiting.wake();
        }
    }

    /// Ensures D3: requests a registration, unless the wire is on its flusher's list or the kernel's buffer is full.
    fn register(&mut self) -> FollowUp {
        if self.registered || self.blocked {
            return FollowUp::Nothing;
        }
        self.registered = true;
        FollowUp::Register
    }

    fn block(&mut self) -> FollowUp {
        self.blocked = true;
        if std::mem::replace(&mut self.watched, true) {
            return FollowUp::Nothing;
        }
        FollowUp::WatchStall
    }
}
