//! Who owes feedback.

use roomcast_core::Event;

use super::*;

fn required() -> Event {
    Event::FeedbackRequired {
        session: session("s1"),
    }
}

fn given() -> Event {
    Event::FeedbackSettled {
        session: session("s1"),
    }
}

async fn subject(kind: Kind) -> Subject {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish(
        "new",
        people(&[("zoe", Role::Observer), ("alice", Role::Interviewer)]),
    ))
    .await
    .unwrap();
    s
}

fn names(requirement: &crate::FeedbackRequirement) -> Vec<String> {
    requirement
        .users
        .iter()
        .map(|(user, _)| user.to_string())
        .collect()
}

pub(super) async fn feedback_is_owed_until_its_author_gives_it(kind: Kind) {
    require_and_give(&kind.subject(StoreLimits::default()).await).await;
}

pub(super) async fn require_and_give(s: &Subject) {
    s.execute(&publish("new", None)).await.unwrap();
    // Neither has to take part, and whoever is named twice is asked once.
    let users = ["bob", "alice", "bob"].map(user);
    let requirement = s
        .store
        .require_feedback(&session("s1"), &users, None)
        .await
        .unwrap();
    assert_eq!(names(&requirement), ["bob", "alice"]);
    assert_eq!(s.pending_feedback().await, ["alice", "bob"]);
    for (user, appended) in &requirement.users {
        assert_eq!(s.pending_feedback_of(user.as_str()).await, ["s1"]);
        let log = s.log(&format!("user:{user}")).await;
        assert_eq!(
            (log[0].position, log[0].published_at),
            (appended.position, appended.published_at)
        );
    }
    assert_eq!(
        s.log("session:s1").await.len(),
        1,
        "the session's log says nothing of it"
    );
    assert_eq!(s.s1().await.revision, 1);

    s.execute(&update(None)).await.unwrap();
    s.execute(&update(Some("carol"))).await.unwrap();
    assert_eq!(s.pending_feedback().await, ["alice", "bob"]);
    s.execute(&update(Some("alice"))).await.unwrap();
    s.execute(&update(Some("alice"))).await.unwrap();
    assert_eq!(s.pending_feedback().await, ["bob"]);
    assert!(s.pending_feedback_of("alice").await.is_empty());
    assert_eq!(s.bodies("user:alice").await, [required(), given()]);
    assert_eq!(s.pending_feedback_of("bob").await, ["s1"]);
    assert!(s.log("user:carol").await.is_empty());
}

pub(super) async fn no_users_means_everyone_who_takes_part(kind: Kind) {
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
        "the first answer's users, not those of now"
    );
    let second = s.store.require_feedback(&session("s1"), &[], None).await.unwrap();
    assert_eq!(names(&second), ["alice", "bob"]);
    s.execute(&publish("empty", people(&[]))).await.unwrap();
    let nobody = s.store.require_feedback(&session("s1"), &[], None).await.unwrap();
    assert!(nobody.users.is_empty());
}

pub(super) async fn a_second_requirement_is_a_reminder(kind: Kind) {
    let s = subject(kind).await;
    for _ in 0..2 {
        s.store
            .require_feedback(&session("s1"), &[user("alice")], None)
            .await
            .unwrap();
    }
    assert_eq!(s.bodies("user:alice").await, [required(), required()]);
    s.execute(&update(Some("alice"))).await.unwrap();
    assert_eq!(s.bodies("user:alice").await, [required(), required(), given()]);
    assert!(s.pending_feedback_of("alice").await.is_empty());
}

pub(super) async fn a_requirement_torn_before_its_users_is_completed_by_a_retry(kind: Kind) {
    let s = subject(kind).await;
    let (id, key) = (session("s1"), request("r", 1));
    // The call ends after the session's step and the first user's.
    let torn = s.slots.require(&id, &[], Some(&key)).await.unwrap();
    let zoe = s
        .slots
        .user_requires(&user("zoe"), &id, torn.number)
        .await
        .unwrap();
    assert_eq!(s.pending_feedback().await, ["alice", "zoe"]);
    assert!(s.pending_feedback_of("alice").await.is_empty());

    let retried = s.store.require_feedback(&id, &[], Some(&key)).await.unwrap();
    assert!(retried.duplicate);
    assert_eq!(retried.users[0], (user("zoe"), zoe));
    for name in ["zoe", "alice"] {
        assert_eq!(s.pending_feedback_of(name).await, ["s1"]);
        assert_eq!(s.bodies(&format!("user:{name}")).await, [required()]);
    }
}

pub(super) async fn feedback_torn_before_its_author_is_completed_by_a_retry(kind: Kind) {
    let s = subject(kind).await;
    let (id, key) = (session("s1"), request("r", 1));
    s.store
        .require_feedback(&id, &[user("alice")], None)
        .await
        .unwrap();
    s.slots
        .command(&id, &update(Some("alice")), Some(&key))
        .await
        .unwrap();
    assert!(s.pending_feedback().await.is_empty());
    assert_eq!(s.pending_feedback_of("alice").await, ["s1"]);

    assert!(
        s.store
            .execute(&id, &update(Some("alice")), Some(&key))
            .await
            .unwrap()
            .duplicate
    );
    assert!(s.pending_feedback_of("alice").await.is_empty());
    assert_eq!(s.log("session:s1").await.len(), 2);
}

pub(super) async fn a_requirement_that_comes_after_its_feedback_is_ended_at_once(kind: Kind) {
    let s = subject(kind).await;
    let (id, key) = (session("s1"), request("r", 1));
    s.slots.require(&id, &[user("alice")], Some(&key)).await.unwrap();
    s.execute(&update(Some("alice"))).await.unwrap();
    assert!(
        s.log("user:alice").await.is_empty(),
        "there was nothing to end yet"
    );

    for _ in 0..2 {
        let late = s
            .store
            .require_feedback(&id, &[user("alice")], Some(&key))
            .await
            .unwrap();
        assert_eq!(late.users[0].1.position.offset, Offset(1));
        assert_eq!(s.bodies("user:alice").await, [required(), given()]);
        assert!(s.pending_feedback_of("alice").await.is_empty());
    }
    s.store
        .require_feedback(&id, &[user("alice")], None)
        .await
        .unwrap();
    assert_eq!(
        s.pending_feedback_of("alice").await,
        ["s1"],
        "a new requirement is none that was met"
    );
}

pub(super) async fn feedback_that_comes_late_does_not_end_a_later_requirement(kind: Kind) {
    let s = subject(kind).await;
    let (id, key) = (session("s1"), request("r", 1));
    s.store
        .require_feedback(&id, &[user("alice")], None)
        .await
        .unwrap();
    s.slots
        .command(&id, &update(Some("alice")), Some(&key))
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
    assert_eq!(s.pending_feedback_of("alice").await, ["s1"]);
    assert_eq!(s.pending_feedback().await, ["alice"]);
}

pub(super) async fn a_new_life_of_a_session_can_require_what_an_old_one_was_given(kind: Kind) {
    let s = kind
        .subject(StoreLimits {
            state_retention: 200,
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
    s.pass(150).await;
    s.store.disconnect_user(&user("alice"), "").await.unwrap();
    s.pass(100).await;
    assert_eq!(s.store.session(&session("s1")).await, Ok(None));

    s.execute(&publish("new", None)).await.unwrap();
    s.store
        .require_feedback(&session("s1"), &[user("alice")], None)
        .await
        .unwrap();
    assert_eq!(s.pending_feedback_of("alice").await, ["s1"]);
}
