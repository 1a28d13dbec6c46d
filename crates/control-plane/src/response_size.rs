//! How many log entries fit into one response, so that no response exceeds what gRPC clients accept (4 MiB by default).

use std::sync::Arc;

use roomcast_core::{Entry, Event, ids::MAX_ID_LENGTH};

/// The limit for the entries of one response, in estimated bytes. One entry is always sent.
const MAX_ENTRY_BYTES: usize = 1024 * 1024;

/// How many of the first entries fit into one response; at least 1.
pub(crate) fn entries_that_fit(entries: &[Arc<Entry>]) -> usize {
    let mut bytes = 0;
    let fits = |entry: &&Arc<Entry>| {
        bytes += estimated_bytes(&entry.event);
        bytes <= MAX_ENTRY_BYTES
    };
    entries.iter().take_while(fits).count().max(1)
}

/// Approximately the most bytes that the event needs on the wire.
fn estimated_bytes(event: &Event) -> usize {
    const IDS_AND_NUMBERS: usize = 4 * MAX_ID_LENGTH;
    IDS_AND_NUMBERS
        + match event {
            Event::SessionUpdated { session, removed } => {
                let users = session.participants.len() + removed.len();
                session.status.len() + session.attributes.as_str().len() + users * (MAX_ID_LENGTH + 16)
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
    fn a_response_is_bounded_and_never_empty() {
        let entry = |bytes| {
            let event = Event::UserDisconnected {
                reason: "x".repeat(bytes),
            };
            Arc::new(Entry::new(Epoch::NONE, Offset::ZERO, 0, event))
        };
        assert_eq!(entries_that_fit(&[entry(0), entry(0)]), 2);
        assert_eq!(entries_that_fit(&[entry(2 * MAX_ENTRY_BYTES), entry(0)]), 1);
        let half = MAX_ENTRY_BYTES / 2 - 600;
        assert_eq!(entries_that_fit(&[entry(half), entry(half), entry(half)]), 2);
    }
}
