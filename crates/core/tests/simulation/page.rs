//! Pages with stock clients: they come back with their cursor, join again, and hold everything that they are told
//! against the oracle.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use roomcast_core::{
    Millis, Position, RoomId, SessionId, UserId,
    browser_event::BrowserEvent,
    rooms::{JoinDenial, SocketId, SocketRequestId, SocketResponse},
};

use crate::{
    oracle::{Checked, Track, positions},
    store::Store,
    world::{Asked, Conn, Life, Step, World},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PageId(pub(crate) usize);

/// What a page is told.
#[derive(Debug)]
pub(crate) enum Told {
    Connect { recovered: bool },
    Event(Arc<BrowserEvent>, Arc<str>),
    SocketResponse(SocketRequestId, SocketResponse),
}

struct Question {
    after: Option<Track>,
    /// Whether it was in the room already.
    was_in: bool,
    asked_at: Millis,
    session: SessionId,
}

pub(crate) struct Page {
    pub(crate) user: UserId,
    /// The sessions that it wants to be in.
    pub(crate) wanted: BTreeSet<SessionId>,
    /// Whether its joins bring along what it has, and whether it joins also where it was recovered.
    pub(crate) brings_after: bool,
    pub(crate) always_joins: bool,
    /// It reads nothing.
    pub(crate) stalled: bool,
    pub(crate) conn: Option<Conn>,
    pub(crate) peer: Option<(Life, SocketId)>,
    pub(crate) connected: bool,
    pub(crate) told_until: Millis,
    asked_until: Millis,
    /// The sessions that it is in.
    pub(crate) tracks: BTreeMap<SessionId, Track>,
    /// The same, when it was connected last.
    kept: BTreeMap<SessionId, Track>,
    /// The last string that came with an event; a stock client never forgets it.
    cursor: Option<Arc<str>>,
    has_pid: bool,
    /// The last position that it saw of each session, and when.
    last: BTreeMap<SessionId, Track>,
    asks: BTreeMap<SocketRequestId, Question>,
    /// What logs had lost when its connection began.
    pub(crate) losses: BTreeMap<RoomId, u64>,
    /// Where it was told that it joined anew, and has to be told of a reset next.
    owed_resets: BTreeSet<SessionId>,
    reminded: BTreeSet<SessionId>,
}

impl Page {
    pub(crate) fn new(
        user: UserId,
        wanted: BTreeSet<SessionId>,
        brings_after: bool,
        always_joins: bool,
    ) -> Self {
        Self {
            user,
            wanted,
            brings_after,
            always_joins,
            stalled: false,
            conn: None,
            peer: None,
            connected: false,
            told_until: 0,
            asked_until: 0,
            tracks: BTreeMap::new(),
            kept: BTreeMap::new(),
            cursor: None,
            has_pid: false,
            last: BTreeMap::new(),
            asks: BTreeMap::new(),
            losses: BTreeMap::new(),
            owed_resets: BTreeSet::new(),
            reminded: BTreeSet::new(),
        }
    }

    /// What a stock client hands back.
    pub(crate) fn resume(&self) -> Checked<Option<BTreeMap<SessionId, Position>>> {
        match &self.cursor {
            Some(cursor) if self.has_pid => positions(cursor).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// Nothing is left of it but its user.
    pub(crate) fn reload(&mut self) {
        self.cursor = None;
        self.has_pid = false;
        self.last.clear();
        self.kept.clear();
    }

    pub(crate) fn session_named(event: &BrowserEvent) -> Checked<SessionId> {
        let text = event.payload.strip_prefix(r#"{"sessionId":""#);
        let id = text
            .and_then(|text| text.split('"').next())
            .and_then(|id| id.parse().ok());
        id.ok_or_else(|| format!("an event without its session: {event:?}"))
    }
}

/// Whether the log can't be continued from a position: it is trimmed, or another one by now.
fn gone(store: &Store, session: &SessionId, at: Position) -> bool {
    let room = session.clone().into();
    store.first(&room).0 > at.offset.0 + 1 || !store.has(&room, at)
}

impl World {
    /// The page's connection is over, and it comes back soon.
    pub(crate) fn page_lost(&mut self, id: PageId, conn: Conn) {
        if self.pages[id.0].conn != Some(conn) {
            return;
        }
        let next = Conn(self.unique());
        let page = &mut self.pages[id.0];
        page.kept.append(&mut page.tracks);
        page.conn = Some(next);
        page.peer = None;
        page.connected = false;
        page.asks.clear();
        page.owed_resets.clear();
        page.reminded.clear();
        let wait = self.rng.between(20, 1_500);
        self.after(wait, Step::Dial(id, next));
    }

    /// The page gives its connection up; the edge notices sooner or later.
    pub(crate) fn hang_up(&mut self, id: PageId) {
        let page = &self.pages[id.0];
        if let (Some(conn), Some((edge, socket))) = (page.conn, page.peer) {
            let notices = if self.rng.percent(20) {
                8_000
            } else {
                self.rng.between(0, 50)
            };
            self.after(notices, Step::Gone(edge, socket));
            self.page_lost(id, conn);
        }
    }

    pub(crate) fn ask_join(&mut self, id: PageId, session: &SessionId) {
        let was_in = self.pages[id.0].tracks.contains_key(session);
        // One that has nothing may have been told a position by another page.
        let from = if self.pages[id.0].last.contains_key(session) {
            id.0
        } else {
            self.rng.below(self.pages.len())
        };
        let after = self.pages[from].last.get(session).cloned();
        let after = after.filter(|_| self.pages[id.0].brings_after);
        let at = after.as_ref().map(|after| after.at);
        self.request(id, session, after, was_in, |request| {
            Asked::Join(session.clone(), at, request)
        });
    }

    pub(crate) fn ask_leave(&mut self, id: PageId, session: &SessionId) {
        self.request(id, session, None, true, |request| {
            Asked::Leave(session.clone(), request)
        });
    }

    fn request(
        &mut self,
        id: PageId,
        session: &SessionId,
        after: Option<Track>,
        was_in: bool,
        asked: impl FnOnce(SocketRequestId) -> Asked,
    ) {
        let (now, wait, request) = (self.now, self.rng.between(0, 4), SocketRequestId(self.unique()));
        let page = &mut self.pages[id.0];
        let (true, Some((edge, socket))) = (page.connected, page.peer) else {
            return;
        };
        // Whoever asks twice at once is answered by both: what that comes to for each is not held against them.
        let mut after = after;
        for earlier in page
            .asks
            .values_mut()
            .filter(|earlier| earlier.session == *session)
        {
            earlier.after = None;
            after = None;
        }
        page.asks.insert(
            request,
            Question {
                after,
                was_in,
                asked_at: now,
                session: session.clone(),
            },
        );
        page.asked_until = page.asked_until.max(now + wait);
        let wait = page.asked_until - now;
        self.after(wait, Step::FromPage(edge, socket, asked(request)));
    }

    pub(crate) fn page_told(&mut self, id: PageId, conn: Conn, told: Told) -> Checked {
        if self.pages[id.0].conn != Some(conn) {
            return Ok(());
        }
        let checked = match told {
            Told::Connect { recovered } => self.page_connected(id, recovered),
            Told::Event(event, cursor) => self.page_event(id, &event, &cursor),
            Told::SocketResponse(request, answer) => self.page_answered(id, request, answer),
        };
        checked.map_err(|violation| format!("page {} of {}: {violation}", id.0, self.pages[id.0].user))
    }

    fn page_connected(&mut self, id: PageId, recovered: bool) -> Checked {
        let resumed = self.pages[id.0].resume()?;
        let kept = std::mem::take(&mut self.pages[id.0].kept);
        let page = &mut self.pages[id.0];
        page.connected = true;
        page.has_pid = true;
        if recovered {
            for (session, at) in resumed.ok_or("recovered, and had nothing")? {
                let mut track = self.oracle.track(&session, at, &self.pages[id.0].losses);
                track.begin_as(kept.get(&session));
                self.pages[id.0].tracks.insert(session, track);
            }
        } else if let Some(positions) = resumed.filter(|positions| !positions.is_empty()) {
            let lost = positions.iter().any(|(session, at)| {
                let (user, gone) = (&self.pages[id.0].user, gone(&self.store, session, *at));
                kept.get(session)
                    .is_none_or(|had| self.oracle.may_break(session, user, had, gone))
            });
            if !lost {
                return Err("a fresh connection, where everything could be continued".to_owned());
            }
        }
        for session in self.pages[id.0].wanted.clone() {
            let page = &self.pages[id.0];
            if page.always_joins || !page.tracks.contains_key(&session) {
                self.ask_join(id, &session);
            }
        }
        Ok(())
    }

    fn page_event(&mut self, id: PageId, event: &BrowserEvent, cursor: &Arc<str>) -> Checked {
        let places = positions(cursor)?;
        let session = Page::session_named(event)?;
        let at = places.get(&session).copied();
        let here = || at.ok_or_else(|| format!("no position of {session} in {cursor}"));
        let owed_reset = self.pages[id.0].owed_resets.remove(&session);
        if owed_reset && event.name != "session-reset" {
            return Err(format!(
                "I1: {} of {session} came where a reset was due",
                event.name
            ));
        }
        let gone = self.pages[id.0]
            .tracks
            .get(&session)
            .is_some_and(|track| gone(&self.store, &session, track.at));
        let losses = self.pages[id.0].losses.clone();
        let page = &mut self.pages[id.0];
        page.cursor = Some(cursor.clone());
        match event.name {
            "session-updated" | "role-selected" | "feedback-updated" => {
                let (to, track) = (here()?, page.tracks.get_mut(&session));
                self.oracle.event(&session, &page.user, track, to, event)?;
            }
            "session-joined" => {
                let at = here()?;
                let joined = self.oracle.track(&session, at, &losses);
                if let Some(track) = page.tracks.get_mut(&session) {
                    if let Err(violation) = self.oracle.caught_up(&session, &page.user, track.at, at) {
                        if !self.oracle.may_break(&session, &page.user, track, gone) {
                            return Err(violation);
                        }
                        page.owed_resets.insert(session.clone());
                    }
                    track.at = at;
                } else {
                    self.oracle.caught_up(&session, &page.user, at, at)?;
                    page.tracks.insert(session.clone(), joined);
                }
            }
            "session-revoked" => {
                self.oracle
                    .revoked(&session, &page.user, page.tracks.remove(&session).as_ref(), gone)?;
            }
            "session-reset" => {
                let at = here()?;
                let had = page
                    .tracks
                    .get(&session)
                    .ok_or_else(|| format!("I4: a reset of {session} outside the room"))?;
                if !owed_reset {
                    let honest = self.oracle.may_break(&session, &page.user, had, gone);
                    honest.then_some(()).ok_or_else(|| {
                        format!("a reset of {session} at {:?}, where nothing was lost", had.at)
                    })?;
                }
                let json = event
                    .payload
                    .split_once(r#""session":"#)
                    .and_then(|(_, rest)| rest.rsplit_once(r#","position":"#));
                self.oracle
                    .snapshot(&session, at, json.ok_or("a reset without its session")?.0)?;
                let mut track = self.oracle.track(&session, at, &losses);
                track.began = had.began;
                page.tracks.insert(session.clone(), track);
            }
            "feedback-required" => {
                if !self.oracle.was_owed(&page.user, &session) {
                    return Err(format!("I3: {session} was never pending_feedback"));
                }
                page.reminded.insert(session.clone());
            }
            other => return Err(format!("there is no event {other}")),
        }
        for (session, at) in places {
            let track = self.oracle.track(&session, at, &self.pages[id.0].losses);
            self.pages[id.0].last.insert(session, track);
        }
        Ok(())
    }

    fn page_answered(&mut self, id: PageId, request: SocketRequestId, answer: SocketResponse) -> Checked {
        let page = &mut self.pages[id.0];
        let Some(question) = page.asks.remove(&request) else {
            return Err(format!("an answer to no question: {answer:?}"));
        };
        match answer {
            SocketResponse::Joined {
                session,
                position,
                recovered,
                snapshot,
                ..
            } => {
                let at = positions(&position)?
                    .get(&session)
                    .copied()
                    .ok_or("an answer without its position")?;
                let track = page.tracks.get(&session);
                let same = |track: &&Track| track.at.has_reached(at) && at.has_reached(track.at);
                let Some(track) = track.filter(same) else {
                    return Err(format!("joined {session} at {at:?}, while it is at {track:?}"));
                };
                match question.after {
                    // What came since it is in the room is looked at when it comes.
                    Some(after) if recovered && !question.was_in && !after.at.has_reached(track.began) => {
                        self.oracle
                            .caught_up(&session, &page.user, after.at, track.began)?;
                    }
                    Some(_) if recovered => {}
                    Some(after) => {
                        let gone = gone(&self.store, &session, after.at);
                        if !self.oracle.may_break(&session, &page.user, &after, gone) {
                            let at = after.at;
                            return Err(format!(
                                "{session} was not recovered from {at:?}, where nothing was lost"
                            ));
                        }
                    }
                    None => {}
                }
                if !recovered {
                    self.oracle.snapshot(&session, at, &snapshot)?;
                }
                let track = self.oracle.track(&session, at, &self.pages[id.0].losses);
                self.pages[id.0].last.insert(session, track);
            }
            SocketResponse::Left(session) => {
                page.tracks.remove(&session);
            }
            SocketResponse::Denied(session, JoinDenial::NotAParticipant | JoinDenial::SessionNotFound) => {
                self.oracle.was_absent(&session, &page.user, question.asked_at)?;
            }
            SocketResponse::Denied(..) => {}
        }
        Ok(())
    }

    /// At rest: the page is where it wants to be, and has everything.
    pub(crate) fn page_rests(&self, page: &Page) -> Checked {
        if !page.connected || !page.asks.is_empty() || !page.owed_resets.is_empty() {
            return Err(format!(
                "at rest, but connected: {}, {} questions are open",
                page.connected,
                page.asks.len()
            ));
        }
        for session in &page.wanted {
            let takes_part = self.oracle.is_present(session, &page.user);
            match page.tracks.get(session) {
                None if takes_part => return Err(format!("is not in {session}, where it takes part")),
                Some(_) if !takes_part => return Err(format!("I4: is in {session}, where it takes no part")),
                None | Some(_) => {}
            }
        }
        for (session, track) in &page.tracks {
            self.oracle.caught_up(
                session,
                &page.user,
                track.at,
                self.store.tail(&session.clone().into()),
            )?;
        }
        match self
            .store
            .pending_feedback(&page.user)
            .difference(&page.reminded)
            .next()
        {
            Some(session) => Err(format!("was not reminded of {session}")),
            None => Ok(()),
        }
    }
}
