//! A model of everything around the rooms: one session's log, a link that delivers in order and may fail, and results
//! that arrive late and in any order.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use crate::{
    Cursor, Entry, Event, JsonObject, LogSlice, Millis, Offset, Position, Role, RoomId, RoomState, Session,
    SessionId, Snapshot, UserId,
    browser_event::{self, BrowserEvent},
    command::{SessionCommand, decide},
    position::{Epoch, Mark},
    rooms::{Action, Input, JoinDenial, ResumeOutcome, Rooms, SocketId, SocketRequestId, SocketResponse},
};

pub(super) const USERS: usize = 3;
pub(super) const SOCKETS: u64 = 4;

/// The state of a browser's page.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Page {
    pub(super) user: usize,
    /// The requests without a response.
    pub(super) unanswered: usize,
    /// The position up to which the page has every event, while it is in the room.
    pub(super) joined: Option<Position>,
    /// The last position that the page received.
    pub(super) last: Option<Position>,
    /// Whether the outcome of the page's resume is still unknown.
    pub(super) resuming: bool,
}

pub(super) struct World {
    pub(super) rooms: Rooms,
    pub(super) now: Millis,
    pub(super) session: Option<Session>,
    pub(super) entries: Vec<Arc<Entry>>,
    /// The session's state after each offset.
    pub(super) history: Vec<Option<Session>>,
    /// What the link has not delivered yet.
    pub(super) link: VecDeque<Input>,
    /// The rooms whose feed was requested from the link.
    pub(super) interests: BTreeSet<RoomId>,
    /// The actions that the link has not handled yet.
    pub(super) link_requests: VecDeque<Action>,
    pub(super) pending: Vec<Action>,
    pub(super) pages: BTreeMap<SocketId, Page>,
    pub(super) sent_requests: u64,
}

pub(super) fn session_id() -> SessionId {
    "s".parse().unwrap()
}

pub(super) fn room() -> RoomId {
    RoomId::Session(session_id())
}

pub(super) fn user(n: usize) -> UserId {
    format!("u{n}").parse().unwrap()
}

pub(super) fn at(offset: usize) -> Position {
    Position::new(Epoch::from_random(1), Offset(offset as u64))
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            rooms: Rooms::new(4),
            now: 0,
            session: None,
            entries: vec![],
            history: vec![None],
            link: VecDeque::new(),
            interests: BTreeSet::new(),
            link_requests: VecDeque::new(),
            pending: vec![],
            pages: BTreeMap::new(),
            sent_requests: 0,
        }
    }

    pub(super) fn command(&mut self, command: &SessionCommand) {
        let next = at(self.entries.len() + 1);
        let Ok(event) = decide(
            &session_id(),
            self.session.as_ref(),
            command,
            next.offset,
            0,
            1 << 20,
        ) else {
            return;
        };
        match (&mut self.session, &event) {
            (Some(session), event) => session.fold(next.offset, event),
            (none, Event::SessionUpdated { session, .. }) => *none = Some(Session::clone(session)),
            (None, _) => unreachable!("a session begins with an update"),
        }
        let entry = Arc::new(Entry::new(next.epoch, next.offset, 0, event));
        self.entries.push(entry.clone());
        self.history.push(self.session.clone());
        if self.interests.contains(&room()) {
            self.link.push_back(Input::Entries(room(), vec![entry]));
        }
    }

    pub(super) fn publish(&mut self, listed: u8) {
        let participants = (0..USERS)
            .filter(|n| listed & (1 << n) != 0)
            .map(|n| (user(n), Role::Observer));
        self.command(&SessionCommand::Publish {
            status: "s".into(),
            participants: (listed < 8).then(|| participants.collect()),
            attributes: JsonObject::empty(),
            expected_revision: None,
        });
    }

    /// Numbers a request of a connected page.
    pub(super) fn request(&mut self, socket: SocketId) -> SocketRequestId {
        self.sent_requests += 1;
        self.pages
            .get_mut(&socket)
            .expect("a connected socket")
            .unanswered += 1;
        SocketRequestId(self.sent_requests)
    }

    pub(super) fn input(&mut self, input: Input) {
        self.rooms.handle(input, self.now);
        self.run();
    }

    pub(super) fn run(&mut self) {
        while let Some(action) = self.rooms.next_action() {
            match action {
                Action::Deliver {
                    sockets,
                    event,
                    cursor,
                } => {
                    for socket in sockets {
                        self.delivered(socket, &event, &cursor);
                    }
                }
                Action::Resumed { socket, outcome } => {
                    let page = self.pages.get_mut(&socket).expect("a connected socket");
                    page.resuming = false;
                    page.joined = page.last.filter(|_| outcome == ResumeOutcome::Continued);
                }
                Action::Close(_) => unreachable!("no call fails in this model"),
                Action::Replay { socket, replay } => {
                    for (event, cursor) in replay {
                        self.delivered(socket, &event, &cursor);
                    }
                }
                Action::Respond { socket, response, .. } => self.responded(socket, &response),
                Action::Disconnect(_) => unreachable!("no user is disconnected in this model"),
                Action::UserRoomJoined(_) => {}
                Action::Interest { .. } | Action::EndInterest(_) => self.link_requests.push_back(action),
                action => self.pending.push(action),
            }
        }
    }

    pub(super) fn responded(&mut self, socket: SocketId, response: &SocketResponse) {
        let page = self
            .pages
            .get_mut(&socket)
            .expect("a request of a connected socket");
        page.unanswered -= 1;
        if let SocketResponse::Joined {
            position, recovered, ..
        } = response
        {
            let position = position.parse::<Cursor>().unwrap().0[&session_id()];
            assert!(!*recovered || page.last.is_some(), "recovered from nothing");
            assert!(page.joined.is_some(), "session-joined comes first");
            assert!(
                position.has_reached(page.joined.unwrap()),
                "the response's position"
            );
        }
        if let SocketResponse::Left(_) = response {
            page.joined = None;
        }
    }

    pub(super) fn delivered(&mut self, socket: SocketId, event: &BrowserEvent, cursor: &str) {
        let cursor = cursor.parse::<Cursor>().unwrap().0.get(&session_id()).copied();
        let page = self
            .pages
            .get_mut(&socket)
            .expect("a delivery to a connected socket");
        let who = user(page.user);
        match event.name {
            "session-joined" => {
                // It precedes the response, which has the same position.
                let now = cursor.unwrap();
                let before = *page.joined.get_or_insert(now);
                page.last = Some(now);
                // A member that joins again gets its current position. The entries between its last position and
                // this one must have no event, unless the user was removed in between.
                let passed = before.offset.0 as usize..now.offset.0 as usize;
                let was_removed =
                    |state: &Option<Session>| state.as_ref().is_none_or(|it| it.participant(&who).is_none());
                if !self.history[passed.start..=passed.end].iter().any(was_removed) {
                    for entry in &self.entries[passed] {
                        assert_eq!(
                            browser_event::session_event(&session_id(), &entry.event),
                            None,
                            "I1: a gap"
                        );
                    }
                }
                page.joined = Some(now);
            }
            "session-revoked" => page.joined = None,
            "session-reset" => panic!("nothing was lost"),
            _ => {
                let before = page.joined.expect("I4: a delivery outside the room");
                let position = cursor.unwrap();
                for entry in &self.entries[before.offset.0 as usize..position.offset.0 as usize - 1] {
                    assert_eq!(
                        browser_event::session_event(&session_id(), &entry.event),
                        None,
                        "I1: a gap"
                    );
                }
                assert!(position.offset > before.offset, "I1: repeated");
                let entry = &self.entries[position.offset.0 as usize - 1];
                assert_eq!(
                    browser_event::session_event(&session_id(), &entry.event).as_ref(),
                    Some(event),
                    "I3"
                );
                let state = self.history[position.offset.0 as usize].as_ref().unwrap();
                assert!(state.participant(&who).is_some(), "I4: a delivery past a removal");
                page.joined = Some(position);
                page.last = Some(position);
            }
        }
    }

    /// Completes one pending action.
    pub(super) fn complete(&mut self, n: usize) {
        if self.pending.is_empty() {
            return;
        }
        match self.pending.remove(n % self.pending.len()) {
            Action::Authorize {
                socket,
                session,
                user,
                request,
            } => {
                let response = match &self.session {
                    None => Err(JoinDenial::SessionNotFound),
                    Some(session) if session.participant(&user).is_some() => Ok(at(self.entries.len())),
                    Some(_) => Err(JoinDenial::NotAParticipant),
                };
                self.input(Input::Authorized {
                    socket,
                    session,
                    request,
                    result: response,
                });
            }
            Action::Read { room, after } => {
                let after_offset = after.offset.0 as usize;
                let entries = self.entries[after_offset.min(self.entries.len())..]
                    .iter()
                    .take(2)
                    .cloned()
                    .collect();
                let tail = at(self.entries.len());
                let slice = LogSlice {
                    epoch: tail.epoch,
                    first: Offset(1),
                    tail: tail.offset,
                    after: after.offset,
                    after_mark: Mark::UNKNOWN,
                    entries,
                };
                self.input(Input::ReadResult {
                    room,
                    after,
                    slice: Some(slice),
                });
            }
            other => unreachable!("{other:?} is an action for the link"),
        }
    }

    /// Makes the link handle its next action.
    pub(super) fn handle_link_request(&mut self) {
        if let Some(request) = self.link_requests.pop_front() {
            match request {
                Action::EndInterest(room) => drop(self.interests.remove(&room)),
                Action::Interest { room, after } => {
                    self.interests.insert(room.clone());
                    self.start_feed(room, after);
                }
                other => unreachable!("{other:?}"),
            }
        }
    }

    pub(super) fn receive(&mut self) {
        if let Some(input) = self.link.pop_front() {
            self.input(input);
        }
    }

    pub(super) fn start_feed(&mut self, room: RoomId, after: Option<Position>) {
        let tail = at(self.entries.len());
        match (&room, &self.session) {
            (RoomId::User(_), _) => {
                let state = RoomState::User {
                    pending_feedback: BTreeSet::new(),
                };
                self.link.push_back(Input::Snapshot(
                    room,
                    Snapshot {
                        position: Position::NONE,
                        state,
                    },
                ));
            }
            (RoomId::Session(_), None) => self.link.push_back(Input::SessionNotFound(room)),
            (RoomId::Session(_), Some(session)) => match after {
                None => {
                    let state = RoomState::Session(session.clone().into());
                    self.link.push_back(Input::Snapshot(
                        room,
                        Snapshot {
                            position: tail,
                            state,
                        },
                    ));
                }
                Some(after) => {
                    let entries = self.entries[after.offset.0 as usize..].to_vec();
                    self.link.push_back(Input::Entries(room, entries));
                }
            },
        }
    }

    pub(super) fn attach(&mut self) {
        self.link.clear();
        self.interests.clear();
        self.link_requests.clear();
        self.input(Input::Attached);
    }

    pub(super) fn settle(&mut self) {
        for _ in 0..2_000 {
            self.handle_link_request();
            self.receive();
            self.complete(0);
        }
        assert!(self.pending.is_empty() && self.link.is_empty(), "a busy loop");
        self.now += 2 * crate::limits::JOIN_TIMEOUT;
        self.rooms.handle_deadline(self.now);
        self.run();
    }
}
