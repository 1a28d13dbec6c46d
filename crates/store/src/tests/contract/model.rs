//! Random calls to a store and to a model, which must return the same responses. The model keeps plain maps and uses the
//! rules of the core.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use roomcast_core::{
    CommandDenial, Event, Mark, Offset, Position, RoomState, Session, Snapshot, command::decide,
};

use super::{
    calls::{Action, Call, SESSIONS, USERS, resolved, some_call},
    *,
};
use crate::{
    MemoryStore, Store, StoreError, StoreLimits,
    feedback::distinct,
    tests::support::{connect, server::Server},
};

/// Small enough that some payloads are too large.
const PAYLOAD_LIMIT: usize = 330;

/// The part of a response that is compared: offsets, but no epochs and times.
#[derive(Debug, PartialEq, Eq)]
enum Response {
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
    Denied(CommandDenial),
}

#[derive(Default)]
struct Model {
    sessions: BTreeMap<SessionId, Session>,
    users_with_pending_feedback: BTreeMap<SessionId, BTreeSet<UserId>>,
    sessions_with_pending_feedback: BTreeMap<UserId, BTreeSet<SessionId>>,
    logs: BTreeMap<RoomId, Vec<Event>>,
    responses: BTreeMap<(SessionId, RequestId), ([u8; 32], Response)>,
}

impl Model {
    fn append(&mut self, room: impl Into<RoomId>, event: Event) -> Offset {
        let log = self.logs.entry(room.into()).or_default();
        log.push(event);
        Offset(log.len() as u64)
    }

    fn call(&mut self, id: &SessionId, key: Option<&RequestKey>, action: &Action) -> Response {
        let key = key.filter(|_| !matches!(action, Action::Disconnect(_)));
        if let Some(key) = key
            && let Some((fingerprint, response)) = self.responses.get(&(id.clone(), key.id.clone()))
        {
            return match response {
                _ if *fingerprint != key.fingerprint => Response::Denied(CommandDenial::RequestIdReused),
                Response::Done { offset, revision, .. } => Response::Done {
                    offset: *offset,
                    revision: *revision,
                    duplicate: true,
                },
                Response::Required { users, .. } => Response::Required {
                    users: users.clone(),
                    duplicate: true,
                },
                Response::Disconnected(_) | Response::Denied(_) => panic!("{response:?} was stored"),
            };
        }
        let response = self.action(id, action).unwrap_or_else(Response::Denied);
        let stored = match &response {
            Response::Done { offset, revision, .. } => Response::Done {
                offset: *offset,
                revision: *revision,
                duplicate: false,
            },
            Response::Required { users, .. } => Response::Required {
                users: users.clone(),
                duplicate: false,
            },
            Response::Disconnected(_) | Response::Denied(_) => return response,
        };
        if let Some(key) = key {
            self.responses
                .insert((id.clone(), key.id.clone()), (key.fingerprint, stored));
        }
        response
    }

    fn action(&mut self, id: &SessionId, action: &Action) -> Result<Response, CommandDenial> {
        match action {
            Action::Execute(command) => self.execute(id, command),
            Action::Require(users) => self.require_feedback(id, users),
            Action::Disconnect(user) => {
                let event = Event::UserDisconnected {
                    reason: id.to_string(),
                };
                Ok(Response::Disconnected(self.append(user.clone(), event)))
            }
        }
    }

    fn execute(&mut self, id: &SessionId, command: &SessionCommand) -> Result<Response, CommandDenial> {
        let log = self.logs.get(&id.clone().into()).map_or(0, Vec::len);
        let at = Offset(log as u64 + 1);
        let event = decide(id, self.sessions.get(id), command, at, 0, PAYLOAD_LIMIT)?;
        if let SessionCommand::UpdateFeedback {
            author: Some(author), ..
        } = command
        {
            let users = self.users_with_pending_feedback.entry(id.clone()).or_default();
            users.remove(author);
            let sessions = self.sessions_with_pending_feedback.entry(author.clone());
            if sessions.or_default().remove(id) {
                self.append(author.clone(), Event::FeedbackSettled { session: id.clone() });
            }
        }
        match (self.sessions.get_mut(id), &event) {
            (Some(session), _) => session.fold(at, &event),
            (None, Event::SessionUpdated { session, .. }) => {
                self.sessions.insert(id.clone(), Session::clone(session));
            }
            (None, other) => panic!("{other:?} created a session"),
        }
        let revision = self.sessions[id].revision;
        Ok(Response::Done {
            offset: self.append(id.clone(), event),
            revision,
            duplicate: false,
        })
    }

    fn require_feedback(&mut self, id: &SessionId, users: &[UserId]) -> Result<Response, CommandDenial> {
        let session = self.sessions.get(id).ok_or(CommandDenial::SessionNotFound)?;
        let users = match users {
            [] => session.participants.iter().map(|p| p.user.clone()).collect(),
            users => distinct(users),
        };
        let mut appended = Vec::new();
        for user in users {
            let users = self.users_with_pending_feedback.entry(id.clone()).or_default();
            users.insert(user.clone());
            let sessions = self.sessions_with_pending_feedback.entry(user.clone());
            sessions.or_default().insert(id.clone());
            let offset = self.append(user.clone(), Event::FeedbackRequired { session: id.clone() });
            appended.push((user, offset));
        }
        Ok(Response::Required {
            users: appended,
            duplicate: false,
        })
    }
}

async fn call(store: &dyn Store, id: &SessionId, key: Option<&RequestKey>, action: &Action) -> Response {
    let response = match action {
        Action::Execute(command) => store.execute(id, command, key).await.map(|done| Response::Done {
            offset: done.appended.position.offset,
            revision: done.revision,
            duplicate: done.duplicate,
        }),
        Action::Require(users) => {
            store
                .require_feedback(id, users, key)
                .await
                .map(|done| Response::Required {
                    users: done
                        .users
                        .into_iter()
                        .map(|(user, appended)| (user, appended.position.offset))
                        .collect(),
                    duplicate: done.duplicate,
                })
        }
        Action::Disconnect(user) => {
            let done = store.disconnect_user(user, id.as_str()).await;
            done.map(|appended| Response::Disconnected(appended.position.offset))
        }
    };
    match response {
        Ok(response) => response,
        Err(StoreError::Denied(denial)) => Response::Denied(denial),
        Err(error) => panic!("{error}"),
    }
}

/// Makes the calls to the store and to the model, and compares the responses and then all visible state.
async fn compare(store: &dyn Store, calls: Vec<Call>) {
    let mut model = Model::default();
    for (id, key, action) in resolved(calls) {
        let expected = model.call(&id, key.as_ref(), &action);
        assert_eq!(
            call(store, &id, key.as_ref(), &action).await,
            expected,
            "{id} {action:?}"
        );
    }
    for id in SESSIONS.map(session) {
        compare_session(store, &model, &id).await;
        compare_room(store, &model, &id.into()).await;
    }
    for id in USERS.map(user) {
        compare_room(store, &model, &id.into()).await;
    }
}

async fn compare_session(store: &dyn Store, model: &Model, id: &SessionId) {
    let view = store.session(id).await.unwrap();
    let pending = model
        .users_with_pending_feedback
        .get(id)
        .cloned()
        .unwrap_or_default();
    assert_eq!(
        view.map(|view| (view.session, view.pending_feedback)),
        model.sessions.get(id).map(|session| (session.clone(), pending))
    );
}

async fn compare_room(store: &dyn Store, model: &Model, room: &RoomId) {
    let log = store.read(room, Offset::ZERO, usize::MAX).await.unwrap();
    let events: Vec<Event> = log.entries.iter().map(|entry| entry.event.clone()).collect();
    assert_eq!(&events, model.logs.get(room).unwrap_or(&Vec::new()), "{room}");
    let mark = log
        .entries
        .last()
        .map_or(Mark::UNKNOWN, |entry| entry.position.mark);
    let tail = Position::new(log.epoch, log.tail).marked(mark);
    assert_eq!(store.tails(std::slice::from_ref(room)).await.unwrap(), [tail]);
    let state = match room {
        RoomId::Session(id) => {
            let session = model.sessions.get(id).cloned();
            session.map(|session| RoomState::Session(session.into()))
        }
        RoomId::User(id) => {
            let pending = model.sessions_with_pending_feedback.get(id);
            Some(RoomState::User {
                pending_feedback: pending.cloned().unwrap_or_default(),
            })
        }
    };
    let position = tail;
    let expected = state.map(|state| Snapshot { position, state });
    assert_eq!(store.snapshot(room).await.unwrap(), expected);
}

fn limits() -> StoreLimits {
    StoreLimits {
        max_payload: PAYLOAD_LIMIT,
        ..StoreLimits::default()
    }
}

/// Runs cases on a runtime of their own, because proptest is not async.
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
        compared.map_err(|_| TestCaseError::fail("the store differs from the model, see above"))
    });
    result.unwrap();
}

#[test]
fn the_memory_store_matches_the_model() {
    check(300, |_| MemoryStore::new(limits(), || 7, || 1_700_000_000_000));
}

#[test]
fn the_redis_store_matches_the_model() {
    let server = Server::start();
    let mut prefixes = (0..).map(|n| format!("case{n}"));
    check(60, |runtime| {
        runtime.block_on(connect(&server.url(), &prefixes.next().unwrap(), limits()))
    });
}
