//! Where a replay begins, decided purely.

use crate::position::{Offset, Position};

/// The position after which a join with `after` is replayed to, or `None` where it can't be continued: the
/// position is from another life of the log, or from beyond its tail.
///
/// `since` is the entry since which the user takes part: nothing before it is replayed. `at` is where the
/// room stands.
#[must_use]
pub fn replay_from(after: Option<Position>, since: Offset, at: Position) -> Option<Position> {
    let after = after.filter(|after| at.has_reached(*after))?;
    Some(Position::new(after.epoch, after.offset.max(since.previous())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::Epoch;

    #[test]
    fn a_replay_begins_after_the_cursor_and_never_before_taking_part() {
        let at = |epoch, offset| Position::new(Epoch::from_random(epoch), Offset(offset));
        let from = |after, since| replay_from(after, Offset(since), at(1, 9));
        assert_eq!(from(None, 1), None);
        assert_eq!(from(Some(at(1, 4)), 1), Some(at(1, 4)));
        assert_eq!(from(Some(at(1, 4)), 7), Some(at(1, 6)));
        assert_eq!(from(Some(at(1, 9)), 1), Some(at(1, 9)));
        assert_eq!(from(Some(at(1, 10)), 1), None);
        assert_eq!(from(Some(at(2, 4)), 1), None);
    }
}
