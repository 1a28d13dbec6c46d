//! What pages receive, checked against the oracle.

use std::{collections::BTreeMap, sync::Arc};

use roomcast_core::{
    Position, SessionId,
    browser_event::BrowserEvent,
    rooms::{JoinDenial, SocketRequestId, SocketResponse},
};

use crate::{
    oracle::{Checked, positions},
    page::{ConnectionId, PageId, PageMessage, PendingRequest},
    store::Store,
    world::World,
};

/// Whether the log no longer continues from a position: its next entry is trimmed, or the log's history is another one.
fn cannot_continue(store: &Store, session: &SessionId, after: Position) -> bool {
    let room = session.clone().into();
    store.first(&room).0 > after.offset.0 + 1 || !store.has(&room, after)
}

fn session_of(event: &BrowserEvent) -> Checked<SessionId> {
    let text = event.payload.strip_prefix(r#"{"sessionId":""#);
    let id = text
        .and_then(|text| text.split('"').next())
        .and_then(|id| id.parse().ok());
    id.ok_or_else(|| format!("an event without its session: {event:?}"))
}

fn snapshot_of_reset(event: &BrowserEvent) -> Checked<&str> {
    let json = event
        .payload
        .split_once(r#""session":"#)
        .and_then(|(_, rest)| rest.rsplit_once(r#","position":"#));
    Ok(json.ok_or("a reset without its session")?.0)
}

impl World {
    pub(crate) fn page_message(
        &mut self,
        id: PageId,
        connection: ConnectionId,
        message: PageMessage,
    ) -> Checked {
        if self.pages[id.0].connection != Some(connection) {
            return Ok(());
        }
        let checked = match message {
            PageMessage::Connect { recovered } => self.connect_received(id, recovered),
            PageMessage::Event(event, cursor) => self.event_received(id, &event, &cursor, false),
            PageMessage::ReplayedEvent(event, cursor) => self.event_received(id, &event, &cursor, true),
            PageMessage::Response(request, response) => self.response_received(id, request, response),
        };
        checked.map_err(|violation| format!("page {} of {}: {violation}", id.0, self.pages[id.0].user))
    }

    fn connect_received(&mut self, id: PageId, recovered: bool) -> Checked {
        let resumed = self.pages[id.0].resume_positions()?;
        let earlier_tracks = std::mem::take(&mut self.pages[id.0].earlier_tracks);
        let page = &mut self.pages[id.0];
        page.is_connected = true;
        page.has_pid = true;
        if recovered {
            for (session, position) in resumed.ok_or("recovered a page that presented no cursor")? {
                let mut track = self.oracle.track(&session, position, &self.pages[id.0].losses);
                track.resume(earlier_tracks.get(&session));
                self.pages[id.0].tracks.insert(session, track);
            }
        } else if let Some(positions) = resumed.filter(|positions| !positions.is_empty()) {
            let may_break = positions.iter().any(|(session, position)| {
                let user = &self.pages[id.0].user;
                let cannot_continue = cannot_continue(&self.store, session, *position);
                earlier_tracks
                    .get(session)
                    .is_none_or(|had| self.oracle.may_break(session, user, had, cannot_continue))
            });
            if !may_break {
                return Err("a fresh connection, although every room could be continued".to_owned());
            }
        }
        for session in self.pages[id.0].wanted.clone() {
            let page = &self.pages[id.0];
            if page.always_joins || !page.tracks.contains_key(&session) {
                self.request_join(id, &session);
            }
        }
        Ok(())
    }

    fn event_received(
        &mut self,
        id: PageId,
        event: &BrowserEvent,
        cursor: &Arc<str>,
        is_replayed: bool,
    ) -> Checked {
        let positions = positions(cursor)?;
        let session = session_of(event)?;
        let position = positions.get(&session).copied();
        let position = position.ok_or_else(|| format!("no position of {session} in {cursor}"));
        let is_reset_expected = self.pages[id.0].expected_resets.remove(&session);
        if is_reset_expected && event.name != "session-reset" {
            return Err(format!("I1: {} of {session} instead of a reset", event.name));
        }
        self.pages[id.0].cursor = Some(cursor.clone());
        match event.name {
            "session-updated" | "role-selected" | "feedback-updated" => {
                let page = &mut self.pages[id.0];
                let track = page.tracks.get_mut(&session);
                self.oracle
                    .check_event(&session, &page.user, track, position?, event, is_replayed)?;
            }
            "session-joined" => self.session_joined_received(id, &session, position?)?,
            "session-revoked" => self.session_revoked_received(id, &session)?,
            "session-reset" => {
                self.session_reset_received(id, &session, position?, event, is_reset_expected)?;
            }
            "feedback-required" => {
                let page = &mut self.pages[id.0];
                if !self.oracle.was_feedback_required(&page.user, &session) {
                    return Err(format!("I3: feedback for {session} was never required"));
                }
                page.reminders.insert(session);
            }
            other => return Err(format!("an unknown event: {other}")),
        }
        self.remember_positions(id, positions);
        Ok(())
    }

    fn session_joined_received(&mut self, id: PageId, session: &SessionId, position: Position) -> Checked {
        let page = &mut self.pages[id.0];
        if let Some(track) = page.tracks.get_mut(session) {
            let checked = self
                .oracle
                .check_caught_up(session, &page.user, track.position, position);
            if let Err(violation) = checked {
                let cannot_continue = cannot_continue(&self.store, session, track.position);
                if !self.oracle.may_break(session, &page.user, track, cannot_continue) {
                    return Err(violation);
                }
                page.expected_resets.insert(session.clone());
            }
            track.position = position;
        } else {
            self.oracle.check_position(session, position)?;
            let track = self.oracle.track(session, position, &page.losses);
            page.tracks.insert(session.clone(), track);
        }
        Ok(())
    }

    fn session_revoked_received(&mut self, id: PageId, session: &SessionId) -> Checked {
        let page = &mut self.pages[id.0];
        let track = page.tracks.remove(session);
        let cannot_continue = track
            .as_ref()
            .is_some_and(|track| cannot_continue(&self.store, session, track.position));
        self.oracle
            .check_revoked(session, &page.user, track.as_ref(), cannot_continue)
    }

    fn session_reset_received(
        &mut self,
        id: PageId,
        session: &SessionId,
        position: Position,
        event: &BrowserEvent,
        is_expected: bool,
    ) -> Checked {
        let page = &mut self.pages[id.0];
        let had = page
            .tracks
            .get(session)
            .ok_or_else(|| format!("I4: a reset of {session} outside the room"))?;
        let cannot_continue = cannot_continue(&self.store, session, had.position);
        if !is_expected && !self.oracle.may_break(session, &page.user, had, cannot_continue) {
            let at = had.position;
            return Err(format!(
                "a reset of {session} at {at:?}, although nothing was lost"
            ));
        }
        self.oracle
            .check_snapshot(session, position, snapshot_of_reset(event)?)?;
        let mut track = self.oracle.track(session, position, &page.losses);
        track.joined_at = had.joined_at;
        page.tracks.insert(session.clone(), track);
        Ok(())
    }

    fn remember_positions(&mut self, id: PageId, positions: BTreeMap<SessionId, Position>) {
        for (session, position) in positions {
            let track = self.oracle.track(&session, position, &self.pages[id.0].losses);
            self.pages[id.0].last.insert(session, track);
        }
    }

    fn response_received(
        &mut self,
        id: PageId,
        request: SocketRequestId,
        response: SocketResponse,
    ) -> Checked {
        let page = &mut self.pages[id.0];
        let Some(request) = page.pending_requests.remove(&request) else {
            return Err(format!("a response without a request: {response:?}"));
        };
        match response {
            SocketResponse::Joined {
                session,
                position,
                recovered,
                snapshot,
                ..
            } => {
                let position = positions(&position)?
                    .get(&session)
                    .copied()
                    .ok_or("a response without its position")?;
                self.joined_received(id, &request, &session, position, recovered)?;
                if !recovered {
                    self.oracle.check_snapshot(&session, position, &snapshot)?;
                }
                self.remember_positions(id, BTreeMap::from([(session, position)]));
            }
            SocketResponse::Left(session) => {
                page.tracks.remove(&session);
            }
            SocketResponse::Denied(session, JoinDenial::NotAParticipant | JoinDenial::SessionNotFound) => {
                self.oracle.check_denied(&session, &page.user, request.sent_at)?;
            }
            SocketResponse::Denied(..) => {}
        }
        Ok(())
    }

    /// Checks the response to a join against the page's position, which `session-joined` has set before.
    fn joined_received(
        &mut self,
        id: PageId,
        request: &PendingRequest,
        session: &SessionId,
        position: Position,
        recovered: bool,
    ) -> Checked {
        let page = &mut self.pages[id.0];
        let Some(track) = page.tracks.get_mut(session) else {
            return Err(format!("joined {session} without session-joined"));
        };
        if !track.position.has_reached(position) || !position.has_reached(track.position) {
            let at = track.position;
            return Err(format!(
                "joined {session} at {position:?}, but the page is at {at:?}"
            ));
        }
        if recovered && track.position == track.joined_at {
            track.is_replaying = true;
        }
        match &request.after {
            // The events after `joined_at` are checked when they arrive.
            Some(after)
                if recovered && !request.was_in_room && !after.position.has_reached(track.joined_at) =>
            {
                self.oracle
                    .check_caught_up(session, &page.user, after.position, track.joined_at)
            }
            Some(after) if !recovered => {
                let cannot_continue = cannot_continue(&self.store, session, after.position);
                if self.oracle.may_break(session, &page.user, after, cannot_continue) {
                    return Ok(());
                }
                let at = after.position;
                Err(format!(
                    "{session} was not recovered from {at:?}, although nothing was lost"
                ))
            }
            Some(_) | None => Ok(()),
        }
    }
}
