//! The load generator: thousands of sockets on one thread, which publishes events, receives them, checks their order and
//! measures their latency.
//!
//! It shares the machine with the process under test, so a delivery costs it one `read` and one scan. It never publishes
//! more slowly because deliveries are late.

mod connect;
mod connection_plan;
mod counts;
mod faults;
pub(crate) mod frame;
pub(crate) mod pace;
pub(crate) mod protocol;
mod receive;
mod room;
mod socket;
mod timer;

use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

pub(crate) use self::{connection_plan::ConnectionPlan, counts::WindowCounts, faults::Faults};
use self::{
    pace::{Pace, Schedule},
    room::Room,
    socket::Socket,
    timer::Timer,
};
use crate::{
    error::BenchResult,
    interrupt,
    publishers::{Event, Publisher},
    sleep::sleep,
};

/// The size of the read buffer in bytes.
const READ_BUFFER_BYTES: usize = 512 * 1024;
/// The maximum number of sockets that one poll returns.
const POLL_EVENTS: usize = 4096;
/// The maximum length of one poll, after which the generator checks for an interrupt.
const POLL_TIMEOUT: Duration = Duration::from_millis(50);
/// The length of a poll while not all events could be sent.
const FLUSH_RETRY_INTERVAL: Duration = Duration::from_millis(1);
/// How often a closed loop polls while no deliveries arrive. It does not wait until the kernel wakes it: on loopback the
/// sender pays for waking the receiver, and pays more often when it is slower, which would distort all figures.
const CLOSED_LOOP_POLL_INTERVAL: Duration = Duration::from_micros(100);
/// How long to wait for the events in flight after the last publish.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

const TIMER: Token = Token(usize::MAX);

/// The load generator, with its sockets, its rooms and the publisher of its events.
pub(crate) struct Generator {
    poll: Poll,
    timer: Timer,
    started_at: Instant,
    plan: ConnectionPlan,
    sockets: Vec<Socket>,
    rooms: Vec<Room>,
    read_buffer: Vec<u8>,
    publisher: Publisher,
    /// The index of the room that receives the next event.
    next_room: usize,
    /// The number of events in flight, over all rooms.
    in_flight: u32,
    /// The number of sockets that have joined their room.
    joined_sockets: usize,
    /// Set while a server is being killed, when closed connections are not a fault.
    expects_closed_sockets: bool,
    /// The sockets that were closed while this was expected.
    closed_sockets: Vec<usize>,
    counts: WindowCounts,
    faults: Faults,
}

impl Generator {
    /// Creates a generator. Its sockets are not connected yet.
    pub(crate) fn new(plan: ConnectionPlan, publisher: Publisher) -> BenchResult<Self> {
        let poll = Poll::new()?;
        let timer = Timer::new(poll.registry(), TIMER)?;
        let mut rooms: Vec<_> = std::iter::repeat_with(Room::new)
            .take(plan.room_count())
            .collect();
        for room in &plan.rooms {
            rooms[*room as usize].add_socket();
        }
        Ok(Self {
            poll,
            timer,
            started_at: Instant::now(),
            sockets: plan.rooms.iter().map(|room| Socket::new(*room)).collect(),
            plan,
            rooms,
            read_buffer: vec![0; READ_BUFFER_BYTES],
            publisher,
            next_room: 0,
            in_flight: 0,
            joined_sockets: 0,
            expects_closed_sockets: false,
            closed_sockets: vec![],
            counts: WindowCounts::new(),
            faults: Faults::default(),
        })
    }

    /// Publishes and receives for the length of the window, and returns the counts.
    pub(crate) fn run(&mut self, pace: Pace, window: Duration) -> BenchResult<WindowCounts> {
        self.counts = WindowCounts::new();
        // On loopback, the sender of a TCP acknowledgement pays for its delivery. After a dialogue, such as a join, the
        // kernel delays acknowledgements until the server sends again. So every run begins with the same setting.
        for socket in &self.sockets {
            socket.set_quick_ack()?;
        }
        let begin = self.started_at.elapsed();
        let end = begin + window;
        let mut schedule = match pace {
            Pace::OpenLoop { interval } => Some(Schedule::new(begin, interval)),
            Pace::Idle | Pace::ClosedLoop(_) => None,
        };
        let mut events = Events::with_capacity(POLL_EVENTS);
        loop {
            let now = self.started_at.elapsed();
            if now >= end {
                self.counts.duration = now - begin;
                return Ok(self.counts.clone());
            }
            let timeout = POLL_TIMEOUT.min(end - now);
            if let Pace::ClosedLoop(limit) = pace {
                while self.in_flight < limit {
                    self.publish(now.as_nanos() as u64)?;
                }
                self.poll_once(&mut events, Duration::ZERO)?;
                if events.is_empty() {
                    sleep(CLOSED_LOOP_POLL_INTERVAL);
                }
            } else if let Some(schedule) = &mut schedule {
                let until_next = self.publish_due_events(schedule)?;
                self.poll_once(&mut events, timeout.min(until_next))?;
            } else {
                self.poll_once(&mut events, timeout)?;
            }
        }
    }

    /// Receives until no event is in flight, or until a timeout. Events that are then in flight count as lost.
    pub(crate) fn drain(&mut self) -> BenchResult<()> {
        let mut events = Events::with_capacity(POLL_EVENTS);
        let deadline = Instant::now() + DRAIN_TIMEOUT;
        while self.in_flight > 0 && Instant::now() < deadline {
            self.poll_once(&mut events, POLL_TIMEOUT)?;
        }
        Ok(())
    }

    /// The counts of the last run, and of a drain after it.
    pub(crate) fn counts(&self) -> &WindowCounts {
        &self.counts
    }

    /// All faults until now.
    pub(crate) fn faults(&self) -> Faults {
        Faults {
            lost: self.rooms.iter().map(Room::missing_deliveries).sum(),
            unpublished: self.publisher.failed(),
            ..self.faults
        }
    }

    /// The error of the first publish that failed.
    pub(crate) fn publish_error(&self) -> Option<String> {
        self.publisher.first_error()
    }

    /// Publishes all events that are due. Returns the time until the next one.
    fn publish_due_events(&mut self, schedule: &mut Schedule) -> BenchResult<Duration> {
        while let Some(due) = schedule.take(self.started_at.elapsed().as_nanos() as u64) {
            self.publish(due)?;
        }
        let next_due = Duration::from_nanos(schedule.next_due());
        Ok(next_due.saturating_sub(self.started_at.elapsed()))
    }

    /// Publishes one event in the next room. `due` is in nanoseconds after the generator's start.
    fn publish(&mut self, due: u64) -> BenchResult<()> {
        let room = self.next_room;
        self.next_room = (room + 1) % self.rooms.len();
        let number = self.rooms[room].publish(due);
        self.in_flight += 1;
        let room = u32::try_from(room)?;
        self.publisher.publish(Event { room, number });
        Ok(())
    }

    /// Sends the published events, waits until a socket is ready or the timeout has passed, and handles ready sockets.
    fn poll_once(&mut self, events: &mut Events, timeout: Duration) -> BenchResult<()> {
        interrupt::check()?;
        let mut timeout = timeout;
        if !self.publisher.flush()? {
            timeout = timeout.min(FLUSH_RETRY_INTERVAL);
        }
        if timeout > Duration::ZERO && timeout < POLL_TIMEOUT {
            self.timer.set(timeout)?;
        }
        let poll_timeout = if timeout.is_zero() {
            Duration::ZERO
        } else {
            POLL_TIMEOUT
        };
        if let Err(error) = self.poll.poll(events, Some(poll_timeout)) {
            if error.kind() == std::io::ErrorKind::Interrupted {
                return Ok(());
            }
            return Err(error.into());
        }
        for event in events.iter() {
            if event.token() != TIMER {
                self.handle_ready(event.token().0, event.is_read_closed() || event.is_error())?;
            }
        }
        Ok(())
    }
}
