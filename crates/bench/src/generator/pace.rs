//! When the next event is due.

use std::time::Duration;

/// How events are published.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// None is.
    Quiet,
    /// As many are under way as this; the next one goes out when one has come to all sockets of its room.
    Closed(u32),
    /// At their times, whatever comes back: fixed spacing, in nanoseconds.
    Open(f64),
}

impl Pace {
    /// So many events a second, at their times.
    pub(crate) fn rate(events_per_second: f64) -> Self {
        Self::Open(1e9 / events_per_second)
    }
}

/// The times of an open loop, in nanoseconds since the generator's start. A time that passed stays due: nothing is
/// left out because the server is late.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    begin: f64,
    spacing: f64,
    given: u64,
}

impl Schedule {
    pub(crate) fn new(begin: Duration, spacing: f64) -> Self {
        Self {
            begin: begin.as_nanos() as f64,
            spacing,
            given: 0,
        }
    }

    /// When the next event is due.
    pub(crate) fn next(&self) -> u64 {
        (self.begin + self.spacing * self.given as f64) as u64
    }

    /// The next event's time, if it has come.
    pub(crate) fn take(&mut self, now: u64) -> Option<u64> {
        let due = self.next();
        (due <= now).then(|| {
            self.given += 1;
            due
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_passed_are_given_as_they_were_due() {
        let mut schedule = Schedule::new(Duration::from_nanos(100), 10.0);
        let taken: Vec<_> = std::iter::from_fn(|| schedule.take(135)).collect();
        assert_eq!(taken, [100, 110, 120, 130]);
        assert_eq!(schedule.next(), 140);
    }
}
