//! Deliveries that are lost, repeated or wrong. A measurement with a fault fails.

/// The numbers of faults. All must be zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Deliveries that did not arrive.
    pub(crate) lost: u64,
    /// Deliveries that arrived twice, or after a later event of the same room.
    pub(crate) repeated: u64,
    /// Deliveries to a socket of another room, and unexpected messages.
    pub(crate) wrong: u64,
    /// Sockets that the server closed.
    pub(crate) closed: u64,
    /// Publishes that failed.
    pub(crate) unpublished: u64,
}

impl Faults {
    /// Whether all numbers are zero.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Checks that a socket receives an event in order, and advances the number that it expects next. Returns whether
    /// the event is new.
    ///
    /// A gap is not counted here: `Room::missing_deliveries` counts lost deliveries at the end.
    #[inline]
    pub(super) fn check_order(&mut self, next_expected: &mut u64, number: u64) -> bool {
        if number < *next_expected {
            self.repeated += 1;
            return false;
        }
        *next_expected = number + 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_numbers_are_not_a_fault() {
        let (mut next_expected, mut faults) = (1, Faults::default());
        assert!((1..=5).all(|number| faults.check_order(&mut next_expected, number)));
        assert!(faults.is_none());
    }

    #[test]
    fn a_repeated_or_late_event_is_a_fault() {
        let (mut next_expected, mut faults) = (1, Faults::default());
        let is_new = [1, 4, 2, 4, 5].map(|number| faults.check_order(&mut next_expected, number));
        assert_eq!(is_new, [true, true, false, false, true]);
        assert_eq!(faults.repeated, 2);
    }
}
