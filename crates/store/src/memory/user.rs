//! A user's slot: their log, which is made with its first entry, and the feedback that they owe.

use std::{collections::BTreeMap, sync::Arc};

use roomcast_core::{Entry, Event, Millis, Position, RoomState, SessionId, Snapshot};

use super::{Now, Told, log, log::Log};
use crate::Appended;

#[derive(Default)]
pub(super) struct UserSlot {
    pub(super) log: Option<Log>,
    written_at: Millis,
    /// The last requirement of each session that feedback is owed for.
    pending_feedback: BTreeMap<SessionId, u64>,
    /// Up to which requirement feedback was given, for requirements that come late.
    given: BTreeMap<SessionId, (u64, Millis)>,
    /// The entries of requirements, for those that come again.
    required: BTreeMap<(SessionId, u64), Appended>,
}

impl UserSlot {
    pub(super) fn written_at(&self) -> Millis {
        self.written_at
    }

    pub(super) fn written(&mut self, at: Millis) {
        self.written_at = at;
    }

    pub(super) fn position(&self) -> Position {
        self.log.as_ref().map_or(Position::NONE, Log::position)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            position: self.position(),
            state: RoomState::User {
                pending_feedback: self.pending_feedback.keys().cloned().collect(),
            },
        }
    }

    pub(super) fn append(&mut self, body: Event, now: &mut Now<'_>) -> Arc<Entry> {
        let log = self.log.get_or_insert_with(|| now.log());
        log.append(body, now.at, now.bounds)
    }

    pub(super) fn requires(&mut self, session: &SessionId, number: u64, now: &mut Now<'_>) -> Told<Appended> {
        self.forget_old(now);
        if let Some(first) = self.required.get(&(session.clone(), number)) {
            return (*first, Vec::new());
        }
        let mut entries = vec![self.append(
            Event::FeedbackRequired {
                session: session.clone(),
            },
            now,
        )];
        let appended = log::appended(&entries[0]);
        self.required.insert((session.clone(), number), appended);
        let pending_feedback = self.pending_feedback.entry(session.clone()).or_insert(number);
        *pending_feedback = number.max(*pending_feedback);
        // The entry says that feedback is owed, so where it is not, a second one has to say so.
        if let Some(&(given, _)) = self.given.get(session) {
            entries.extend(self.end(session, given, now));
        }
        (appended, entries)
    }

    pub(super) fn gave(&mut self, session: &SessionId, number: u64, now: &mut Now<'_>) -> Vec<Arc<Entry>> {
        self.forget_old(now);
        let given = self.given.entry(session.clone()).or_insert((number, now.at));
        *given = (number.max(given.0), now.at);
        self.end(session, number, now).into_iter().collect()
    }

    fn end(&mut self, session: &SessionId, number: u64, now: &mut Now<'_>) -> Option<Arc<Entry>> {
        self.pending_feedback
            .get(session)
            .filter(|pending_feedback| **pending_feedback <= number)?;
        self.pending_feedback.remove(session);
        Some(self.append(
            Event::FeedbackSettled {
                session: session.clone(),
            },
            now,
        ))
    }

    fn forget_old(&mut self, now: &Now<'_>) {
        let retention = now.bounds.log_retention;
        self.given.retain(|_, (_, at)| !now.is_over(*at, retention));
        self.required
            .retain(|_, first| !now.is_over(first.published_at, retention));
    }
}
