//! Concurrent commands on one session from several processes' stores are as if done one after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use roomcast_core::{JsonObject, Offset, Role, Session, SessionCommand, command::decide};

use crate::{
    Store, StoreError, StoreLimits,
    contract::{connect, people, remove, room, select, session, user},
    redis::server::Server,
};

struct Done {
    command: SessionCommand,
    began: Instant,
    ended: Instant,
    offset: Offset,
}

/// The commands of one task, the same in each run.
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
                    participants: people(&[("user-0", Role::Observer), (&name, Role::Interviewer)])
                        .filter(|_| odd == 3 && name != "user-0"),
                    attributes: JsonObject::empty(),
                    // Tasks guess near each other, so that they compete for the same revision.
                    expected_revision: (odd == 4).then_some(n * 2 + 1),
                },
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_commands_are_as_if_done_one_after_the_other() {
    let server = Server::start();
    let bounds = StoreLimits {
        log_entries: 100_000,
        ..StoreLimits::default()
    };
    let mut stores = Vec::new();
    for _ in 0..3 {
        stores.push(Arc::new(connect(&server.url(), "rc", bounds).await));
    }
    let id = session("s1");
    let created = SessionCommand::Publish {
        status: "new".into(),
        participants: None,
        attributes: JsonObject::empty(),
        expected_revision: Some(0),
    };
    let tasks: Vec<_> = (0..12_u64)
        .map(|task| {
            let (store, id) = (stores[task as usize % 3].clone(), id.clone());
            let created = created.clone();
            tokio::spawn(async move {
                let mut done = Vec::new();
                for command in [created].into_iter().chain(commands(task)) {
                    let began = Instant::now();
                    match store.execute(&id, &command, None).await {
                        Ok(outcome) => {
                            let offset = outcome.appended.position.offset;
                            done.push(Done {
                                command,
                                began,
                                ended: Instant::now(),
                                offset,
                            });
                        }
                        Err(StoreError::Denied(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                done
            })
        })
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
    let told: Vec<u64> = done.iter().map(|done| done.offset.0).collect();
    assert_eq!(
        told,
        (1..=log.tail.0).collect::<Vec<_>>(),
        "each entry is the answer to one command"
    );

    let mut at: Option<Session> = None;
    let mut winners = BTreeMap::<u64, u32>::new();
    for (done, entry) in done.iter().zip(&log.entries) {
        let decided = decide(
            &id,
            at.as_ref(),
            &done.command,
            done.offset,
            entry.published_at,
            usize::MAX,
        );
        assert_eq!(
            decided.as_ref(),
            Ok(&entry.event),
            "at {} the rules allow it",
            done.offset
        );
        if let SessionCommand::Publish {
            expected_revision: Some(expected),
            ..
        } = &done.command
        {
            *winners.entry(*expected).or_default() += 1;
        }
        match (&mut at, &entry.event) {
            (Some(session), body) => session.fold(done.offset, body),
            (None, roomcast_core::Event::SessionUpdated { session, .. }) => {
                at = Some(Session::clone(session))
            }
            (None, other) => panic!("{other:?} made a session"),
        }
    }
    assert_eq!(winners.get(&0), Some(&1));
    assert!(
        winners.values().all(|count| *count == 1),
        "each revision had one winner: {winners:?}"
    );
    assert_eq!(
        stores[1].session(&id).await.unwrap().unwrap().session,
        at.unwrap()
    );

    // By offset: whoever comes later must not have ended before an earlier one began.
    let mut latest_begin = done[0].began;
    for done in &done {
        assert!(
            done.ended >= latest_begin,
            "what ended before another began has the smaller offset"
        );
        latest_begin = latest_begin.max(done.began);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seat_that_many_want_goes_to_one() {
    let server = Server::start();
    let mut stores = Vec::new();
    for _ in 0..3 {
        stores.push(Arc::new(
            connect(&server.url(), "rc", StoreLimits::default()).await,
        ));
    }
    for round in 0..20 {
        let id = session(&format!("round-{round}"));
        stores[0]
            .execute(&id, &crate::contract::publish("new", None), None)
            .await
            .unwrap();
        let tasks: Vec<_> = (0..9_usize)
            .map(|n| {
                let (store, id) = (stores[n % 3].clone(), id.clone());
                let name = format!("user-{n}");
                tokio::spawn(async move {
                    let taken = store.execute(&id, &select(&name, Role::Interviewer), None).await;
                    taken.ok().map(|_| user(&name))
                })
            })
            .collect();
        let mut winners = BTreeSet::new();
        for task in tasks {
            winners.extend(task.await.unwrap());
        }
        assert_eq!(winners.len(), 1);
        let seated = stores[1].session(&id).await.unwrap().unwrap().session;
        assert_eq!(seated.holder(Role::Interviewer), winners.first());
    }
}
