//! Concurrent commands on one session from the stores of several processes have the same result as in some order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use roomcast_core::{
    Entry, Event, JsonObject, Offset, Role, Session, SessionCommand, SessionId, command::decide,
};

use crate::{
    RedisStore, Store, StoreError, StoreLimits,
    tests::{
        contract::{participants, publish, remove, room, select, session, user},
        support::{connect, server::Server},
    },
};

struct Done {
    command: SessionCommand,
    began: Instant,
    ended: Instant,
    offset: Offset,
}

/// The commands of one task. They are the same in each run.
fn commands(task: u64) -> Vec<SessionCommand> {
    (0..40_u64)
        .map(|n| {
            let name = format!("user-{}", (task + n) % 6);
            match (n * 7 + task * 3) % 5 {
                0 | 1 => select(
                    &name,
                    [Role::Interviewer, Role::Interviewee, Role::Observer][(n % 3) as usize],
                ),
                2 => remove(&name),
                odd => SessionCommand::Publish {
                    status: format!("{task}/{n}").into(),
                    participants: participants(&[("user-0", Role::Observer), (&name, Role::Interviewer)])
                        .filter(|_| odd == 3 && name != "user-0"),
                    attributes: JsonObject::empty(),
                    // The tasks expect similar revisions, so that they compete for the same one.
                    expected_revision: (odd == 4).then_some(n * 2 + 1),
                },
            }
        })
        .collect()
}

/// Three stores, as three processes have them.
async fn stores(server: &Server, limits: StoreLimits) -> Vec<Arc<RedisStore>> {
    let mut stores = Vec::new();
    for _ in 0..3 {
        stores.push(Arc::new(connect(&server.url(), "rc", limits).await));
    }
    stores
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_commands_have_the_same_result_as_in_some_order() {
    let server = Server::start();
    let limits = StoreLimits {
        log_entries: 100_000,
        ..StoreLimits::default()
    };
    let stores = stores(&server, limits).await;
    let id = session("s1");
    let tasks: Vec<_> = (0..12_u64)
        .map(|task| tokio::spawn(run(stores[task as usize % 3].clone(), id.clone(), task)))
        .collect();
    let mut done = Vec::new();
    for task in tasks {
        done.extend(task.await.unwrap());
    }
    done.sort_by_key(|done| done.offset);

    let log = stores[0]
        .read(&room("session:s1"), Offset::ZERO, usize::MAX)
        .await
        .unwrap();
    let offsets: Vec<u64> = done.iter().map(|done| done.offset.0).collect();
    assert_eq!(
        offsets,
        (1..=log.tail.0).collect::<Vec<_>>(),
        "each entry belongs to one command"
    );
    let last = session_after(&id, &done, &log.entries);
    assert_eq!(stores[1].session(&id).await.unwrap().unwrap().session, last);
    assert_one_winner_for_each_revision(&done);
    assert_offsets_follow_time(&done);
}

/// Executes the commands of one task; returns those that succeeded.
async fn run(store: Arc<RedisStore>, id: SessionId, task: u64) -> Vec<Done> {
    let create = SessionCommand::Publish {
        status: "new".into(),
        participants: None,
        attributes: JsonObject::empty(),
        expected_revision: Some(0),
    };
    let mut done = Vec::new();
    for command in [create].into_iter().chain(commands(task)) {
        let began = Instant::now();
        match store.execute(&id, &command, None).await {
            Ok(outcome) => done.push(Done {
                command,
                began,
                ended: Instant::now(),
                offset: outcome.appended.position.offset,
            }),
            Err(StoreError::Denied(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    done
}

/// The session after the commands, which the rules must allow in the order of their offsets.
fn session_after(id: &SessionId, done: &[Done], entries: &[Arc<Entry>]) -> Session {
    let mut current: Option<Session> = None;
    for (done, entry) in done.iter().zip(entries) {
        let decided = decide(
            id,
            current.as_ref(),
            &done.command,
            done.offset,
            entry.published_at,
            usize::MAX,
        );
        assert_eq!(
            decided.as_ref(),
            Ok(&entry.event),
            "the rules allow the command at {}",
            done.offset
        );
        match (&mut current, &entry.event) {
            (Some(session), event) => session.fold(done.offset, event),
            (None, Event::SessionUpdated { session, .. }) => current = Some(Session::clone(session)),
            (None, other) => panic!("{other:?} created a session"),
        }
    }
    current.unwrap()
}

fn assert_one_winner_for_each_revision(done: &[Done]) {
    let mut winners = BTreeMap::<u64, u32>::new();
    for done in done {
        if let SessionCommand::Publish {
            expected_revision: Some(expected),
            ..
        } = &done.command
        {
            *winners.entry(*expected).or_default() += 1;
        }
    }
    assert_eq!(winners.get(&0), Some(&1));
    assert!(
        winners.values().all(|count| *count == 1),
        "each revision had one winner: {winners:?}"
    );
}

/// In the order of offsets, no command ended before an earlier one began.
fn assert_offsets_follow_time(done: &[Done]) {
    let mut latest_begin = done[0].began;
    for done in done {
        assert!(
            done.ended >= latest_begin,
            "a command that ended before another began has the smaller offset"
        );
        latest_begin = latest_begin.max(done.began);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exclusive_role_that_many_select_has_one_holder() {
    let server = Server::start();
    let stores = stores(&server, StoreLimits::default()).await;
    for round in 0..20 {
        let id = session(&format!("round-{round}"));
        stores[0].execute(&id, &publish("new", None), None).await.unwrap();
        let tasks: Vec<_> = (0..9_usize)
            .map(|n| {
                let (store, id) = (stores[n % 3].clone(), id.clone());
                let name = format!("user-{n}");
                tokio::spawn(async move {
                    let selected = store.execute(&id, &select(&name, Role::Interviewer), None).await;
                    selected.ok().map(|_| user(&name))
                })
            })
            .collect();
        let mut winners = BTreeSet::new();
        for task in tasks {
            winners.extend(task.await.unwrap());
        }
        assert_eq!(winners.len(), 1);
        let session = stores[1].session(&id).await.unwrap().unwrap().session;
        assert_eq!(session.holder(Role::Interviewer), winners.first());
    }
}
