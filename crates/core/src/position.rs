//! Places in a room's log: an epoch (one life of the log) and a dense offset from 1.

use std::{fmt, str::FromStr};

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

/// An epoch and an offset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The life of the log.
    pub epoch: Epoch,
    /// The place in it.
    pub offset: Offset,
}

impl Position {
    /// The position of a room that has no log yet.
    pub const NONE: Self = Self {
        epoch: Epoch::NONE,
        offset: Offset::ZERO,
    };

    /// Puts an epoch and an offset together.
    #[must_use]
    pub fn new(epoch: Epoch, offset: Offset) -> Self {
        Self { epoch, offset }
    }

    /// Whether this position is in the same life of the log as `other` and not before it.
    #[must_use]
    pub fn has_reached(self, other: Self) -> bool {
        self.epoch == other.epoch && self.offset >= other.offset
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.epoch, self.offset)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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
