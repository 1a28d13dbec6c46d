//! The oracle records every entry that was ever in a log, and the entry before it. It checks everything that a page
//! receives against the invariants. An error names the violated invariant.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use roomcast_core::{
    Cursor, Entry, Event, Mark, Millis, Position, RoomId, RoomState, Session, SessionId, UserId,
    browser_event::{BrowserEvent, session_event, session_json},
};

/// Within this time every process notices that a log has lost entries.
const LOSS_NOTICED_WITHIN: Millis = 5_000;

/// A result whose error describes the violation of an invariant.
pub(crate) type Checked<T = ()> = Result<T, String>;

/// An entry that was appended to a log.
struct Appended {
    entry: Arc<Entry>,
    /// The position of the entry before it.
    parent: Option<Position>,
    /// The room's state after the entry.
    state: RoomState,
}

#[derive(Default)]
pub(crate) struct Oracle {
    entries: BTreeMap<(RoomId, Position), Appended>,
    /// How often each room's log has lost entries.
    losses: BTreeMap<RoomId, u64>,
    /// When each session last lost entries.
    lost_at: BTreeMap<SessionId, Millis>,
    /// When each current participant was added.
    added_at: BTreeMap<(SessionId, UserId), Millis>,
    /// The feedback that was ever required.
    required_feedback: BTreeSet<(UserId, SessionId)>,
    pub(crate) now: Millis,
}

/// What a page has of one session's room while it is in the room.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    /// The page has every event up to this position.
    pub(crate) position: Position,
    /// The position at which the page joined.
    pub(crate) joined_at: Position,
    /// Whether the page was recovered at `joined_at`, and has received no live event since then.
    pub(crate) is_replaying: bool,
    /// How often the log had lost entries when the page's connection began.
    losses: u64,
}

impl Track {
    /// Continues the track of an earlier connection, from whose start the losses are counted.
    pub(crate) fn resume(&mut self, earlier: Option<&Self>) {
        self.is_replaying = true;
        self.losses = earlier.map_or(0, |earlier| earlier.losses);
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
        let appended = Appended {
            entry: entry.clone(),
            parent,
            state: state.clone(),
        };
        self.entries.insert((room.clone(), entry.position), appended);
        self.update_participants(room, Some(state));
        if let (RoomId::User(user), Event::FeedbackRequired { session }) = (room, &entry.event) {
            self.required_feedback.insert((user.clone(), session.clone()));
        }
    }

    /// The log has lost its last entries, or all of them (`state` is `None`).
    pub(crate) fn lost(&mut self, room: &RoomId, state: Option<&RoomState>) {
        *self.losses.entry(room.clone()).or_default() += 1;
        self.update_participants(room, state);
        if let RoomId::Session(session) = room {
            self.lost_at.insert(session.clone(), self.now);
        }
    }

    fn update_participants(&mut self, room: &RoomId, state: Option<&RoomState>) {
        let RoomId::Session(id) = room else { return };
        match state {
            Some(RoomState::Session(session)) => {
                self.added_at
                    .retain(|(of, user), _| of != id || session.participant(user).is_some());
                for participant in &session.participants {
                    let key = (id.clone(), participant.user.clone());
                    self.added_at.entry(key).or_insert(self.now);
                }
            }
            Some(RoomState::User { .. }) | None => self.added_at.retain(|(of, _), _| of != id),
        }
    }

    pub(crate) fn is_participant(&self, session: &SessionId, user: &UserId) -> bool {
        self.added_at.contains_key(&(session.clone(), user.clone()))
    }

    /// Checks the denial of a join that was sent at this time: the user must not have been a participant all the time
    /// since then.
    pub(crate) fn check_denied(&self, session: &SessionId, user: &UserId, sent_at: Millis) -> Checked {
        match self.added_at.get(&(session.clone(), user.clone())) {
            Some(added_at) if *added_at < sent_at && !self.was_lost_recently(session) => Err(format!(
                "{user} is denied {session}, although a participant for the last {} ms",
                self.now - added_at
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the user was not a participant at this position of the session's log, or at a later one of the same epoch.
    fn was_removed_after(&self, session: &SessionId, user: &UserId, position: Position) -> bool {
        let (room, from) = (RoomId::from(session.clone()), position.marked(Mark::UNKNOWN));
        let mut later = self
            .entries
            .range((room.clone(), from)..)
            .take_while(|((of, at), _)| *of == room && at.epoch == position.epoch)
            .map(|(_, appended)| &appended.state);
        later.any(|state| matches!(state, RoomState::Session(session) if session.participant(user).is_none()))
    }

    /// Whether some process may not have noticed the session's last loss yet.
    fn was_lost_recently(&self, session: &SessionId) -> bool {
        let lost_at = self.lost_at.get(session);
        lost_at.is_some_and(|at| self.now - at < LOSS_NOTICED_WITHIN)
    }

    pub(crate) fn was_feedback_required(&self, user: &UserId, session: &SessionId) -> bool {
        self.required_feedback.contains(&(user.clone(), session.clone()))
    }

    pub(crate) fn all_losses(&self) -> BTreeMap<RoomId, u64> {
        self.losses.clone()
    }

    pub(crate) fn losses(&self, room: &RoomId) -> u64 {
        self.losses.get(room).copied().unwrap_or(0)
    }

    /// The track of a page that joins at a position. `losses` are the losses at the start of the page's connection,
    /// because the message with the position may have been sent at any time after that.
    pub(crate) fn track(
        &self,
        session: &SessionId,
        position: Position,
        losses: &BTreeMap<RoomId, u64>,
    ) -> Track {
        let losses = losses.get(&session.clone().into()).copied().unwrap_or(0);
        Track {
            position,
            joined_at: position,
            is_replaying: false,
            losses,
        }
    }

    /// The entry at a position. A position without a mark finds the latest entry with its offset.
    fn entry(&self, session: &SessionId, position: Position) -> Checked<&Appended> {
        let room = RoomId::from(session.clone());
        let (low, high) = (
            position.marked(Mark::UNKNOWN),
            position.marked(Mark::from_bits(u32::MAX)),
        );
        let found = match position.mark {
            Mark::UNKNOWN => self
                .entries
                .range((room.clone(), low)..=(room, high))
                .next_back()
                .map(|(_, appended)| appended),
            _ => self.entries.get(&(room, position)),
        };
        found.ok_or_else(|| format!("I3: {position:?} of {session} was never in the log"))
    }

    fn state(&self, session: &SessionId, position: Position) -> Checked<&Session> {
        match &self.entry(session, position)?.state {
            RoomState::Session(session) => Ok(session),
            RoomState::User { .. } => Err(format!("{session} has the state of a user")),
        }
    }

    /// Checks that the position was in the log.
    pub(crate) fn check_position(&self, session: &SessionId, position: Position) -> Checked {
        self.entry(session, position).map(|_| ())
    }

    /// Checks that the log leads from one position to the other, and that no event between them, both exclusive, is
    /// visible to the user.
    fn check_continuity(&self, session: &SessionId, user: &UserId, from: Position, to: Position) -> Checked {
        let mut at = to;
        loop {
            if at.epoch == from.epoch && at.offset <= from.offset {
                let is_same = at.offset == from.offset && at.mark.agrees(from.mark);
                return if is_same {
                    Ok(())
                } else {
                    Err(format!(
                        "I1: {to:?} of {session} is not after {from:?}, or of another history"
                    ))
                };
            }
            let parent = match self.entry(session, at)?.parent {
                Some(parent) => parent,
                // `from` is the position before the first entry of the epoch.
                None if from.epoch == at.epoch && from.offset.0 == 0 => return Ok(()),
                None => return Err(format!("I1: {to:?} of {session} does not follow {from:?}")),
            };
            if parent.epoch == from.epoch
                && parent.offset > from.offset
                && self.is_visible(session, user, parent)?
            {
                return Err(format!(
                    "I1: {parent:?} of {session} is missing between {from:?} and {to:?}"
                ));
            }
            at = parent;
        }
    }

    /// Whether the entry at a position is an event that the user may see.
    fn is_visible(&self, session: &SessionId, user: &UserId, position: Position) -> Checked<bool> {
        let entry = &self.entry(session, position)?.entry;
        Ok(session_event(session, &entry.event).is_some()
            && self.state(session, position)?.participant(user).is_some())
    }

    /// Checks an event of the session's log that a page with this track receives.
    pub(crate) fn check_event(
        &self,
        session: &SessionId,
        user: &UserId,
        track: Option<&mut Track>,
        position: Position,
        event: &BrowserEvent,
        is_replayed: bool,
    ) -> Checked {
        let Some(track) = track else {
            return Err(format!(
                "I4: {} {position:?} of {session} outside the room",
                event.name
            ));
        };
        let entry = &self.entry(session, position)?.entry;
        if session_event(session, &entry.event).as_ref() != Some(event) {
            return Err(format!(
                "I3: {position:?} of {session} is another event than {event:?}"
            ));
        }
        if is_replayed && !track.is_replaying {
            return Err(format!(
                "I5: {position:?} of {session} is replayed after a live event"
            ));
        }
        if position == track.position {
            return Err(format!("I1: {position:?} of {session} was delivered twice"));
        }
        let checked = self.check_continuity(session, user, track.position, position);
        if checked.is_err() && track.is_replaying && !is_replayed {
            return Err(format!(
                "I5: {position:?} of {session} is live, but the replay has only reached {:?}",
                track.position
            ));
        }
        checked?;
        if self.state(session, position)?.participant(user).is_none() {
            return Err(format!(
                "I4: {position:?} of {session} after the removal of {user}"
            ));
        }
        track.position = position;
        track.is_replaying = is_replayed;
        Ok(())
    }

    /// Checks a `session-revoked` that a page with this track receives. There must be a reason for it.
    pub(crate) fn check_revoked(
        &self,
        session: &SessionId,
        user: &UserId,
        track: Option<&Track>,
        cannot_continue: bool,
    ) -> Checked {
        let Some(track) = track else {
            return Err(format!("I4: revoked from {session} outside the room"));
        };
        if self.may_break(session, user, track, cannot_continue) {
            Ok(())
        } else {
            Err(format!(
                "revoked from {session}, although {user} is a participant"
            ))
        }
    }

    /// Whether continuity may end for a page with the track `had`: the log has lost entries or cannot continue from
    /// there, or the user was removed.
    pub(crate) fn may_break(
        &self,
        session: &SessionId,
        user: &UserId,
        had: &Track,
        cannot_continue: bool,
    ) -> bool {
        let was_lost = self.losses(&session.clone().into()) > had.losses || self.was_lost_recently(session);
        was_lost || cannot_continue || self.was_removed_after(session, user, had.position)
    }

    pub(crate) fn check_snapshot(&self, session: &SessionId, position: Position, json: &str) -> Checked {
        if session_json(self.state(session, position)?) == json {
            Ok(())
        } else {
            Err(format!(
                "I3: the snapshot of {session} at {position:?} is not its state: {json}"
            ))
        }
    }

    /// Checks that a page at position `at` has every event up to `to`, inclusive.
    pub(crate) fn check_caught_up(
        &self,
        session: &SessionId,
        user: &UserId,
        at: Position,
        to: Position,
    ) -> Checked {
        if at.epoch == to.epoch && at.offset == to.offset && at.mark.agrees(to.mark) {
            return Ok(());
        }
        self.check_continuity(session, user, at, to)?;
        if self.is_visible(session, user, to)? {
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
        .map_err(|error| format!("an invalid cursor: {error}"))
}
