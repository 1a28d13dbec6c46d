//! What pages may see: every entry that ever was in a log is known here, and what came before it. Each thing that a
//! page is told is held against that, by the numbers of the invariants.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use roomcast_core::{
    Cursor, Entry, Event, Mark, Millis, Position, RoomId, RoomState, Session, SessionId, UserId,
    browser_event, browser_event::BrowserEvent,
};

/// Whatever is lost is noticed within this time.
const NOTICED_WITHIN: Millis = 5_000;

struct Known {
    entry: Arc<Entry>,
    parent: Option<Position>,
    state: RoomState,
}

#[derive(Default)]
pub(crate) struct Oracle {
    known: BTreeMap<(RoomId, Position), Known>,
    /// How often a room's log lost something.
    losses: BTreeMap<RoomId, u64>,
    /// Until when a user took no part in a session; no entry: to this moment.
    absent_until: BTreeMap<(SessionId, UserId), Millis>,
    lost_at: BTreeMap<SessionId, Millis>,
    /// Who ever owed feedback for what.
    pending_feedback: BTreeSet<(UserId, SessionId)>,
    pub(crate) now: Millis,
}

pub(crate) type Checked<T = ()> = Result<T, String>;

/// What a page has of one session's room while it is in it.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    /// It has everything up to here.
    pub(crate) at: Position,
    /// Where it came in.
    pub(crate) began: Position,
    losses: u64,
}

impl Track {
    /// What was known when the page was last connected counts.
    pub(crate) fn begin_as(&mut self, kept: Option<&Self>) {
        self.losses = kept.map_or(0, |kept| kept.losses);
    }
}

impl Oracle {
    pub(crate) fn appended(
        &mut self,
        room: &RoomId,
        entry: &Arc<Entry>,
        parent: Option<Position>,
        state: &RoomState,
    ) {
        let known = Known {
            entry: entry.clone(),
            parent,
            state: state.clone(),
        };
        self.known.insert((room.clone(), entry.position), known);
        self.stands(room, Some(state));
        if let (RoomId::User(user), Event::FeedbackRequired { session }) = (room, &entry.event) {
            self.pending_feedback.insert((user.clone(), session.clone()));
        }
    }

    /// The log lost its end, or everything.
    pub(crate) fn lost(&mut self, room: &RoomId, state: Option<&RoomState>) {
        *self.losses.entry(room.clone()).or_default() += 1;
        self.stands(room, state);
        if let RoomId::Session(session) = room {
            self.lost_at.insert(session.clone(), self.now);
        }
    }

    /// Who takes part from here on.
    fn stands(&mut self, room: &RoomId, state: Option<&RoomState>) {
        let RoomId::Session(id) = room else { return };
        match state {
            Some(RoomState::Session(session)) => {
                self.absent_until
                    .retain(|(of, user), _| of != id || session.participant(user).is_some());
                let now = self.now;
                for participant in &session.participants {
                    self.absent_until
                        .entry((id.clone(), participant.user.clone()))
                        .or_insert(now);
                }
            }
            Some(RoomState::User { .. }) | None => self.absent_until.retain(|(of, _), _| of != id),
        }
    }

    pub(crate) fn is_present(&self, session: &SessionId, user: &UserId) -> bool {
        self.absent_until.contains_key(&(session.clone(), user.clone()))
    }

    /// Whether the user was out at some time since then.
    pub(crate) fn was_absent(&self, session: &SessionId, user: &UserId, since: Millis) -> Checked {
        let lost = self.lost_lately(session);
        match self.absent_until.get(&(session.clone(), user.clone())) {
            Some(until) if *until < since && !lost => Err(format!(
                "{user} is denied {session}, where it takes part since {until}"
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the user was out of the session at that place of its log, or at a later one.
    fn was_out_after(&self, session: &SessionId, user: &UserId, at: Position) -> bool {
        let (room, from) = (RoomId::from(session.clone()), at.marked(Mark::UNKNOWN));
        let later = self
            .known
            .range((room.clone(), from)..)
            .take_while(|((of, place), _)| *of == room && place.epoch == at.epoch);
        let mut later = later.map(|(_, known)| &known.state);
        later.any(|state| matches!(state, RoomState::Session(session) if session.participant(user).is_none()))
    }

    /// What was lost may be believed in until everyone has noticed.
    fn lost_lately(&self, session: &SessionId) -> bool {
        let lost_at = self.lost_at.get(session);
        lost_at.is_some_and(|at| self.now - at < NOTICED_WITHIN)
    }

    pub(crate) fn was_owed(&self, user: &UserId, session: &SessionId) -> bool {
        self.pending_feedback.contains(&(user.clone(), session.clone()))
    }

    pub(crate) fn all_losses(&self) -> BTreeMap<RoomId, u64> {
        self.losses.clone()
    }

    pub(crate) fn losses(&self, room: &RoomId) -> u64 {
        self.losses.get(room).copied().unwrap_or(0)
    }

    /// What a page has that was told so on a connection that began after `losses`: what it is told now may have been
    /// on its way for long.
    pub(crate) fn track(&self, session: &SessionId, at: Position, losses: &BTreeMap<RoomId, u64>) -> Track {
        let losses = losses.get(&session.clone().into()).copied().unwrap_or(0);
        Track {
            at,
            began: at,
            losses,
        }
    }

    /// The entry at a position; one without its mark is of any entry that stood there, of the latest if there are several.
    fn at(&self, session: &SessionId, at: Position) -> Checked<&Known> {
        let room = RoomId::from(session.clone());
        let (low, high) = (at.marked(Mark::UNKNOWN), at.marked(Mark::from_bits(u32::MAX)));
        let found = match at.mark {
            Mark::UNKNOWN => self
                .known
                .range((room.clone(), low)..=(room, high))
                .next_back()
                .map(|(_, known)| known),
            _ => self.known.get(&(room, at)),
        };
        found.ok_or_else(|| format!("I3: {at:?} of {session} was never in the log"))
    }

    fn state(&self, session: &SessionId, at: Position) -> Checked<&Session> {
        match &self.at(session, at)?.state {
            RoomState::Session(session) => Ok(session),
            RoomState::User { .. } => Err(format!("{session} has the state of a user")),
        }
    }

    /// Nothing that a page of this user should have been shown lies between: `to` itself is not looked at.
    pub(crate) fn continues(
        &self,
        session: &SessionId,
        user: &UserId,
        from: Position,
        to: Position,
    ) -> Checked {
        let mut at = to;
        loop {
            if at.epoch == from.epoch && at.offset <= from.offset {
                let same = at.offset == from.offset && at.mark.agrees(from.mark);
                return if same {
                    Ok(())
                } else {
                    Err(format!(
                        "I1: from {from:?} to {to:?} of {session}: another history, or backwards"
                    ))
                };
            }
            let parent = match self.at(session, at)?.parent {
                Some(parent) => parent,
                // The place before the first entry of this life.
                None if from.epoch == at.epoch && from.offset.0 == 0 => return Ok(()),
                None => return Err(format!("I1: {to:?} of {session} does not come after {from:?}")),
            };
            if parent.epoch == from.epoch && parent.offset > from.offset {
                let known = self.at(session, parent)?;
                let event = browser_event::session_event(session, &known.entry.event);
                if event.is_some() && self.state(session, parent)?.participant(user).is_some() {
                    return Err(format!(
                        "I1: {parent:?} of {session} was lost between {from:?} and {to:?}"
                    ));
                }
            }
            at = parent;
        }
    }

    /// An event of a session's log reaches a page that is at `track`.
    pub(crate) fn event(
        &self,
        session: &SessionId,
        user: &UserId,
        track: Option<&mut Track>,
        to: Position,
        event: &BrowserEvent,
    ) -> Checked {
        let Some(track) = track else {
            return Err(format!("I4: {} {to:?} of {session} outside the room", event.name));
        };
        let known = self.at(session, to)?;
        if browser_event::session_event(session, &known.entry.event).as_ref() != Some(event) {
            return Err(format!("I3: {to:?} of {session} is another event than {event:?}"));
        }
        if to == track.at {
            return Err(format!("I1: {to:?} of {session} came twice"));
        }
        self.continues(session, user, track.at, to)?;
        if self.state(session, to)?.participant(user).is_none() {
            return Err(format!("I4: {to:?} of {session} past the removal of {user}"));
        }
        track.at = to;
        Ok(())
    }

    /// A page may be told so only where its user was out since it joined.
    pub(crate) fn revoked(
        &self,
        session: &SessionId,
        user: &UserId,
        track: Option<&Track>,
        gone: bool,
    ) -> Checked {
        let Some(track) = track else {
            return Err(format!("I4: revoked from {session} outside the room"));
        };
        let lost = self.losses(&session.clone().into()) > track.losses || self.lost_lately(session);
        if lost || gone || self.was_out_after(session, user, track.at) {
            Ok(())
        } else {
            Err(format!("revoked from {session}, where {user} takes part"))
        }
    }

    /// Whether a page that had this may be told that it can't go on from there: something was lost, or is
    /// gone from the log by now, or its user was out meanwhile.
    pub(crate) fn may_break(&self, session: &SessionId, user: &UserId, had: &Track, gone: bool) -> bool {
        let lost = self.losses(&session.clone().into()) > had.losses || self.lost_lately(session);
        lost || gone || self.was_out_after(session, user, had.at)
    }

    pub(crate) fn snapshot(&self, session: &SessionId, at: Position, json: &str) -> Checked {
        if browser_event::session_json(self.state(session, at)?) == json {
            Ok(())
        } else {
            Err(format!(
                "I3: the snapshot of {session} at {at:?} is not its state: {json}"
            ))
        }
    }

    /// A page that is at `at` was shown everything up to `to`.
    pub(crate) fn caught_up(
        &self,
        session: &SessionId,
        user: &UserId,
        at: Position,
        to: Position,
    ) -> Checked {
        if at.epoch == to.epoch && at.offset == to.offset && at.mark.agrees(to.mark) {
            return Ok(());
        }
        self.continues(session, user, at, to)?;
        let last = browser_event::session_event(session, &self.at(session, to)?.entry.event);
        if last.is_some() && self.state(session, to)?.participant(user).is_some() {
            return Err(format!(
                "I1: {to:?} of {session} was never delivered; the page has {at:?}"
            ));
        }
        Ok(())
    }
}

pub(crate) fn positions(cursor: &str) -> Checked<BTreeMap<SessionId, Position>> {
    let cursor: Result<Cursor, _> = cursor.parse();
    cursor
        .map(|cursor| cursor.0)
        .map_err(|error| format!("a cursor that can't be read: {error}"))
}
