//! The rules of commands on a session.

use roomcast_core::{CommandDenial, Event, JsonObject, Offset, Role, SessionCommand, browser_event};

use super::{subject::Subject, *};
use crate::{Participation, StoreLimits};
use Role::{Interviewee, Interviewer, Observer};

pub(super) async fn a_publish_creates_and_then_replaces(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let first = s
        .execute(&publish(
            "new",
            participants(&[("alice", Interviewer), ("bob", Observer)]),
        ))
        .await
        .unwrap();
    assert_eq!(
        (first.appended.position.offset, first.revision, first.duplicate),
        (Offset(1), 1, false)
    );
    assert!(first.appended.published_at > 0);
    assert_eq!(s.participants().await, ["alice interviewer 1", "bob observer 1"]);

    let list = participants(&[("carol", Interviewer), ("bob", Interviewee)]);
    let second = s.execute(&publish("ready", list)).await.unwrap();
    assert_eq!((second.appended.position.offset, second.revision), (Offset(2), 2));
    assert_eq!(
        s.participants().await,
        ["carol interviewer 2", "bob interviewee 1"]
    );
    let after = s.s1().await;
    assert_eq!((&*after.status, after.revision), ("ready", 2));
    let body = Event::SessionUpdated {
        session: after.into(),
        removed: vec![user("alice")],
    };
    assert_eq!(s.events("session:s1").await[1], body);

    s.execute(&publish("empty", participants(&[]))).await.unwrap();
    assert!(s.participants().await.is_empty());
    assert_eq!(
        s.events("session:s1").await[2].removed(),
        [user("carol"), user("bob")]
    );
}

pub(super) async fn a_publish_without_a_list_keeps_the_participants(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", None)).await.unwrap();
    assert!(s.participants().await.is_empty());
    s.execute(&select("zoe", Observer)).await.unwrap();
    s.execute(&select("alice", Interviewer)).await.unwrap();
    s.execute(&publish("ready", None)).await.unwrap();
    assert_eq!(s.participants().await, ["zoe observer 2", "alice interviewer 3"]);
    match s.events("session:s1").await.last() {
        Some(Event::SessionUpdated { session, removed }) => {
            assert_eq!(**session, s.s1().await);
            assert!(removed.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

pub(super) async fn a_publish_that_expects_another_revision_is_denied(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let expecting = |expected_revision| SessionCommand::Publish {
        status: "x".into(),
        participants: None,
        attributes: JsonObject::empty(),
        expected_revision: Some(expected_revision),
    };
    assert_eq!(
        s.denied(&expecting(1)).await,
        CommandDenial::RevisionMismatch { current: 0 }
    );
    assert_eq!(s.execute(&expecting(0)).await.unwrap().revision, 1);
    assert_eq!(
        s.denied(&expecting(0)).await,
        CommandDenial::RevisionMismatch { current: 1 }
    );
    assert_eq!(s.execute(&select("alice", Observer)).await.unwrap().revision, 2);
    assert_eq!(s.execute(&update(None)).await.unwrap().revision, 2);
    assert_eq!(s.execute(&expecting(2)).await.unwrap().revision, 3);
    assert_eq!(
        s.denied(&expecting(u64::MAX)).await,
        CommandDenial::RevisionMismatch { current: 3 }
    );
    assert_eq!(s.log("session:s1").await.len(), 4);
}

pub(super) async fn an_exclusive_role_has_one_holder(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", participants(&[("alice", Interviewer)])))
        .await
        .unwrap();
    assert_eq!(
        s.denied(&select("bob", Interviewer)).await,
        CommandDenial::RoleTaken(Interviewer)
    );
    s.execute(&select("alice", Interviewer)).await.unwrap();
    s.execute(&select("bob", Interviewee)).await.unwrap();
    assert_eq!(
        s.denied(&select("alice", Interviewee)).await,
        CommandDenial::RoleTaken(Interviewee)
    );
    for observer in ["carol", "dave"] {
        s.execute(&select(observer, Observer)).await.unwrap();
    }
    // The role is free again after a role change, a removal, and a list without its holder.
    s.execute(&select("alice", Observer)).await.unwrap();
    s.execute(&select("carol", Interviewer)).await.unwrap();
    s.execute(&remove("carol")).await.unwrap();
    s.execute(&select("dave", Interviewer)).await.unwrap();
    s.execute(&publish("later", participants(&[("bob", Observer)])))
        .await
        .unwrap();
    s.execute(&select("erin", Interviewer)).await.unwrap();
    s.execute(&select("bob", Interviewee)).await.unwrap();
    assert_eq!(
        s.denied(&select("erin", Interviewee)).await,
        CommandDenial::RoleTaken(Interviewee)
    );
}

pub(super) async fn a_role_change_keeps_the_order_and_the_first_offset(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish(
        "new",
        participants(&[("zoe", Observer), ("alice", Observer)]),
    ))
    .await
    .unwrap();
    s.execute(&select("bob", Observer)).await.unwrap();
    s.execute(&select("zoe", Interviewee)).await.unwrap();
    assert_eq!(
        s.participants().await,
        ["zoe interviewee 1", "alice observer 1", "bob observer 2"]
    );
    s.execute(&remove("alice")).await.unwrap();
    s.execute(&select("alice", Observer)).await.unwrap();
    assert_eq!(
        s.participants().await,
        ["zoe interviewee 1", "bob observer 2", "alice observer 5"]
    );
}

pub(super) async fn only_a_participant_can_be_removed(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", participants(&[("alice", Observer)])))
        .await
        .unwrap();
    assert_eq!(s.denied(&remove("bob")).await, CommandDenial::NotAParticipant);
    assert_eq!(s.execute(&remove("alice")).await.unwrap().revision, 2);
    assert_eq!(s.denied(&remove("alice")).await, CommandDenial::NotAParticipant);
    assert_eq!(
        s.events("session:s1").await[1],
        Event::ParticipantRemoved { user: user("alice") }
    );
}

pub(super) async fn an_unknown_session_is_not_found(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    for command in [select("alice", Observer), update(Some("alice")), remove("alice")] {
        assert_eq!(s.denied(&command).await, CommandDenial::SessionNotFound);
    }
    let required = s
        .store
        .require_feedback(&session("s1"), &[user("alice")], None)
        .await;
    assert_eq!(required, Err(CommandDenial::SessionNotFound.into()));
    assert_eq!(s.store.session(&session("s1")).await, Ok(None));
    assert_eq!(s.store.snapshot(&room("session:s1")).await, Ok(None));
    assert!(s.sessions_with_pending_feedback("alice").await.is_empty());
}

pub(super) async fn a_feedback_update_is_appended_unchanged(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", None)).await.unwrap();
    let command = |new_feedback, timestamp| SessionCommand::UpdateFeedback {
        feedback: "f1".parse().unwrap(),
        author: None,
        updates: JsonObject::parse(r#"{"score":4.5,"n":[1,{"a":null}]}"#).unwrap(),
        new_feedback,
        timestamp,
    };
    let created = Some(JsonObject::empty());
    s.execute(&command(created.clone(), Some(-1))).await.unwrap();
    let at = s
        .execute(&command(None, None))
        .await
        .unwrap()
        .appended
        .published_at;
    let expected = |new_feedback, timestamp| Event::FeedbackUpdated {
        feedback: "f1".parse().unwrap(),
        updates: JsonObject::parse(r#"{"score":4.5,"n":[1,{"a":null}]}"#).unwrap(),
        new_feedback,
        timestamp,
    };
    assert_eq!(
        s.events("session:s1").await[1..],
        [expected(created, -1), expected(None, at)]
    );
}

const PAYLOAD_LIMIT: usize = 400;

async fn subject_with_payload_limit(kind: StoreKind) -> Subject {
    let limits = StoreLimits {
        max_payload: PAYLOAD_LIMIT,
        ..StoreLimits::default()
    };
    kind.subject(limits).await
}

/// How many bytes the payload of the last event may grow.
async fn free_bytes(s: &Subject) -> usize {
    let event = s.events("session:s1").await.pop().unwrap();
    let event = browser_event::session_event(&session("s1"), &event).unwrap();
    PAYLOAD_LIMIT - event.payload.len()
}

fn one_byte_too_large() -> CommandDenial {
    CommandDenial::PayloadTooLarge {
        bytes: PAYLOAD_LIMIT + 1,
        limit: PAYLOAD_LIMIT,
    }
}

pub(super) async fn a_payload_may_be_as_large_as_the_limit_and_not_larger(kind: StoreKind) {
    let s = subject_with_payload_limit(kind).await;
    let list = participants(&[("alice", Interviewer), ("bob", Observer), ("carol", Observer)]);
    s.execute(&publish("", list.clone())).await.unwrap();
    let free = free_bytes(&s).await;
    for list in [list, None] {
        let status = "s".repeat(free);
        s.execute(&publish(&status, list.clone())).await.unwrap();
        let larger = publish(&format!("{status}s"), list.clone());
        assert_eq!(s.denied(&larger).await, one_byte_too_large());
        // A quote takes two bytes.
        let larger = publish(&format!("{}\"", &status[1..]), list);
        assert_eq!(s.denied(&larger).await, one_byte_too_large());
    }
    assert_eq!(s.s1().await.revision, 3);
}

pub(super) async fn a_feedback_payload_may_be_as_large_as_the_limit_and_not_larger(kind: StoreKind) {
    let s = subject_with_payload_limit(kind).await;
    s.execute(&publish("", None)).await.unwrap();
    let update = |length: usize| SessionCommand::UpdateFeedback {
        feedback: "f1".parse().unwrap(),
        author: None,
        updates: JsonObject::parse(&format!(r#"{{"text":"{}"}}"#, "t".repeat(length))).unwrap(),
        new_feedback: None,
        timestamp: None,
    };
    s.execute(&update(1)).await.unwrap();
    let free = free_bytes(&s).await;
    s.execute(&update(free + 1)).await.unwrap();
    assert_eq!(s.denied(&update(free + 2)).await, one_byte_too_large());
    assert_eq!(s.s1().await.revision, 1);
}

pub(super) async fn any_text_is_stored_unchanged(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let text: String = (0..=0x7f_u8)
        .map(char::from)
        .chain("\u{80}\u{2028}ü€𝄞\u{ffff}/\\\"'".chars())
        .collect();
    let attributes = serde_json::json!({ &text: [&text, 0.1, 1e300, -5e-324, 1.7976931348623157e308, 9007199254740993_u64] });
    let attributes = JsonObject::parse(&attributes.to_string()).unwrap();
    let command = SessionCommand::Publish {
        status: text.as_str().into(),
        participants: None,
        attributes: attributes.clone(),
        expected_revision: None,
    };
    s.execute(&command).await.unwrap();
    let held = s.s1().await;
    assert_eq!((&*held.status, &held.attributes), (text.as_str(), &attributes));
    let updating = SessionCommand::UpdateFeedback {
        feedback: "f1".parse().unwrap(),
        author: None,
        updates: attributes.clone(),
        new_feedback: Some(attributes.clone()),
        timestamp: Some(0),
    };
    s.execute(&updating).await.unwrap();
    match s.events("session:s1").await.as_slice() {
        [
            Event::SessionUpdated { session, .. },
            Event::FeedbackUpdated {
                updates,
                new_feedback,
                ..
            },
        ] => {
            assert_eq!(**session, held);
            assert_eq!((updates, new_feedback.as_ref()), (&attributes, Some(&attributes)));
        }
        other => panic!("{other:?}"),
    }
    s.store.disconnect_user(&user("alice"), &text).await.unwrap();
    assert_eq!(
        s.events("user:alice").await,
        [Event::UserDisconnected { reason: text }]
    );
}

pub(super) async fn the_longest_ids_are_accepted(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let long = "x".repeat(128);
    let odd = "AZ09._~@:+-";
    for id in [long.as_str(), odd] {
        let key = request(&"\u{0}é".repeat(42), 1);
        let list = participants(&[(id, Interviewer)]);
        s.store
            .execute(&session(id), &publish("new", list), Some(&key))
            .await
            .unwrap();
        s.store.require_feedback(&session(id), &[], None).await.unwrap();
        let view = s.store.session(&session(id)).await.unwrap().unwrap();
        assert_eq!(view.session.participants[0].user, user(id));
        assert_eq!(s.sessions_with_pending_feedback(id).await, [id]);
    }
}

pub(super) async fn a_session_may_have_a_thousand_participants(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    // The order of the ids is not that of the participants.
    let names: Vec<String> = (0..1000).map(|n| format!("user-{}", (n * 7) % 1000)).collect();
    let list = names.iter().map(|name| (user(name), Observer)).collect();
    s.execute(&publish("new", Some(list))).await.unwrap();
    s.execute(&publish("ready", None)).await.unwrap();
    let listed: Vec<String> = s
        .s1()
        .await
        .participants
        .iter()
        .map(|p| p.user.to_string())
        .collect();
    assert_eq!(listed, names);
    let required = s.store.require_feedback(&session("s1"), &[], None).await.unwrap();
    let required: Vec<String> = required.users.iter().map(|(user, _)| user.to_string()).collect();
    assert_eq!(required, names);
    s.execute(&publish("over", participants(&[]))).await.unwrap();
    assert_eq!(s.events("session:s1").await[2].removed().len(), 1000);
}

pub(super) async fn participation_is_returned_with_the_tail(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let id = session("s1");
    let of = async |name: &str| s.store.participation(&id, &user(name)).await.unwrap();
    assert_eq!(of("alice").await, None);
    s.execute(&publish("new", participants(&[("alice", Role::Interviewer)])))
        .await
        .unwrap();
    let remove = SessionCommand::RemoveParticipant { user: user("alice") };
    for (command, role) in [(update(None), Some(Role::Interviewer)), (remove, None)] {
        let position = s.execute(&command).await.unwrap().appended.position;
        assert_eq!(of("alice").await, Some(Participation { position, role }));
        assert_eq!(
            of("bob").await.map(|bob| (bob.position, bob.role)),
            Some((position, None))
        );
    }
}
