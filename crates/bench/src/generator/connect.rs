//! How the generator's sockets connect, and how they reconnect after their server was killed.

use std::time::{Duration, Instant};

use mio::{Events, Interest, Token};

use super::{Generator, POLL_EVENTS, POLL_TIMEOUT, pace::Pace};
use crate::error::BenchResult;

/// How long connecting and reconnecting may take without progress.
const STALL_TIMEOUT: Duration = Duration::from_secs(15);
/// The length of one window between two checks during a reconnect.
const RECONNECT_WINDOW: Duration = Duration::from_millis(5);

/// The result of a reconnect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reconnected {
    /// How many sockets reconnected.
    pub(crate) sockets: usize,
    /// From the kill until the last socket had resumed and received all missed events.
    pub(crate) duration: Duration,
}

impl Generator {
    /// Connects all sockets and joins them to their rooms, at most `limit` at a time. Returns how long this took.
    pub(crate) fn connect(&mut self, limit: usize) -> BenchResult<Duration> {
        let begin = Instant::now();
        let mut events = Events::with_capacity(POLL_EVENTS);
        let (mut started, mut last_progress) = (0, (0, begin));
        let total = self.sockets.len();
        while self.joined_sockets < total {
            let joined = self.joined_sockets;
            if joined != last_progress.0 {
                last_progress = (joined, Instant::now());
            } else if last_progress.1.elapsed() > STALL_TIMEOUT {
                return Err(format!("only {joined} of {total} sockets joined their rooms").into());
            }
            while started < total && started - joined < limit {
                self.connect_socket(started)?;
                started += 1;
            }
            self.poll_once(&mut events, POLL_TIMEOUT)?;
        }
        Ok(begin.elapsed())
    }

    /// Calls `kill`, which ends the server at one of the addresses. Its sockets reconnect to the other addresses at
    /// once, with their cursors, while events are published. Returns when all of them have resumed and have received
    /// the events that they missed.
    pub(crate) fn reconnect_after(
        &mut self,
        killed_addr: usize,
        pace: Pace,
        kill: impl FnOnce(),
    ) -> BenchResult<Reconnected> {
        let affected: Vec<_> = (0..self.sockets.len())
            .filter(|socket| self.plan.addr_index(*socket) == killed_addr)
            .collect();
        self.expects_closed_sockets = true;
        let begin = Instant::now();
        kill();
        while self.closed_sockets.len() < affected.len() {
            if begin.elapsed() > STALL_TIMEOUT {
                return Err("not all sockets of the killed edge were closed".into());
            }
            self.run(pace, RECONNECT_WINDOW)?;
        }
        self.closed_sockets.clear();
        self.expects_closed_sockets = false;
        self.plan.addrs.remove(killed_addr);
        for socket in &affected {
            if let Some(resume) = &mut self.sockets[*socket].resume {
                resume.is_resuming = true;
            }
            self.connect_socket(*socket)?;
        }
        while self.joined_sockets < self.sockets.len() {
            if begin.elapsed() > STALL_TIMEOUT {
                let missing = self.sockets.len() - self.joined_sockets;
                return Err(format!("{missing} sockets have not reconnected").into());
            }
            self.run(pace, RECONNECT_WINDOW)?;
        }
        self.drain()?;
        Ok(Reconnected {
            sockets: affected.len(),
            duration: begin.elapsed(),
        })
    }

    fn connect_socket(&mut self, index: usize) -> BenchResult<()> {
        let addr = self.plan.addrs[self.plan.addr_index(index)];
        let stream = self.sockets[index].connect(addr)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(stream, Token(index), both)?;
        Ok(())
    }
}
