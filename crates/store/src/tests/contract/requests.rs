//! Idempotency: a repeated request id gets the first response and changes nothing.

use roomcast_core::{CommandDenial, Role};

use super::*;
use crate::{Outcome, StoreError, StoreLimits};

pub(super) async fn a_repeated_request_has_no_second_effect(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let id = session("repeated");
    let commands = [
        publish("new", participants(&[("ann", Role::Interviewer)])),
        select("bob", Role::Interviewee),
        update(Some("ann")),
        remove("bob"),
    ];
    let mut firsts = Vec::new();
    for (n, command) in (0..).zip(&commands) {
        let first = s
            .store
            .execute(&id, command, Some(&request(&format!("r{n}"), n)))
            .await
            .unwrap();
        assert!(!first.duplicate);
        firsts.push(first);
    }
    let key = request("require", 9);
    let required = s.store.require_feedback(&id, &[], Some(&key)).await.unwrap();
    let before = s.store.session(&id).await;

    for (n, (command, first)) in (0..).zip(commands.iter().zip(&firsts)) {
        let again = s
            .store
            .execute(&id, command, Some(&request(&format!("r{n}"), n)))
            .await
            .unwrap();
        assert_eq!(
            again,
            Outcome {
                duplicate: true,
                ..*first
            }
        );
    }
    let again = s.store.require_feedback(&id, &[], Some(&key)).await.unwrap();
    assert_eq!((again.users, again.duplicate), (required.users, true));
    assert_eq!(s.store.session(&id).await, before);
    assert_eq!(s.log("session:repeated").await.len(), 4);
    assert_eq!(s.log("user:ann").await.len(), 1);
}

pub(super) async fn a_request_id_identifies_one_request(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let id = session("s1");
    let reused = || StoreError::from(CommandDenial::RequestIdReused);
    let commands = [
        publish("new", participants(&[("alice", Role::Observer)])),
        select("bob", Role::Interviewee),
        update(None),
        remove("bob"),
    ];
    for (n, command) in (0..).zip(&commands) {
        let name = format!("r{n}");
        s.store
            .execute(&id, command, Some(&request(&name, 1)))
            .await
            .unwrap();
        for other in &commands {
            assert_eq!(
                s.store.execute(&id, other, Some(&request(&name, 2))).await,
                Err(reused())
            );
        }
        let other = s.store.require_feedback(&id, &[], Some(&request(&name, 2))).await;
        assert_eq!(other, Err(reused()));
        // A response of another shape is never returned, even if the caller mixes up the fingerprints.
        assert_eq!(
            s.store.require_feedback(&id, &[], Some(&request(&name, 1))).await,
            Err(reused())
        );
    }
    s.store
        .require_feedback(&id, &[], Some(&request("q", 1)))
        .await
        .unwrap();
    assert_eq!(
        s.store.require_feedback(&id, &[], Some(&request("q", 2))).await,
        Err(reused())
    );
    assert_eq!(
        s.store.execute(&id, &update(None), Some(&request("q", 1))).await,
        Err(reused())
    );
    assert_eq!(s.log("session:s1").await.len(), 4);
}

pub(super) async fn a_repeated_request_is_recognized_before_any_rule(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let (id, key) = (session("s1"), request("r", 1));
    s.execute(&publish("new", None)).await.unwrap();
    let first = s
        .store
        .execute(&id, &select("alice", Role::Interviewer), Some(&key))
        .await
        .unwrap();
    s.execute(&remove("alice")).await.unwrap();
    s.execute(&select("bob", Role::Interviewer)).await.unwrap();
    let again = s
        .store
        .execute(&id, &select("alice", Role::Interviewer), Some(&key))
        .await
        .unwrap();
    assert_eq!(
        again,
        Outcome {
            duplicate: true,
            ..first
        }
    );
    let other = s
        .store
        .execute(&id, &remove("nobody"), Some(&request("r", 2)))
        .await;
    assert_eq!(other, Err(CommandDenial::RequestIdReused.into()));
}

pub(super) async fn a_denied_request_is_not_stored(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let (id, key) = (session("s1"), request("r", 1));
    let command = select("alice", Role::Observer);
    assert_eq!(
        s.store.execute(&id, &command, Some(&key)).await,
        Err(CommandDenial::SessionNotFound.into())
    );
    s.execute(&publish("new", None)).await.unwrap();
    assert!(
        !s.store
            .execute(&id, &command, Some(&key))
            .await
            .unwrap()
            .duplicate
    );
}

pub(super) async fn a_request_id_belongs_to_one_session(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    for (n, id) in (0..).zip(["s1", "s2"]) {
        let done = s
            .store
            .execute(&session(id), &publish("new", None), Some(&request("r", n)))
            .await;
        assert!(!done.unwrap().duplicate);
    }
}

pub(super) async fn a_request_id_is_forgotten_after_the_retention(kind: StoreKind) {
    let s = kind
        .subject_with_clock(StoreLimits {
            log_retention: 150 * MINUTE,
            ..StoreLimits::default()
        })
        .await;
    let id = session("s1");
    s.store
        .execute(&id, &publish("new", None), Some(&request("r", 1)))
        .await
        .unwrap();
    s.pass(160 * MINUTE).await;
    let done = s
        .store
        .execute(&id, &publish("new", None), Some(&request("r", 2)))
        .await
        .unwrap();
    assert_eq!((done.duplicate, done.revision), (false, 2));
}
