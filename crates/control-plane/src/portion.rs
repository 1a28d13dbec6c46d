//! How many entries go into one answer, so that none outgrows what gRPC clients take (4 MiB where nothing is set).

use std::sync::Arc;

use roomcast_core::{Entry, Event, ids::MAX_ID_LENGTH};

/// Bytes that one answer's entries have at most, by estimate; one entry goes always.
const PORTION_BYTES: usize = 1024 * 1024;

/// How many of the first entries go into one answer.
pub(crate) fn of(entries: &[Arc<Entry>]) -> usize {
    let mut bytes = 0;
    let fits = |entry: &&Arc<Entry>| {
        bytes += weight(&entry.event);
        bytes <= PORTION_BYTES
    };
    entries.iter().take_while(fits).count().max(1)
}

/// An upper bound, give or take, of the bytes on the wire.
fn weight(body: &Event) -> usize {
    const REST: usize = 4 * MAX_ID_LENGTH;
    REST + match body {
        Event::SessionUpdated { session, removed } => {
            let people = session.participants.len() + removed.len();
            session.status.len() + session.attributes.as_str().len() + people * (MAX_ID_LENGTH + 16)
        }
        Event::FeedbackUpdated {
            updates,
            new_feedback,
            ..
        } => updates.as_str().len() + new_feedback.as_ref().map_or(0, |created| created.as_str().len()),
        Event::UserDisconnected { reason } => reason.len(),
        Event::RoleSelected { .. }
        | Event::ParticipantRemoved { .. }
        | Event::FeedbackRequired { .. }
        | Event::FeedbackSettled { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use roomcast_core::{Epoch, Offset};

    use super::*;

    #[test]
    fn a_portion_is_bounded_and_never_empty() {
        let entry = |bytes| {
            let body = Event::UserDisconnected {
                reason: "x".repeat(bytes),
            };
            Arc::new(Entry::new(Epoch::NONE, Offset::ZERO, 0, body))
        };
        assert_eq!(of(&[entry(0), entry(0)]), 2);
        assert_eq!(of(&[entry(2 * PORTION_BYTES), entry(0)]), 1);
        let half = PORTION_BYTES / 2 - 600;
        assert_eq!(of(&[entry(half), entry(half), entry(half)]), 2);
    }
}
