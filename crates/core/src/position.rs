//! Places in a room's log: an epoch (one life of the log) and a dense offset from 1.

use std::{fmt, str::FromStr};

use crate::Millis;

/// One life of a log: 48 random bits, made with the log, written as 12 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch of a room that has no log yet.
    pub const NONE: Self = Self(0);

    /// An epoch from random bits; the upper 16 are not used.
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

/// The text is no epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no epoch: 12 hexadecimal digits, as an earlier answer gave them")]
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

/// A place in one life of a log: the first entry has offset 1, the next 2, without holes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub u64);

impl Offset {
    /// Before the first entry.
    pub const ZERO: Self = Self(0);

    /// The offset after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The offset before this one, not below zero.
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

/// Tells apart two entries that stood at one place: Redis may lose the last writes of a life of a log, when a replica
/// that had not seen them is promoted, and then writes others at the same offsets.
///
/// It is made of the time at which the entry was appended, so whoever has the entry has its mark.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mark(u32);

impl Mark {
    /// Where it is not known which entry stood there; agrees with every mark.
    pub const UNKNOWN: Self = Self(0);

    /// The mark of an entry that was appended at this time.
    #[must_use]
    pub fn of(published_at: Millis) -> Self {
        let low = published_at.unsigned_abs() & u64::from(u32::MAX);
        Self(u32::try_from(low).unwrap_or_default().max(1))
    }

    /// A mark as the link and cursors carry it; 0 is [`Self::UNKNOWN`].
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The mark for the link and for cursors.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether both may be of the same entry.
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

/// An epoch and an offset, and the mark of the entry there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The life of the log.
    pub epoch: Epoch,
    /// The place in it.
    pub offset: Offset,
    /// Which entry stood there, where that is known.
    pub mark: Mark,
}

impl Position {
    /// The position of a room that has no log yet.
    pub const NONE: Self = Self {
        epoch: Epoch::NONE,
        offset: Offset::ZERO,
        mark: Mark::UNKNOWN,
    };

    /// Puts an epoch and an offset together.
    #[must_use]
    pub fn new(epoch: Epoch, offset: Offset) -> Self {
        Self {
            epoch,
            offset,
            mark: Mark::UNKNOWN,
        }
    }

    /// The same place with the mark of the entry there.
    #[must_use]
    pub fn marked(self, mark: Mark) -> Self {
        Self { mark, ..self }
    }

    /// Whether this position is in the same life of the log as `other` and not before it. At the same offset it has to
    /// be the same entry.
    #[must_use]
    pub fn has_reached(self, other: Self) -> bool {
        let same_place = self.offset == other.offset && self.mark.agrees(other.mark);
        self.epoch == other.epoch && (self.offset > other.offset || same_place)
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
    fn an_epoch_reads_back_what_it_writes() {
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
