//! The rooms of an edge against a model of everything around them: a session's log, a link that delivers in order
//! and may die, answers that come late and in any order.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a model may name what it does not model"
)]

use proptest::prelude::*;

use super::*;
use crate::{
    Cursor, Event, JsonObject, Offset, Role, Session,
    command::{SessionCommand, decide},
    position::{Epoch, Mark},
};

const USERS: usize = 3;
const SOCKETS: u64 = 4;

/// What a browser's page knows.
#[derive(Debug, Clone, Copy, Default)]
struct Page {
    user: usize,
    asked: usize,
    /// The position after which it has everything since, while it is in the room.
    joined: Option<Position>,
    /// The last position that it was given.
    last: Option<Position>,
    /// Its cursor is not decided yet.
    resuming: bool,
}

struct World {
    rooms: Rooms,
    now: Millis,
    session: Option<Session>,
    entries: Vec<Arc<Entry>>,
    /// The session as it was at each offset.
    history: Vec<Option<Session>>,
    /// What the link still has to deliver, and what it feeds.
    link: VecDeque<Input>,
    fed: BTreeSet<RoomId>,
    requests: VecDeque<Action>,
    under_way: Vec<Action>,
    pages: BTreeMap<SocketId, Page>,
    sent_requests: u64,
}

fn session_id() -> SessionId {
    "s".parse().unwrap()
}

fn room() -> RoomId {
    RoomId::Session(session_id())
}

fn user(n: usize) -> UserId {
    format!("u{n}").parse().unwrap()
}

fn at(offset: usize) -> Position {
    Position::new(Epoch::from_random(1), Offset(offset as u64))
}

impl World {
    fn new() -> Self {
        Self {
            rooms: Rooms::new(4),
            now: 0,
            session: None,
            entries: vec![],
            history: vec![None],
            link: VecDeque::new(),
            fed: BTreeSet::new(),
            requests: VecDeque::new(),
            under_way: vec![],
            pages: BTreeMap::new(),
            sent_requests: 0,
        }
    }

    fn command(&mut self, command: &SessionCommand) {
        let next = at(self.entries.len() + 1);
        let Ok(body) = decide(
            &session_id(),
            self.session.as_ref(),
            command,
            next.offset,
            0,
            1 << 20,
        ) else {
            return;
        };
        match (&mut self.session, &body) {
            (Some(session), body) => session.fold(next.offset, body),
            (none, Event::SessionUpdated { session, .. }) => *none = Some(Session::clone(session)),
            (None, _) => unreachable!("a session begins with an update"),
        }
        let entry = Arc::new(Entry::new(next.epoch, next.offset, 0, body));
        self.entries.push(entry.clone());
        self.history.push(self.session.clone());
        if self.fed.contains(&room()) {
            self.link.push_back(Input::Entries(room(), vec![entry]));
        }
    }

    fn publish(&mut self, listed: u8) {
        let everybody = (0..USERS)
            .filter(|n| listed & (1 << n) != 0)
            .map(|n| (user(n), Role::Observer));
        self.command(&SessionCommand::Publish {
            status: "s".into(),
            participants: (listed < 8).then(|| everybody.collect()),
            attributes: JsonObject::empty(),
            expected_revision: None,
        });
    }

    fn tell(&mut self, input: Input) {
        self.rooms.handle(input, self.now);
        self.run();
    }

    fn run(&mut self) {
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
                    let page = self.pages.get_mut(&socket).expect("a live socket");
                    page.resuming = false;
                    page.joined = page.last.filter(|_| outcome == ResumeOutcome::Continued);
                }
                Action::Close(_) => unreachable!("no response fails"),
                Action::Replay { socket, replay } => {
                    for (event, cursor) in replay {
                        self.delivered(socket, &event, &cursor);
                    }
                }
                Action::Respond { socket, response, .. } => self.answered(socket, &response),
                Action::Disconnect(_) => unreachable!("nobody is disconnected"),
                Action::UserRoomJoined(_) => {}
                Action::Interest { .. } | Action::EndInterest(_) => self.requests.push_back(action),
                action => self.under_way.push(action),
            }
        }
    }

    fn answered(&mut self, socket: SocketId, response: &SocketResponse) {
        let page = self.pages.get_mut(&socket).expect("a question of a live socket");
        page.asked -= 1;
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

    fn delivered(&mut self, socket: SocketId, event: &BrowserEvent, cursor: &str) {
        let cursor = cursor.parse::<Cursor>().unwrap().0.get(&session_id()).copied();
        let page = self.pages.get_mut(&socket).expect("a delivery to a live socket");
        let who = user(page.user);
        match event.name {
            "session-joined" => {
                // The page may have no answer yet; the answer then says the same position.
                let now = cursor.unwrap();
                let before = *page.joined.get_or_insert(now);
                page.last = Some(now);
                // A member that asked again is told where it stands: entries without an event have passed. Whoever
                // was out for a while sees nothing of that while.
                let passed = before.offset.0 as usize..now.offset.0 as usize;
                let was_out =
                    |state: &Option<Session>| state.as_ref().is_none_or(|it| it.participant(&who).is_none());
                if !self.history[passed.start..=passed.end].iter().any(was_out) {
                    for entry in &self.entries[passed] {
                        assert_eq!(
                            browser_event::session_event(&session_id(), &entry.event),
                            None,
                            "I1: a hole"
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
                        "I1: a hole"
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

    /// Does one of the things that are under way.
    fn response(&mut self, n: usize) {
        if self.under_way.is_empty() {
            return;
        }
        match self.under_way.remove(n % self.under_way.len()) {
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
                self.tell(Input::Authorized {
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
                self.tell(Input::ReadResult {
                    room,
                    after,
                    slice: Some(slice),
                });
            }
            other => unreachable!("{other:?} goes over the link"),
        }
    }

    /// The link takes the next thing that it is asked for.
    fn pump(&mut self) {
        if let Some(request) = self.requests.pop_front() {
            match request {
                Action::EndInterest(room) => drop(self.fed.remove(&room)),
                Action::Interest { room, after } => {
                    self.fed.insert(room.clone());
                    self.begin(room, after);
                }
                other => unreachable!("{other:?}"),
            }
        }
    }

    fn receive(&mut self) {
        if let Some(input) = self.link.pop_front() {
            self.tell(input);
        }
    }

    fn begin(&mut self, room: RoomId, after: Option<Position>) {
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

    fn attach(&mut self) {
        self.link.clear();
        self.fed.clear();
        self.requests.clear();
        self.tell(Input::Attached);
    }

    fn settle(&mut self) {
        for _ in 0..2_000 {
            self.pump();
            self.receive();
            self.response(0);
        }
        assert!(self.under_way.is_empty() && self.link.is_empty(), "a busy loop");
        self.now += 2 * crate::limits::JOIN_TIMEOUT;
        self.rooms.handle_deadline(self.now);
        self.run();
    }
}

proptest! {
    /// Whatever is late or dies: each page in the room has every event once, in order, from where it joined, and
    /// none past a removal; every question is answered.
    #[test]
    fn every_page_has_everything_once_and_in_order(
        steps in proptest::collection::vec((0u8..13, 0..SOCKETS, 0u8..16), 1..120)
    ) {
        let mut world = World::new();
        world.publish(7);
        for (kind, socket, n) in steps {
            let socket = SocketId(socket);
            let page = world.pages.get(&socket).copied();
            match kind {
                0 => world.publish(n % 12),
                1 => world.command(&SessionCommand::SelectRole { user: user(usize::from(n) % USERS), role: Role::Observer }),
                2 => world.command(&SessionCommand::RemoveParticipant { user: user(usize::from(n) % USERS) }),
                3 if page.is_none() => {
                    let page = Page { user: usize::from(n) % USERS, ..Page::default() };
                    world.pages.insert(socket, page);
                    world.tell(Input::Connected { socket, user: user(page.user) });
                }
                // A page that comes back brings along what it has.
                4 => if let Some(page) = world.pages.remove(&socket) {
                    world.tell(Input::Disconnected(socket));
                    if n < 12 {
                        world.pages.insert(socket, Page { asked: 0, joined: None, resuming: false, ..page });
                        world.tell(Input::Connected { socket, user: user(page.user) });
                    }
                    // A stock client hands its cursor back, and asks nothing before it is decided.
                    if let (0..8, Some(_), Some(last)) = (n, page.joined, page.last) {
                        world.pages.get_mut(&socket).unwrap().resuming = true;
                        world.sent_requests += 1;
                        let (positions, request) = ([(session_id(), last)].into(), SocketRequestId(world.sent_requests));
                        world.tell(Input::Resume { socket, positions, request });
                    }
                },
                5 | 6 => if let Some(page) = world.pages.get_mut(&socket).filter(|page| !page.resuming) {
                    page.asked += 1;
                    let after = page.last.filter(|_| n % 2 == 0);
                    world.sent_requests += 1;
                    let request = SocketRequestId(world.sent_requests);
                    world.tell(Input::Join { socket, session: session_id(), after, request });
                },
                7 => if let Some(page) = world.pages.get_mut(&socket).filter(|page| !page.resuming) {
                    page.asked += 1;
                    world.sent_requests += 1;
                    let request = SocketRequestId(world.sent_requests);
                    world.tell(Input::Leave { socket, session: session_id(), request });
                },
                8 if n == 0 => world.attach(),
                9 => world.pump(),
                10 => world.receive(),
                _ => world.response(usize::from(n)),
            }
        }
        world.settle();
        for page in world.pages.values() {
            prop_assert_eq!(page.asked, 0, "unanswered");
            if let Some(joined) = page.joined {
                for entry in &world.entries[joined.offset.0 as usize..] {
                    prop_assert_eq!(browser_event::session_event(&session_id(), &entry.event), None, "I1: not delivered");
                }
                prop_assert!(world.session.as_ref().unwrap().participant(&user(page.user)).is_some(), "I4");
            }
        }
        for socket in world.pages.keys().copied().collect::<Vec<_>>() {
            world.tell(Input::Disconnected(socket));
        }
        prop_assert_eq!(world.rooms.rooms(), 0, "a room that nobody is in");
    }
}

#[test]
fn a_removal_that_the_room_has_passed_denies_a_join_on_its_way() {
    let mut world = World::new();
    world.publish(7);
    for (socket, who) in [(SocketId(0), 0), (SocketId(1), 1)] {
        world.pages.insert(
            socket,
            Page {
                user: who,
                asked: 1,
                ..Page::default()
            },
        );
        world.tell(Input::Connected {
            socket,
            user: user(who),
        });
        world.tell(Input::Join {
            socket,
            session: session_id(),
            after: None,
            request: SocketRequestId(1),
        });
    }
    world.settle();
    assert!(world.pages[&SocketId(1)].joined.is_some());
    world.pages.get_mut(&SocketId(1)).unwrap().asked = 2;
    world.tell(Input::Leave {
        socket: SocketId(1),
        session: session_id(),
        request: SocketRequestId(2),
    });
    world.tell(Input::Join {
        socket: SocketId(1),
        session: session_id(),
        after: None,
        request: SocketRequestId(3),
    });
    // The yes is given before the removal and arrives after it.
    let yes = at(world.entries.len());
    world.under_way.clear();
    world.command(&SessionCommand::RemoveParticipant { user: user(1) });
    world.receive();
    world.tell(Input::Authorized {
        socket: SocketId(1),
        session: session_id(),
        request: SocketRequestId(3),
        result: Ok(yes),
    });
    assert_eq!(world.pages[&SocketId(1)].joined, None);
}
