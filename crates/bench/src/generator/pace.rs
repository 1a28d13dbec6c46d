//! The pace at which the load generator publishes events.

use std::time::Duration;

/// How the load generator publishes events.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// It publishes no events.
    Idle,
    /// It keeps this number of events in flight: when all sockets of a room have received an event, it publishes the
    /// next one.
    ClosedLoop(u32),
    /// It publishes at fixed times, and does not wait for deliveries.
    OpenLoop {
        /// The time between two events in nanoseconds.
        interval: f64,
    },
}

impl Pace {
    /// An open loop with this many events per second.
    pub(crate) fn rate(events_per_second: f64) -> Self {
        Self::OpenLoop {
            interval: 1e9 / events_per_second,
        }
    }
}

/// The times of an open loop, in nanoseconds after the generator's start. A time in the past stays due, so a slow server
/// does not reduce the load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    begin: f64,
    interval: f64,
    taken: u64,
}

impl Schedule {
    pub(super) fn new(begin: Duration, interval: f64) -> Self {
        Self {
            begin: begin.as_nanos() as f64,
            interval,
            taken: 0,
        }
    }

    /// When the next event is due.
    pub(super) fn next_due(&self) -> u64 {
        (self.begin + self.interval * self.taken as f64) as u64
    }

    /// Takes the next time if it is not after `now`.
    pub(super) fn take(&mut self, now: u64) -> Option<u64> {
        let due = self.next_due();
        (due <= now).then(|| {
            self.taken += 1;
            due
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_caller_receives_every_time_that_is_due() {
        let mut schedule = Schedule::new(Duration::from_nanos(100), 10.0);
        let taken: Vec<_> = std::iter::from_fn(|| schedule.take(135)).collect();
        assert_eq!(taken, [100, 110, 120, 130]);
        assert_eq!(schedule.next_due(), 140);
    }
}
