//! Positions and references to events.

use roomcast_core::{Epoch, Millis, Offset, Position, RoomId};

use crate::{time, v1, violation::Fields};

impl From<Position> for v1::Position {
    fn from(position: Position) -> Self {
        Self {
            epoch: position.epoch.to_string(),
            offset: position.offset.0,
        }
    }
}

impl v1::EventRef {
    /// Refers to the entry of `room` at `position`.
    #[must_use]
    pub fn new(room: &RoomId, position: Position, published_at: Millis) -> Self {
        Self {
            room: room.to_string(),
            position: Some(position.into()),
            published_at: Some(time::timestamp(published_at)),
        }
    }
}

pub(crate) fn epoch(fields: &mut Fields, path: &str, text: &str) -> Option<Epoch> {
    fields.check(path, text.parse())
}

fn position(fields: &mut Fields, path: &str, from: &v1::Position) -> Option<Position> {
    let epoch = epoch(fields, &format!("{path}.epoch"), &from.epoch)?;
    Some(Position::new(epoch, Offset(from.offset)))
}

/// `Some(None)` if the field is unset, `None` if it is invalid.
pub(crate) fn optional(
    fields: &mut Fields,
    path: &str,
    from: Option<&v1::Position>,
) -> Option<Option<Position>> {
    match from {
        None => Some(None),
        Some(from) => position(fields, path, from).map(Some),
    }
}

pub(crate) fn required(fields: &mut Fields, path: &str, from: Option<&v1::Position>) -> Option<Position> {
    match from {
        Some(from) => position(fields, path, from),
        None => {
            fields.add(path, "is required");
            None
        }
    }
}
