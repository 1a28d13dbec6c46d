//! Random commands against a model: what the core decides and folds, kept in plain maps.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*, test_runner::TestRunner};
use roomcast_core::{Mark, Position, command::decide};

use super::*;

const SESSIONS: [&str; 2] = ["s1", "s2"];
const USERS: [&str; 4] = ["alice", "bob", "carol", "dave"];
const ROLES: [Role; 3] = [Role::Interviewer, Role::Interviewee, Role::Observer];
/// Small enough that some payloads are too large.
const CAP: usize = 330;

#[derive(Debug, Clone)]
enum Act {
    Execute(SessionCommand),
    Require(Vec<UserId>),
    Disconnect(UserId),
}

/// An act on a session with a request id, both by index; or an earlier call once more.
#[derive(Debug, Clone)]
enum Call {
    New {
        session: usize,
        request: Option<usize>,
        act: Act,
    },
    Again(prop::sample::Index),
}

/// What is compared of an answer: offsets, but no epochs and times.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Done {
        offset: Offset,
        revision: u64,
        duplicate: bool,
    },
    Required {
        users: Vec<(UserId, Offset)>,
        duplicate: bool,
    },
    Disconnected(Offset),
    Rejected(CommandDenial),
}

fn some_user() -> impl Strategy<Value = UserId> {
    prop::sample::select(&USERS[..]).prop_map(user)
}

fn some_role() -> impl Strategy<Value = Role> {
    prop::sample::select(&ROLES[..])
}

/// Lists as callers promise them: each user once, each single seat at most once.
fn some_list() -> impl Strategy<Value = Vec<(UserId, Role)>> {
    vec((some_user(), some_role()), 0..5).prop_map(|list| {
        let (mut users, mut seats) = (BTreeSet::new(), BTreeSet::new());
        let mut fits = |user: &UserId, role: Role| {
            (!role.is_exclusive() || seats.insert(role)) && users.insert(user.clone())
        };
        list.into_iter()
            .filter(|(user, role)| fits(user, *role))
            .collect()
    })
}

fn some_act() -> impl Strategy<Value = Act> {
    let text = prop_oneof!["[a-c\"\u{1}é]{0,3}", "x{120,130}"];
    let object = || {
        "[a-z\"\n]{0,40}"
            .prop_map(|text| JsonObject::from(serde_json::Map::from_iter([("k".to_owned(), text.into())])))
    };
    let publish = (
        text,
        option::of(some_list()),
        object(),
        option::weighted(0.3, 0..5_u64),
    )
        .prop_map(
            |(status, participants, attributes, expected_revision)| SessionCommand::Publish {
                status: status.into(),
                participants,
                attributes,
                expected_revision,
            },
        );
    let select =
        (some_user(), some_role()).prop_map(|(user, role)| SessionCommand::SelectRole { user, role });
    let update = (
        option::of(some_user()),
        object(),
        option::of(object()),
        any::<u32>(),
    )
        .prop_map(
            |(author, updates, new_feedback, timestamp)| SessionCommand::UpdateFeedback {
                feedback: "f1".parse().unwrap(),
                author,
                updates,
                new_feedback,
                timestamp: Some(timestamp.into()),
            },
        );
    let remove = some_user().prop_map(|user| SessionCommand::RemoveParticipant { user });
    prop_oneof![
        3 => publish.prop_map(Act::Execute),
        4 => select.prop_map(Act::Execute),
        3 => update.prop_map(Act::Execute),
        2 => remove.prop_map(Act::Execute),
        3 => vec(some_user(), 0..4).prop_map(Act::Require),
        1 => some_user().prop_map(Act::Disconnect),
    ]
}

fn some_call() -> impl Strategy<Value = Call> {
    let new = (0..SESSIONS.len(), option::weighted(0.4, 0..30_usize), some_act());
    prop_oneof![
        6 => new.prop_map(|(session, request, act)| Call::New { session, request, act }),
        1 => any::<prop::sample::Index>().prop_map(Call::Again),
    ]
}

/// The calls with every `Again` made out, each with its request key.
fn made_out(calls: Vec<Call>) -> Vec<(SessionId, Option<RequestKey>, Act)> {
    let mut all: Vec<(SessionId, Option<RequestKey>, Act)> = Vec::new();
    for call in calls {
        match call {
            Call::New {
                session: at,
                request: id,
                act,
            } => {
                use sha2::{Digest as _, Sha256};
                let fingerprint = Sha256::digest(format!("{act:?}")).into();
                let key = |id| RequestKey {
                    id: RequestId::try_from(format!("r{id}")).unwrap(),
                    fingerprint,
                };
                all.push((session(SESSIONS[at]), id.map(key), act));
            }
            Call::Again(_) if all.is_empty() => {}
            Call::Again(index) => all.push(all[index.index(all.len())].clone()),
        }
    }
    all
}

#[derive(Default)]
struct Model {
    sessions: BTreeMap<SessionId, Session>,
    open: BTreeMap<SessionId, BTreeSet<UserId>>,
    pending_feedback: BTreeMap<UserId, BTreeSet<SessionId>>,
    logs: BTreeMap<RoomId, Vec<Event>>,
    known: BTreeMap<(SessionId, RequestId), ([u8; 32], Answer)>,
}

impl Model {
    fn append(&mut self, room: impl Into<RoomId>, body: Event) -> Offset {
        let log = self.logs.entry(room.into()).or_default();
        log.push(body);
        Offset(log.len() as u64)
    }

    fn call(&mut self, id: &SessionId, key: Option<&RequestKey>, act: &Act) -> Answer {
        let key = key.filter(|_| !matches!(act, Act::Disconnect(_)));
        if let Some(key) = key
            && let Some((fingerprint, answer)) = self.known.get(&(id.clone(), key.id.clone()))
        {
            return match answer {
                _ if *fingerprint != key.fingerprint => Answer::Rejected(CommandDenial::RequestIdReused),
                Answer::Done { offset, revision, .. } => Answer::Done {
                    offset: *offset,
                    revision: *revision,
                    duplicate: true,
                },
                Answer::Required { users, .. } => Answer::Required {
                    users: users.clone(),
                    duplicate: true,
                },
                Answer::Disconnected(_) | Answer::Rejected(_) => panic!("{answer:?} was remembered"),
            };
        }
        let answer = self.act(id, act).unwrap_or_else(Answer::Rejected);
        let remembered = match &answer {
            Answer::Done { offset, revision, .. } => Answer::Done {
                offset: *offset,
                revision: *revision,
                duplicate: false,
            },
            Answer::Required { users, .. } => Answer::Required {
                users: users.clone(),
                duplicate: false,
            },
            Answer::Disconnected(_) | Answer::Rejected(_) => return answer,
        };
        if let Some(key) = key {
            self.known
                .insert((id.clone(), key.id.clone()), (key.fingerprint, remembered));
        }
        answer
    }

    fn act(&mut self, id: &SessionId, act: &Act) -> Result<Answer, CommandDenial> {
        match act {
            Act::Execute(command) => {
                let log = self.logs.get(&id.clone().into()).map_or(0, Vec::len);
                let at = Offset(log as u64 + 1);
                let body = decide(id, self.sessions.get(id), command, at, 0, CAP)?;
                if let SessionCommand::UpdateFeedback {
                    author: Some(author), ..
                } = command
                {
                    self.open.entry(id.clone()).or_default().remove(author);
                    if self
                        .pending_feedback
                        .entry(author.clone())
                        .or_default()
                        .remove(id)
                    {
                        self.append(author.clone(), Event::FeedbackSettled { session: id.clone() });
                    }
                }
                match (self.sessions.get_mut(id), &body) {
                    (Some(session), _) => session.fold(at, &body),
                    (None, Event::SessionUpdated { session, .. }) => {
                        self.sessions.insert(id.clone(), Session::clone(session));
                    }
                    (None, other) => panic!("{other:?} made a session"),
                }
                let revision = self.sessions[id].revision;
                Ok(Answer::Done {
                    offset: self.append(id.clone(), body),
                    revision,
                    duplicate: false,
                })
            }
            Act::Require(users) => {
                let session = self.sessions.get(id).ok_or(CommandDenial::SessionNotFound)?;
                let users = match users.as_slice() {
                    [] => session.participants.iter().map(|p| p.user.clone()).collect(),
                    users => crate::distinct(users),
                };
                let mut appended = Vec::new();
                for user in users {
                    self.open.entry(id.clone()).or_default().insert(user.clone());
                    self.pending_feedback
                        .entry(user.clone())
                        .or_default()
                        .insert(id.clone());
                    let offset = self.append(user.clone(), Event::FeedbackRequired { session: id.clone() });
                    appended.push((user, offset));
                }
                Ok(Answer::Required {
                    users: appended,
                    duplicate: false,
                })
            }
            Act::Disconnect(user) => {
                let body = Event::UserDisconnected {
                    reason: id.to_string(),
                };
                Ok(Answer::Disconnected(self.append(user.clone(), body)))
            }
        }
    }
}

async fn call(store: &dyn Store, id: &SessionId, key: Option<&RequestKey>, act: &Act) -> Answer {
    let answer = match act {
        Act::Execute(command) => store.execute(id, command, key).await.map(|done| Answer::Done {
            offset: done.appended.position.offset,
            revision: done.revision,
            duplicate: done.duplicate,
        }),
        Act::Require(users) => store
            .require_feedback(id, users, key)
            .await
            .map(|done| Answer::Required {
                users: done
                    .users
                    .into_iter()
                    .map(|(user, appended)| (user, appended.position.offset))
                    .collect(),
                duplicate: done.duplicate,
            }),
        Act::Disconnect(user) => {
            let done = store.disconnect_user(user, id.as_str()).await;
            done.map(|appended| Answer::Disconnected(appended.position.offset))
        }
    };
    match answer {
        Ok(answer) => answer,
        Err(StoreError::Denied(denial)) => Answer::Rejected(denial),
        Err(error) => panic!("{error}"),
    }
}

/// Does the calls in the store and in the model, and compares answers and then everything that can be seen.
async fn compare(store: &dyn Store, calls: Vec<Call>) {
    let mut model = Model::default();
    for (id, key, act) in made_out(calls) {
        let expected = model.call(&id, key.as_ref(), &act);
        assert_eq!(
            call(store, &id, key.as_ref(), &act).await,
            expected,
            "{id} {act:?}"
        );
    }
    let sessions = SESSIONS.map(session);
    let users = USERS.map(user);
    for id in &sessions {
        let view = store.session(id).await.unwrap();
        let expected = model
            .sessions
            .get(id)
            .map(|session| (session, model.open.get(id)));
        let found = view.as_ref().map(|view| {
            (
                &view.session,
                Some(&view.pending_feedback).filter(|s| !s.is_empty()),
            )
        });
        assert_eq!(
            found,
            expected.map(|(session, open)| (session, open.filter(|open| !open.is_empty())))
        );
    }
    for name in sessions
        .map(RoomId::from)
        .into_iter()
        .chain(users.map(RoomId::from))
    {
        let log = store.read(&name, Offset::ZERO, usize::MAX).await.unwrap();
        let bodies: Vec<Event> = log.entries.iter().map(|entry| entry.event.clone()).collect();
        assert_eq!(&bodies, model.logs.get(&name).unwrap_or(&Vec::new()), "{name}");
        let mark = log
            .entries
            .last()
            .map_or(Mark::UNKNOWN, |entry| entry.position.mark);
        let tail = Position::new(log.epoch, log.tail).marked(mark);
        assert_eq!(store.tails(std::slice::from_ref(&name)).await.unwrap(), [tail]);
        let state = match &name {
            RoomId::Session(id) => {
                let session = model.sessions.get(id).cloned();
                session.map(|session| RoomState::Session(session.into()))
            }
            RoomId::User(id) => Some(RoomState::User {
                pending_feedback: model.pending_feedback.get(id).cloned().unwrap_or_default(),
            }),
        };
        let expected = state.map(|state| Snapshot {
            position: tail,
            state,
        });
        assert_eq!(store.snapshot(&name).await.unwrap(), expected);
    }
}

fn bounds() -> StoreLimits {
    StoreLimits {
        max_payload: CAP,
        ..StoreLimits::default()
    }
}

/// Runs cases on a runtime of their own, since proptest's are not async.
fn check<S: Store>(cases: u32, mut make: impl FnMut(&tokio::runtime::Runtime) -> S) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let make = std::cell::RefCell::new(&mut make);
    let result = TestRunner::new(config).run(&vec(some_call(), 0..60), |calls| {
        let store = make.borrow_mut()(&runtime);
        let compared = std::panic::AssertUnwindSafe(compare(&store, calls));
        let compared = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(compared)));
        compared.map_err(|_| TestCaseError::fail("the store is not as the model, see above"))
    });
    result.unwrap();
}

#[test]
fn any_calls_leave_memory_as_the_model_says() {
    check(300, |_| MemoryStore::new(bounds(), || 7, || 1_700_000_000_000));
}

#[test]
fn any_calls_leave_redis_as_the_model_says() {
    let server = Server::start();
    let mut prefixes = (0..).map(|n| format!("case{n}"));
    check(60, |runtime| {
        runtime.block_on(connect(&server.url(), &prefixes.next().unwrap(), bounds()))
    });
}
