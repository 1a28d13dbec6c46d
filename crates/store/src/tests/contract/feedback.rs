//! How feedback becomes pending, and how it is settled.

use roomcast_core::{Event, Offset};

use super::{subject::Subject, *};
use crate::{FeedbackRequirement, StoreLimits};

fn required() -> Event {
    Event::FeedbackRequired {
        session: session("s1"),
    }
}

fn settled() -> Event {
    Event::FeedbackSettled {
        session: session("s1"),
    }
}

async fn subject(kind: StoreKind) -> Subject {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish(
        "new",
        participants(&[("zoe", Role::Observer), ("alice", Role::Interviewer)]),
    ))
    .await
    .unwrap();
    s
}

fn names(requirement: &FeedbackRequirement) -> Vec<String> {
    requirement
        .users
        .iter()
        .map(|(user, _)| user.to_string())
        .collect()
}

pub(super) async fn feedback_is_pending_until_its_author_submits_it(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", None)).await.unwrap();
    // Neither user is a participant, and a user who is named twice counts once.
    let users = ["bob", "alice", "bob"].map(user);
    let requirement = s
        .store
        .require_feedback(&session("s1"), &users, None)
        .await
        .unwrap();
    assert_eq!(names(&requirement), ["bob", "alice"]);
    assert_eq!(s.users_with_pending_feedback().await, ["alice", "bob"]);
    for (user, appended) in &requirement.users {
        assert_eq!(s.sessions_with_pending_feedback(user.as_str()).await, ["s1"]);
        let log = s.log(&format!("user:{user}")).await;
        assert_eq!(
            (log[0].position, log[0].published_at),
            (appended.position, appended.published_at)
        );
    }
    assert_eq!(
        s.log("session:s1").await.len(),
        1,
        "the session's log has no entry about it"
    );
    assert_eq!(s.s1().await.revision, 1);

    s.execute(&update(None)).await.unwrap();
    s.execute(&update(Some("carol"))).await.unwrap();
    assert_eq!(s.users_with_pending_feedback().await, ["alice", "bob"]);
    s.execute(&update(Some("alice"))).await.unwrap();
    s.execute(&update(Some("alice"))).await.unwrap();
    assert_eq!(s.users_with_pending_feedback().await, ["bob"]);
    assert!(s.sessions_with_pending_feedback("alice").await.is_empty());
    assert_eq!(s.events("user:alice").await, [required(), settled()]);
    assert_eq!(s.sessions_with_pending_feedback("bob").await, ["s1"]);
    assert!(s.log("user:carol").await.is_empty());
}

pub(super) async fn no_users_means_every_participant(kind: StoreKind) {
    let s = subject(kind).await;
    let key = request("r", 1);
    let first = s
        .store
        .require_feedback(&session("s1"), &[], Some(&key))
        .await
        .unwrap();
    assert_eq!(names(&first), ["zoe", "alice"]);
    s.execute(&select("bob", Role::Observer)).await.unwrap();
    s.execute(&remove("zoe")).await.unwrap();
    let again = s
        .store
        .require_feedback(&session("s1"), &[], Some(&key))
        .await
        .unwrap();
    assert_eq!(
        again.users, first.users,
        "the users of the first response, not the current participants"
    );
    let second = s.store.require_feedback(&session("s1"), &[], None).await.unwrap();
    assert_eq!(names(&second), ["alice", "bob"]);
    s.execute(&publish("empty", participants(&[]))).await.unwrap();
    let no_one = s.store.require_feedback(&session("s1"), &[], None).await.unwrap();
    assert!(no_one.users.is_empty());
}

pub(super) async fn a_second_requirement_is_a_reminder(kind: StoreKind) {
    let s = subject(kind).await;
    for _ in 0..2 {
        s.store
            .require_feedback(&session("s1"), &[user("alice")], None)
            .await
            .unwrap();
    }
    assert_eq!(s.events("user:alice").await, [required(), required()]);
    s.execute(&update(Some("alice"))).await.unwrap();
    assert_eq!(s.events("user:alice").await, [required(), required(), settled()]);
    assert!(s.sessions_with_pending_feedback("alice").await.is_empty());
}

pub(super) async fn a_retry_completes_a_requirement_that_failed_before_its_users(kind: StoreKind) {
    let s = subject(kind).await;
    let (id, key) = (session("s1"), request("r", 1));
    // The call fails after the step in the session's slot and the one in the first user's.
    let failed = s.steps.add_requirement(&id, &[], Some(&key)).await.unwrap();
    let zoe = s
        .steps
        .add_pending_feedback(&user("zoe"), &id, failed.requirement)
        .await
        .unwrap();
    assert_eq!(s.users_with_pending_feedback().await, ["alice", "zoe"]);
    assert!(s.sessions_with_pending_feedback("alice").await.is_empty());

    let retried = s.store.require_feedback(&id, &[], Some(&key)).await.unwrap();
    assert!(retried.duplicate);
    assert_eq!(retried.users[0], (user("zoe"), zoe));
    for name in ["zoe", "alice"] {
        assert_eq!(s.sessions_with_pending_feedback(name).await, ["s1"]);
        assert_eq!(s.events(&format!("user:{name}")).await, [required()]);
    }
}

pub(super) async fn a_retry_completes_an_update_that_failed_before_its_author(kind: StoreKind) {
    let s = subject(kind).await;
    let (id, key) = (session("s1"), request("r", 1));
    s.store
        .require_feedback(&id, &[user("alice")], None)
        .await
        .unwrap();
    s.steps
        .execute_command(&id, &update(Some("alice")), Some(&key))
        .await
        .unwrap();
    assert!(s.users_with_pending_feedback().await.is_empty());
    assert_eq!(s.sessions_with_pending_feedback("alice").await, ["s1"]);

    assert!(
        s.store
            .execute(&id, &update(Some("alice")), Some(&key))
            .await
            .unwrap()
            .duplicate
    );
    assert!(s.sessions_with_pending_feedback("alice").await.is_empty());
    assert_eq!(s.log("session:s1").await.len(), 2);
}

pub(super) async fn a_requirement_that_arrives_after_its_feedback_is_settled_at_once(kind: StoreKind) {
    let s = subject(kind).await;
    let (id, key) = (session("s1"), request("r", 1));
    s.steps
        .add_requirement(&id, &[user("alice")], Some(&key))
        .await
        .unwrap();
    s.execute(&update(Some("alice"))).await.unwrap();
    assert!(
        s.log("user:alice").await.is_empty(),
        "there was no pending feedback yet"
    );

    for _ in 0..2 {
        let late = s
            .store
            .require_feedback(&id, &[user("alice")], Some(&key))
            .await
            .unwrap();
        assert_eq!(late.users[0].1.position.offset, Offset(1));
        assert_eq!(s.events("user:alice").await, [required(), settled()]);
        assert!(s.sessions_with_pending_feedback("alice").await.is_empty());
    }
    s.store
        .require_feedback(&id, &[user("alice")], None)
        .await
        .unwrap();
    assert_eq!(
        s.sessions_with_pending_feedback("alice").await,
        ["s1"],
        "a new requirement is not settled"
    );
}

pub(super) async fn feedback_that_arrives_late_does_not_settle_a_later_requirement(kind: StoreKind) {
    let s = subject(kind).await;
    let (id, key) = (session("s1"), request("r", 1));
    s.store
        .require_feedback(&id, &[user("alice")], None)
        .await
        .unwrap();
    s.steps
        .execute_command(&id, &update(Some("alice")), Some(&key))
        .await
        .unwrap();
    s.store
        .require_feedback(&id, &[user("alice")], None)
        .await
        .unwrap();
    s.store
        .execute(&id, &update(Some("alice")), Some(&key))
        .await
        .unwrap();
    assert_eq!(s.sessions_with_pending_feedback("alice").await, ["s1"]);
    assert_eq!(s.users_with_pending_feedback().await, ["alice"]);
}

pub(super) async fn a_recreated_session_can_require_feedback_that_the_expired_one_settled(kind: StoreKind) {
    let s = kind
        .subject_with_clock(StoreLimits {
            state_retention: 200 * MINUTE,
            ..StoreLimits::default()
        })
        .await;
    s.execute(&publish("new", None)).await.unwrap();
    for _ in 0..2 {
        s.store
            .require_feedback(&session("s1"), &[user("alice")], None)
            .await
            .unwrap();
    }
    s.execute(&update(Some("alice"))).await.unwrap();
    s.pass(150 * MINUTE).await;
    s.store.disconnect_user(&user("alice"), "").await.unwrap();
    s.pass(100 * MINUTE).await;
    assert_eq!(s.store.session(&session("s1")).await, Ok(None));

    s.execute(&publish("new", None)).await.unwrap();
    s.store
        .require_feedback(&session("s1"), &[user("alice")], None)
        .await
        .unwrap();
    assert_eq!(s.sessions_with_pending_feedback("alice").await, ["s1"]);
}
