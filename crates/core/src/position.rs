//! Positions in a room's log: an epoch (one incarnation of the log) and a dense offset from 1.

use std::{fmt, str::FromStr};

use crate::Millis;

/// One incarnation of a log: 48 random bits that are chosen when the log is created, written as 12 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch of a room without a log.
    pub const NONE: Self = Self(0);

    /// Makes an epoch of random bits; the upper 16 bits are ignored.
    #[must_use]
    pub fn from_random(bits: u64) -> Self {
        Self((bits & 0xffff_ffff_ffff).max(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an epoch: pass the 12 hexadecimal digits of an earlier response")]
pub struct EpochError;

impl FromStr for Epoch {
    type Err = EpochError;
    fn from_str(text: &str) -> Result<Self, EpochError> {
        let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 12 || !text.bytes().all(digits) {
            return Err(EpochError);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| EpochError)
    }
}

/// The place of an entry within an epoch: the first entry has offset 1, the next 2, without gaps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub u64);

impl Offset {
    /// The offset before the first entry.
    pub const ZERO: Self = Self(0);

    /// The offset after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The offset before this one; zero for zero.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Distinguishes two entries that had the same epoch and offset: when Redis promotes a replica that lacks the last
/// writes, those are lost, and other entries get the same offsets.
///
/// A mark is computed from the time at which the entry was appended, so every holder of an entry can compute it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mark(u32);

impl Mark {
    /// The mark of an unknown entry; it agrees with every mark.
    pub const UNKNOWN: Self = Self(0);

    /// The mark of an entry that was appended at this time (milliseconds since the Unix epoch).
    #[must_use]
    pub fn of(published_at: Millis) -> Self {
        let low = published_at.unsigned_abs() & u64::from(u32::MAX);
        Self(u32::try_from(low).unwrap_or_default().max(1))
    }

    /// Reads a mark from its form on the link and in cursors; 0 is [`Self::UNKNOWN`].
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The mark's form on the link and in cursors.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether both marks can belong to the same entry.
    #[must_use]
    pub fn agrees(self, other: Self) -> bool {
        self == other || self == Self::UNKNOWN || other == Self::UNKNOWN
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A position in a room's log: an epoch, an offset, and the mark of the entry at that offset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The incarnation of the log.
    pub epoch: Epoch,
    /// The offset within the epoch.
    pub offset: Offset,
    /// The mark of the entry at the offset, or [`Mark::UNKNOWN`].
    pub mark: Mark,
}

impl Position {
    /// The position of a room without a log.
    pub const NONE: Self = Self {
        epoch: Epoch::NONE,
        offset: Offset::ZERO,
        mark: Mark::UNKNOWN,
    };

    /// A position with an unknown mark.
    #[must_use]
    pub fn new(epoch: Epoch, offset: Offset) -> Self {
        Self {
            epoch,
            offset,
            mark: Mark::UNKNOWN,
        }
    }

    /// The same position with the mark of its entry.
    #[must_use]
    pub fn marked(self, mark: Mark) -> Self {
        Self { mark, ..self }
    }

    /// Whether this position has the epoch of `other` and is not before it. At the same offset, the marks must agree.
    #[must_use]
    pub fn has_reached(self, other: Self) -> bool {
        let same_entry = self.offset == other.offset && self.mark.agrees(other.mark);
        self.epoch == other.epoch && (self.offset > other.offset || same_entry)
    }
}

impl Default for Position {
    fn default() -> Self {
        Self::NONE
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.epoch, self.offset)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}#{:?}", self.mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_round_trips() {
        let epoch = Epoch::from_random(0xffff_0000_0000_00ab);
        assert_eq!(epoch.to_string(), "0000000000ab");
        assert_eq!("0000000000ab".parse(), Ok(epoch));
        for bad in [
            "",
            "ab",
            "0000000000AB",
            "0000000000abc",
            "+00000000000",
            "é0000000000",
        ] {
            assert_eq!(bad.parse::<Epoch>(), Err(EpochError), "{bad:?}");
        }
    }

    #[test]
    fn a_random_epoch_is_never_the_empty_one() {
        assert_ne!(Epoch::from_random(0), Epoch::NONE);
    }
}
