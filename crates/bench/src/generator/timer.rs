//! A timer with the full resolution of the kernel. The timeout of epoll has a resolution of one millisecond.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    time::Duration,
};

use mio::{Interest, Registry, Token, unix::SourceFd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

/// A timer that wakes the poll.
#[derive(Debug)]
pub(super) struct Timer(OwnedFd);

impl Timer {
    /// Creates a timer, and registers it under a token.
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self(timer))
    }

    /// Wakes the poll once, after this time.
    pub(super) fn set(&self, after: Duration) -> io::Result<()> {
        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // Zero would disarm the timer.
        let after = after.max(Duration::from_nanos(1));
        let it_value = Timespec {
            tv_sec: after.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: after.subsec_nanos().into(),
        };
        let once = Itimerspec {
            it_interval: zero,
            it_value,
        };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}
