//! The load: ten thousand sockets on one thread, which publishes, receives, checks and times.
//!
//! It shares the machine with what it measures, so a delivery costs it one `read` and one scan. It must never slow
//! down its publishing because deliveries are late.

pub(crate) mod connect;
pub(crate) mod protocol;
pub(crate) mod frame;
pub(crate) mod room;
pub(crate) mod pace;
mod receive;
mod socket;
mod timer;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mio::{Events, Poll, Token};

pub(crate) use self::room::Faults;
use self::{
    protocol::Dialect,
    room::Room,
    pace::{Pace, Schedule},
    socket::Socket,
    timer::Timer,
};
use crate::{
    error::{Outcome, failed},
    interrupt,
    child::pause,
    publishers::{Event, Publisher},
};

/// How many bytes are read at once.
const READ_BYTES: usize = 512 * 1024;
/// How many sockets are looked at in one turn of the poll.
const EVENTS: usize = 4096;
/// How long a turn of the poll lasts at most, so that an interruption is noticed.
const TURN: Duration = Duration::from_millis(50);
/// How often a closed loop looks for what came, where nothing did. It does not wait to be woken: on loopback the sender pays
/// for that, and the slower it is, the more often, so that all figures would be about the sleep of the receiver.
const GLANCE: Duration = Duration::from_micros(100);
/// How long what is under way may take after the last publish.
const DRAIN: Duration = Duration::from_secs(10);

const TIMER: Token = Token(usize::MAX);

/// Who the sockets are, where they connect, and in which room each is.
#[derive(Debug)]
pub(crate) struct Crowd {
    /// The protocol.
    pub(crate) dialect: Dialect,
    /// Where they connect, by turns.
    pub(crate) targets: Vec<SocketAddr>,
    /// Each socket's room.
    pub(crate) rooms: Vec<u32>,
    /// Each socket's token; empty: none is shown.
    pub(crate) tokens: Vec<String>,
    /// Whether sockets remember what they need to be recovered.
    pub(crate) keeps_cursors: bool,
}

/// The load generator.
pub(crate) struct Generator {
    poll: Poll,
    timer: Timer,
    started: Instant,
    crowd: Crowd,
    sockets: Vec<Socket>,
    rooms: Vec<Room>,
    buffer: Vec<u8>,
    publisher: Publisher,
    next_room: usize,
    under_way: u32,
    live: usize,
    expects_closing: bool,
    lost_sockets: Vec<usize>,
    counted: Counted,
    faults: Faults,
}

/// What was counted in one window.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    /// Deliveries.
    pub(crate) deliveries: u64,
    /// Events that came to all sockets of their rooms.
    pub(crate) events: u64,
    /// From the time when an event was due to each of its deliveries, in nanoseconds.
    pub(crate) latency: Histogram<u64>,
    /// How long the window was.
    pub(crate) wall: Duration,
}

impl Counted {
    fn new() -> Self {
        // Up to 100 s, three digits: never fails.
        let latency = Histogram::new_with_bounds(1_000, 100_000_000_000, 3).expect("bounds of a histogram");
        Self {
            deliveries: 0,
            events: 0,
            latency,
            wall: Duration::ZERO,
        }
    }
}

impl Generator {
    /// A generator whose sockets are not connected yet.
    pub(crate) fn new(crowd: Crowd, publisher: Publisher) -> Outcome<Self> {
        let poll = Poll::new()?;
        let timer = Timer::new(poll.registry(), TIMER)?;
        let rooms = crowd.rooms.iter().max().map_or(0, |last| *last as usize + 1);
        let mut rooms: Vec<_> = std::iter::repeat_with(Room::new).take(rooms).collect();
        for room in &crowd.rooms {
            rooms[*room as usize].members += 1;
        }
        Ok(Self {
            poll,
            timer,
            started: Instant::now(),
            sockets: crowd.rooms.iter().map(|room| Socket::new(*room)).collect(),
            crowd,
            rooms,
            buffer: vec![0; READ_BYTES],
            publisher,
            next_room: 0,
            under_way: 0,
            live: 0,
            expects_closing: false,
            lost_sockets: vec![],
            counted: Counted::new(),
            faults: Faults::default(),
        })
    }

    /// Publishes and receives for so long, and says what was counted.
    pub(crate) fn run(&mut self, pace: Pace, window: Duration) -> Outcome<Counted> {
        self.counted = Counted::new();
        // On loopback somebody's CPU pays for each acknowledgement, and whose depends on what the kernel takes the connection for:
        // after a dialogue, as when joining, it delays them until the server's next send. So all peers begin alike.
        for socket in &self.sockets {
            socket.listen_only()?;
        }
        let begin = self.started.elapsed();
        let end = begin + window;
        let mut schedule = match pace {
            Pace::Open(spacing) => Some(Schedule::new(begin, spacing)),
            Pace::Quiet | Pace::Closed(_) => None,
        };
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now = self.started.elapsed();
            if now >= end {
                self.counted.wall = now - begin;
                return Ok(self.counted.clone());
            }
            let mut turn = TURN.min(end - now);
            match (&pace, &mut schedule) {
                (Pace::Closed(most), _) => {
                    while self.under_way < *most {
                        self.publish(now.as_nanos() as u64)?;
                    }
                }
                (Pace::Open(_), Some(schedule)) => {
                    while let Some(due) = schedule.take(self.started.elapsed().as_nanos() as u64) {
                        self.publish(due)?;
                    }
                    let next = Duration::from_nanos(schedule.next());
                    turn = turn.min(next.saturating_sub(self.started.elapsed()));
                }
                (Pace::Quiet | Pace::Open(_), _) => {}
            }
            if let Pace::Closed(_) = pace {
                self.turn(&mut events, Duration::ZERO)?;
                if events.is_empty() {
                    pause(GLANCE);
                }
            } else {
                self.turn(&mut events, turn)?;
            }
        }
    }

    /// Receives until nothing is under way any more. What does not come is lost.
    pub(crate) fn drain(&mut self) -> Outcome<()> {
        let mut events = Events::with_capacity(EVENTS);
        let end = Instant::now() + DRAIN;
        while self.under_way > 0 && Instant::now() < end {
            self.turn(&mut events, TURN)?;
        }
        Ok(())
    }

    /// What was counted since the last run began, in a drain after it too.
    pub(crate) fn counted(&self) -> &Counted {
        &self.counted
    }

    /// What went wrong since the beginning.
    pub(crate) fn faults(&self) -> Faults {
        let missing: u64 = self.rooms.iter().map(Room::missing).sum();
        Faults {
            lost: missing,
            unpublished: self.publisher.failures(),
            ..self.faults
        }
    }

    /// Why publishing failed, where it did.
    pub(crate) fn publish_error(&self) -> Option<String> {
        self.publisher.error()
    }

    /// One event in the next room.
    fn publish(&mut self, due: u64) -> Outcome<()> {
        let at = self.next_room;
        self.next_room = (at + 1) % self.rooms.len();
        let room = &mut self.rooms[at];
        let n = room.publish(due);
        self.under_way += 1;
        let room = u32::try_from(at)?;
        self.publisher.publish(Event { room, n })
    }

    /// Sends what was published, waits for what comes, and takes it.
    fn turn(&mut self, events: &mut Events, wait: Duration) -> Outcome<()> {
        if interrupt::happened() {
            return Err(failed("interrupted"));
        }
        let mut wait = wait;
        if !self.publisher.flush()? {
            wait = wait.min(Duration::from_millis(1));
        }
        if wait > Duration::ZERO && wait < TURN {
            self.timer.set(wait)?;
        }
        let timeout = if wait.is_zero() { Duration::ZERO } else { TURN };
        if let Err(error) = self.poll.poll(events, Some(timeout)) {
            if error.kind() == std::io::ErrorKind::Interrupted {
                return Ok(());
            }
            return Err(error.into());
        }
        for event in events.iter() {
            if event.token() != TIMER {
                self.ready(event.token().0, event.is_read_closed() || event.is_error())?;
            }
        }
        Ok(())
    }
}
