//! The rules of commands on a session.

use roomcast_core::{CommandDenial, Event, JsonObject, Offset, Role, SessionCommand, browser_event};

use super::*;
use crate::Participation;
use Role::{Interviewee, Interviewer, Observer};

pub(super) async fn a_publish_creates_and_then_replaces(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    let first = s
        .execute(&publish(
            "new",
            people(&[("alice", Interviewer), ("bob", Observer)]),
        ))
        .await
        .unwrap();
    assert_eq!(
        (first.appended.position.offset, first.revision, first.duplicate),
        (Offset(1), 1, false)
    );
    assert!(first.appended.published_at > 0);
    assert_eq!(s.participants().await, ["alice interviewer 1", "bob observer 1"]);

    let list = people(&[("carol", Interviewer), ("bob", Interviewee)]);
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
    assert_eq!(s.bodies("session:s1").await[1], body);

    s.execute(&publish("empty", people(&[]))).await.unwrap();
    assert!(s.participants().await.is_empty());
    assert_eq!(
        s.bodies("session:s1").await[2].removed(),
        [user("carol"), user("bob")]
    );
}

pub(super) async fn a_publish_without_a_list_leaves_participants_alone(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", None)).await.unwrap();
    assert!(s.participants().await.is_empty());
    s.execute(&select("zoe", Observer)).await.unwrap();
    s.execute(&select("alice", Interviewer)).await.unwrap();
    s.execute(&publish("ready", None)).await.unwrap();
    assert_eq!(s.participants().await, ["zoe observer 2", "alice interviewer 3"]);
    match s.bodies("session:s1").await.last() {
        Some(Event::SessionUpdated { session, removed }) => {
            assert_eq!(**session, s.s1().await);
            assert!(removed.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

pub(super) async fn an_expected_revision_is_held_to(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    let expecting = |expected_revision| SessionCommand::Publish {
        status: "x".into(),
        participants: None,
        attributes: JsonObject::empty(),
        expected_revision: Some(expected_revision),
    };
    assert_eq!(
        s.rejected(&expecting(1)).await,
        CommandDenial::RevisionMismatch { current: 0 }
    );
    assert_eq!(s.execute(&expecting(0)).await.unwrap().revision, 1);
    assert_eq!(
        s.rejected(&expecting(0)).await,
        CommandDenial::RevisionMismatch { current: 1 }
    );
    assert_eq!(s.execute(&select("alice", Observer)).await.unwrap().revision, 2);
    assert_eq!(s.execute(&update(None)).await.unwrap().revision, 2);
    assert_eq!(s.execute(&expecting(2)).await.unwrap().revision, 3);
    assert_eq!(
        s.rejected(&expecting(u64::MAX)).await,
        CommandDenial::RevisionMismatch { current: 3 }
    );
    assert_eq!(s.log("session:s1").await.len(), 4);
}

pub(super) async fn a_single_seat_has_one_holder(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", people(&[("alice", Interviewer)])))
        .await
        .unwrap();
    assert_eq!(
        s.rejected(&select("bob", Interviewer)).await,
        CommandDenial::RoleTaken(Interviewer)
    );
    s.execute(&select("alice", Interviewer)).await.unwrap();
    s.execute(&select("bob", Interviewee)).await.unwrap();
    assert_eq!(
        s.rejected(&select("alice", Interviewee)).await,
        CommandDenial::RoleTaken(Interviewee)
    );
    for observer in ["carol", "dave"] {
        s.execute(&select(observer, Observer)).await.unwrap();
    }
    // A seat is free again after a change of role, a removal, and a list without its holder.
    s.execute(&select("alice", Observer)).await.unwrap();
    s.execute(&select("carol", Interviewer)).await.unwrap();
    s.execute(&remove("carol")).await.unwrap();
    s.execute(&select("dave", Interviewer)).await.unwrap();
    s.execute(&publish("later", people(&[("bob", Observer)])))
        .await
        .unwrap();
    s.execute(&select("erin", Interviewer)).await.unwrap();
    s.execute(&select("bob", Interviewee)).await.unwrap();
    assert_eq!(
        s.rejected(&select("erin", Interviewee)).await,
        CommandDenial::RoleTaken(Interviewee)
    );
}

pub(super) async fn a_role_change_keeps_the_place_and_since_when(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", people(&[("zoe", Observer), ("alice", Observer)])))
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

pub(super) async fn only_a_participant_can_be_removed(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", people(&[("alice", Observer)])))
        .await
        .unwrap();
    assert_eq!(s.rejected(&remove("bob")).await, CommandDenial::NotAParticipant);
    assert_eq!(s.execute(&remove("alice")).await.unwrap().revision, 2);
    assert_eq!(s.rejected(&remove("alice")).await, CommandDenial::NotAParticipant);
    assert_eq!(
        s.bodies("session:s1").await[1],
        Event::ParticipantRemoved { user: user("alice") }
    );
}

pub(super) async fn an_unknown_session_is_not_found(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    for command in [select("alice", Observer), update(Some("alice")), remove("alice")] {
        assert_eq!(s.rejected(&command).await, CommandDenial::SessionNotFound);
    }
    let required = s
        .store
        .require_feedback(&session("s1"), &[user("alice")], None)
        .await;
    assert_eq!(required, Err(CommandDenial::SessionNotFound.into()));
    assert_eq!(s.store.session(&session("s1")).await, Ok(None));
    assert_eq!(s.store.snapshot(&room("session:s1")).await, Ok(None));
    assert!(s.pending_feedback_of("alice").await.is_empty());
}

pub(super) async fn an_update_of_feedback_is_appended_as_it_was_told(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", None)).await.unwrap();
    let told = |new_feedback, timestamp| SessionCommand::UpdateFeedback {
        feedback: "f1".parse().unwrap(),
        author: None,
        updates: JsonObject::parse(r#"{"score":4.5,"n":[1,{"a":null}]}"#).unwrap(),
        new_feedback,
        timestamp,
    };
    let created = Some(JsonObject::empty());
    s.execute(&told(created.clone(), Some(-1))).await.unwrap();
    let at = s.execute(&told(None, None)).await.unwrap().appended.published_at;
    let expected = |new_feedback, timestamp| Event::FeedbackUpdated {
        feedback: "f1".parse().unwrap(),
        updates: JsonObject::parse(r#"{"score":4.5,"n":[1,{"a":null}]}"#).unwrap(),
        new_feedback,
        timestamp,
    };
    assert_eq!(
        s.bodies("session:s1").await[1..],
        [expected(created, -1), expected(None, at)]
    );
}

pub(super) async fn a_payload_may_be_as_large_as_the_cap_and_no_larger(kind: Kind) {
    const CAP: usize = 400;
    let s = kind
        .subject(StoreLimits {
            max_payload: CAP,
            ..StoreLimits::default()
        })
        .await;
    let list = people(&[("alice", Interviewer), ("bob", Observer), ("carol", Observer)]);
    s.execute(&publish("", list.clone())).await.unwrap();
    let body = s.bodies("session:s1").await.remove(0);
    let free = CAP
        - browser_event::session_event(&session("s1"), &body)
            .unwrap()
            .payload
            .len();
    for list in [list, None] {
        let status = "s".repeat(free);
        s.execute(&publish(&status, list.clone())).await.unwrap();
        let too_large = CommandDenial::PayloadTooLarge {
            bytes: CAP + 1,
            limit: CAP,
        };
        assert_eq!(
            s.rejected(&publish(&format!("{status}s"), list.clone())).await,
            too_large
        );
        // A quote takes two bytes.
        assert_eq!(
            s.rejected(&publish(&format!("{}\"", &status[1..]), list)).await,
            too_large
        );
    }

    let updating = |length: usize| SessionCommand::UpdateFeedback {
        feedback: "f1".parse().unwrap(),
        author: None,
        updates: JsonObject::parse(&format!(r#"{{"text":"{}"}}"#, "t".repeat(length))).unwrap(),
        new_feedback: None,
        timestamp: None,
    };
    s.execute(&updating(1)).await.unwrap();
    let body = s.bodies("session:s1").await.pop().unwrap();
    let free = CAP
        - browser_event::session_event(&session("s1"), &body)
            .unwrap()
            .payload
            .len();
    s.execute(&updating(free + 1)).await.unwrap();
    let too_large = CommandDenial::PayloadTooLarge {
        bytes: CAP + 1,
        limit: CAP,
    };
    assert_eq!(s.rejected(&updating(free + 2)).await, too_large);
    assert_eq!(s.s1().await.revision, 3);
}

pub(super) async fn any_text_comes_back_as_it_was(kind: Kind) {
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
    match s.bodies("session:s1").await.as_slice() {
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
        s.bodies("user:alice").await,
        [Event::UserDisconnected { reason: text }]
    );
}

pub(super) async fn the_longest_ids_are_taken(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    let long = "x".repeat(128);
    let odd = "AZ09._~@:+-";
    for id in [long.as_str(), odd] {
        let key = request(&"\u{0}é".repeat(42), 1);
        let list = people(&[(id, Interviewer)]);
        s.store
            .execute(&session(id), &publish("new", list), Some(&key))
            .await
            .unwrap();
        s.store.require_feedback(&session(id), &[], None).await.unwrap();
        let view = s.store.session(&session(id)).await.unwrap().unwrap();
        assert_eq!(view.session.participants[0].user, user(id));
        assert_eq!(s.pending_feedback_of(id).await, [id]);
    }
}

pub(super) async fn a_thousand_participants_are_no_trouble(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    // Names whose order is not that of their places.
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
    s.execute(&publish("over", people(&[]))).await.unwrap();
    assert_eq!(s.bodies("session:s1").await[2].removed().len(), 1000);
}

pub(super) async fn whether_a_user_takes_part_is_told_with_the_tail(kind: Kind) {
    let s = kind.subject(StoreLimits::default()).await;
    let id = session("s1");
    let of = async |name: &str| s.store.participation(&id, &user(name)).await.unwrap();
    assert_eq!(of("alice").await, None);
    s.execute(&publish("new", people(&[("alice", Role::Interviewer)])))
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
