//! What is under way, and whether what comes is what has to come: per socket each room's numbers rise by one.

use std::collections::VecDeque;

/// What must be zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Deliveries that never came.
    pub(crate) lost: u64,
    /// Deliveries that came again, or too late.
    pub(crate) repeated: u64,
    /// Deliveries to a socket of another room, and texts that must not come.
    pub(crate) wrong: u64,
    /// Sockets that were closed.
    pub(crate) closed: u64,
    /// Publishes that failed.
    pub(crate) unpublished: u64,
}

impl Faults {
    /// Whether there are none.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// One room: how many sockets it has, and its events that are under way.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// How many sockets are in it.
    pub(crate) members: u32,
    /// The number of the first event that is under way, or of the next one.
    first: u64,
    under_way: VecDeque<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    /// When it had to be published, in nanoseconds since the generator's start.
    due: u64,
    /// How many deliveries are missing.
    missing: u32,
}

impl Room {
    /// A room whose first event has the number 1.
    pub(crate) fn new() -> Self {
        Self {
            first: 1,
            ..Self::default()
        }
    }

    /// Begins one event; its number.
    pub(crate) fn publish(&mut self, due: u64) -> u64 {
        let missing = self.members;
        self.under_way.push_back(UnderWay { due, missing });
        self.first + self.under_way.len() as u64 - 1
    }

    /// Counts one delivery. When it was due, in nanoseconds since the generator's start, and whether it was the
    /// event's last one.
    #[inline]
    pub(crate) fn deliver(&mut self, n: u64) -> Option<(u64, bool)> {
        let at = usize::try_from(n.checked_sub(self.first)?).ok()?;
        let event = self.under_way.get_mut(at)?;
        event.missing = event.missing.checked_sub(1)?;
        let delivered = (event.due, event.missing == 0);
        while self.under_way.front().is_some_and(|event| event.missing == 0) {
            self.under_way.pop_front();
            self.first += 1;
        }
        Some(delivered)
    }

    /// How many deliveries are missing.
    pub(crate) fn missing(&self) -> u64 {
        self.under_way.iter().map(|event| u64::from(event.missing)).sum()
    }
}

/// Whether a number may come to a socket that expects another one. A hole is no fault yet: whoever lost something is
/// owed it to the end ([`Room::missing`]).
#[inline]
pub(crate) fn check(expected: &mut u64, n: u64, faults: &mut Faults) -> bool {
    if n < *expected {
        faults.repeated += 1;
        return false;
    }
    *expected = n + 1;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_rise_by_one_are_right() {
        let (mut expected, mut faults) = (1, Faults::default());
        assert!((1..=5).all(|n| check(&mut expected, n, &mut faults)));
        assert!(faults.is_none());
    }

    #[test]
    fn what_comes_again_or_too_late_is_a_fault() {
        let (mut expected, mut faults) = (1, Faults::default());
        let taken = [1, 4, 2, 4, 5].map(|n| check(&mut expected, n, &mut faults));
        assert_eq!(taken, [true, true, false, false, true]);
        assert_eq!(faults.repeated, 2);
    }

    #[test]
    fn an_event_is_done_with_its_last_delivery() {
        let mut room = Room::new();
        room.members = 2;
        assert_eq!((room.publish(10), room.publish(20)), (1, 2));
        assert_eq!(room.deliver(2), Some((20, false)));
        assert_eq!(room.deliver(1), Some((10, false)));
        assert_eq!(room.deliver(2), Some((20, true)));
        assert_eq!(room.missing(), 1);
        assert_eq!(room.deliver(1), Some((10, true)));
        assert_eq!(room.missing(), 0);
        assert_eq!(room.publish(30), 3);
        assert_eq!(room.deliver(1), None, "nobody is owed it any more");
        assert_eq!(room.deliver(4), None, "nobody published it");
    }
}
