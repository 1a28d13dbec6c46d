//! A user's slot: the user's pending feedback, and the user's log, which is created with its first entry.

use std::{collections::BTreeMap, sync::Arc};

use roomcast_core::{Entry, Event, Millis, Position, RoomState, SessionId, Snapshot};

use super::{
    log::{self, Log},
    step::{Context, StepResult},
};
use crate::store::Appended;

#[derive(Default)]
pub(super) struct UserSlot {
    pub(super) log: Option<Log>,
    written_at: Millis,
    /// The sessions with pending feedback, with the last requirement of each.
    pending_feedback: BTreeMap<SessionId, u64>,
    /// The last settled requirement of each session, and when it was settled, for requirements that arrive late.
    settled: BTreeMap<SessionId, (u64, Millis)>,
    /// The entry of each requirement, for steps that are repeated.
    required: BTreeMap<(SessionId, u64), Appended>,
}

impl UserSlot {
    pub(super) fn written_at(&self) -> Millis {
        self.written_at
    }

    pub(super) fn set_written_at(&mut self, at: Millis) {
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

    pub(super) fn append(&mut self, event: Event, context: &mut Context<'_>) -> Arc<Entry> {
        let log = self.log.get_or_insert_with(|| context.new_log());
        log.append(event, context.now, context.limits)
    }

    pub(super) fn add_pending_feedback(
        &mut self,
        session: &SessionId,
        requirement: u64,
        context: &mut Context<'_>,
    ) -> StepResult<Appended> {
        self.remove_old(context);
        if let Some(first) = self.required.get(&(session.clone(), requirement)) {
            return (*first, Vec::new());
        }
        let session = session.clone();
        let event = Event::FeedbackRequired {
            session: session.clone(),
        };
        let entry = self.append(event, context);
        let appended = log::appended(&entry);
        self.required.insert((session.clone(), requirement), appended);
        let pending = self.pending_feedback.entry(session.clone()).or_default();
        *pending = requirement.max(*pending);
        let mut entries = vec![entry];
        // If the feedback was submitted already, a second entry cancels the one above.
        if let Some(&(settled, _)) = self.settled.get(&session) {
            entries.extend(self.settle(&session, settled, context));
        }
        (appended, entries)
    }

    pub(super) fn settle_feedback(
        &mut self,
        session: &SessionId,
        requirement: u64,
        context: &mut Context<'_>,
    ) -> StepResult<()> {
        self.remove_old(context);
        let settled = self.settled.entry(session.clone()).or_default();
        *settled = (requirement.max(settled.0), context.now);
        let entry = self.settle(session, requirement, context);
        ((), entry.into_iter().collect())
    }

    /// Settles the session's pending feedback if its requirement is at most `requirement`.
    fn settle(
        &mut self,
        session: &SessionId,
        requirement: u64,
        context: &mut Context<'_>,
    ) -> Option<Arc<Entry>> {
        self.pending_feedback
            .get(session)
            .filter(|pending| **pending <= requirement)?;
        self.pending_feedback.remove(session);
        let session = session.clone();
        Some(self.append(Event::FeedbackSettled { session }, context))
    }

    fn remove_old(&mut self, context: &Context<'_>) {
        let retention = context.limits.log_retention;
        self.settled
            .retain(|_, (_, at)| !context.has_passed(*at, retention));
        self.required
            .retain(|_, first| !context.has_passed(first.published_at, retention));
    }
}
