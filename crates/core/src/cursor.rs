//! A socket's cursor: the opaque string that every event carries to the browser.
//!
//! It is self-describing, because a stock client sends the last one that it received to any edge, at any later time.
//! Format: `1`, then `;session,epoch,offset,mark` for each session whose room the socket is in; an unknown mark is left
//! out. Ids contain neither `;` nor `,`. A cursor grants no rights: its bearer is authorised again.

use std::{collections::BTreeMap, fmt::Write as _, str::FromStr};

use crate::{
    ids::SessionId,
    position::{Mark, Offset, Position},
};

const VERSION: &str = "1";

/// The positions of one socket, by session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor(pub BTreeMap<SessionId, Position>);

/// The text is not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a position: pass the cursor of an event or the position of an acknowledgement, unchanged")]
pub struct CursorError;

/// Writes the cursor for the given positions.
pub fn write<'a>(positions: impl IntoIterator<Item = (&'a SessionId, &'a Position)>) -> String {
    let mut text = String::from(VERSION);
    for (session, position) in positions {
        let _ = write!(text, ";{session},{},{}", position.epoch, position.offset); // a String never fails
        if position.mark != Mark::UNKNOWN {
            let _ = write!(text, ",{:x}", position.mark.bits()); // a String never fails
        }
    }
    text
}

impl FromStr for Cursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split(';');
        if parts.next() != Some(VERSION) {
            return Err(CursorError);
        }
        let mut positions = BTreeMap::new();
        for part in parts {
            let mut fields = part.split(',');
            let (Some(session), Some(epoch), Some(offset), mark, None) = (
                fields.next(),
                fields.next(),
                fields.next(),
                fields.next(),
                fields.next(),
            ) else {
                return Err(CursorError);
            };
            let session = session.parse().map_err(|_| CursorError)?;
            let epoch = epoch.parse().map_err(|_| CursorError)?;
            let offset = offset.parse().map(Offset).map_err(|_| CursorError)?;
            let mark = match mark {
                None => Mark::UNKNOWN,
                Some(text) => u32::from_str_radix(text, 16)
                    .map(Mark::from_bits)
                    .map_err(|_| CursorError)?,
            };
            positions.insert(session, Position::new(epoch, offset).marked(mark));
        }
        Ok(Self(positions))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::position::Epoch;

    proptest! {
        #[test]
        fn a_cursor_round_trips(
            rooms in proptest::collection::btree_map("[A-Za-z0-9._~@:+-]{1,128}", any::<(u64, u64, u32)>(), 0..5)
        ) {
            let cursor = Cursor(
                rooms
                    .into_iter()
                    .map(|(id, (epoch, offset, mark))| {
                        let position = Position::new(Epoch::from_random(epoch), Offset(offset));
                        (id.parse().unwrap(), position.marked(Mark::from_bits(mark)))
                    })
                    .collect(),
            );
            prop_assert_eq!(write(&cursor.0).parse(), Ok(cursor));
        }

        #[test]
        fn the_parser_never_panics(text in ".{0,64}") {
            let _ = text.parse::<Cursor>();
        }
    }

    #[test]
    fn a_malformed_cursor_is_an_error() {
        for bad in [
            "",
            "2",
            "1;",
            "1;s",
            "1;s,000000000001",
            "1;s,000000000001,x",
            "1;s,000000000001,1,",
            "1;s,000000000001,1,g",
            "1;s,000000000001,1,1,1",
        ] {
            assert_eq!(bad.parse::<Cursor>(), Err(CursorError), "{bad:?}");
        }
    }
}
