//! How the sockets connect and join.

use std::time::{Duration, Instant};

use mio::{Events, Interest, Token};

use super::{EVENTS, Generator, TURN, pace::Pace};
use crate::error::{Outcome, failed};

/// How long connecting may go without any progress.
const STALL: Duration = Duration::from_secs(15);

/// Those that came back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Back {
    /// How many there were.
    pub(crate) sockets: usize,
    /// From the death of their edge until the last of them had everything.
    pub(crate) took: Duration,
}

impl Generator {
    /// Connects every socket and joins it to its room, with so many in flight. How long it took.
    pub(crate) fn connect(&mut self, in_flight: usize) -> Outcome<Duration> {
        let all: Vec<_> = (0..self.sockets.len()).collect();
        self.connect_these(&all, in_flight)
    }

    /// Whoever connects to one of the targets loses it by `kill`, and comes to the next one at once, with its cursor;
    /// meanwhile events are published. It is over when all are back and have what they missed.
    pub(crate) fn survive(&mut self, target: usize, pace: Pace, kill: impl FnOnce()) -> Outcome<Back> {
        self.expects_closing = true;
        let theirs = |at: &usize| at % self.crowd.targets.len() == target;
        let these: Vec<_> = (0..self.sockets.len()).filter(theirs).collect();
        let begin = Instant::now();
        kill();
        while self.lost_sockets.len() < these.len() {
            if begin.elapsed() > STALL {
                return Err(failed("sockets do not notice that their edge is gone"));
            }
            self.run(pace, Duration::from_millis(5))?;
        }
        self.lost_sockets.clear();
        self.expects_closing = false;
        self.crowd.targets.remove(target);
        for at in &these {
            if let Some(resume) = &mut self.sockets[*at].resume {
                resume.is_back = true;
            }
            self.dial(*at)?;
        }
        while self.live < self.sockets.len() {
            if begin.elapsed() > STALL {
                let out = self.sockets.len() - self.live;
                return Err(failed(format!("{out} sockets are not back")));
            }
            self.run(pace, Duration::from_millis(5))?;
        }
        self.drain()?;
        Ok(Back {
            sockets: these.len(),
            took: begin.elapsed(),
        })
    }

    fn connect_these(&mut self, these: &[usize], in_flight: usize) -> Outcome<Duration> {
        let begin = Instant::now();
        let before = self.live;
        let mut events = Events::with_capacity(EVENTS);
        let (mut dialled, mut progress) = (0, (before, begin));
        loop {
            let there = self.live - before;
            if there == these.len() {
                return Ok(begin.elapsed());
            }
            if self.live != progress.0 {
                progress = (self.live, Instant::now());
            } else if progress.1.elapsed() > STALL {
                let count = these.len();
                return Err(failed(format!("only {there} of {count} sockets came in")));
            }
            while dialled < these.len() && dialled - there < in_flight {
                self.dial(these[dialled])?;
                dialled += 1;
            }
            self.turn(&mut events, TURN)?;
        }
    }

    fn dial(&mut self, at: usize) -> Outcome<()> {
        let target = self.crowd.targets[at % self.crowd.targets.len()];
        let stream = self.sockets[at].dial(target)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(stream, Token(at), both)?;
        Ok(())
    }
}
