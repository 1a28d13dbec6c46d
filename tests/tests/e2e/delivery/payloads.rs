//! Browsers receive the values that a backend published, with either store.

use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browser, Browsers, Client, Process, Redis, participants, session, structure, token,
};
use serde_json::{Value, json};

/// A process with the embedded store, and one with Redis.
async fn both_stores(redis: &Redis) -> [Process; 2] {
    [
        Process::dev(&[]).await,
        Process::dev(&["--redis-url", &redis.url()]).await,
    ]
}

/// Values that a store could change: empty lists and objects, numbers at their limits, all kinds of text.
fn unusual_values() -> Value {
    json!({
        "emptyList": [],
        "emptyObject": {},
        "nested": { "list": [[], {}, [[]]], "nothing": null, "no": false },
        "numbers": [0, -1, 9_007_199_254_740_991_i64, 0.1, 1e-300, 1e300, 4_294_967_296_i64, 1_000_000_000_000_000_i64, 123_456_789.123_456_7],
        "text": "\u{0}\u{1}\u{7f}\u{85}\u{2028}\u{2029}\u{fffd}\u{10ffff} \"\\/ é 漢 👩‍👩‍👧 </script> %s {s:1} $1",
        "": "no name",
        "a.b-c d\n\"ü": "an odd name",
        "__proto__": { "x": 1 },
        "constructor": 1,
        "large": "x".repeat(50_000),
    })
}

#[tokio::test]
async fn unusual_payloads_are_delivered_unchanged() {
    let redis = Redis::start().await;
    for dev in both_stores(&redis).await {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        let mut seen = unusual_values();
        let published = v1::Session {
            attributes: Some(structure(&seen)),
            ..session("s1", "\u{0}\" ü \u{2028}", "alice=interviewer")
        };
        backend.publish(published.clone()).await;
        seen["id"] = "s1".into();
        seen["status"] = "\u{0}\" ü \u{2028}".into();
        seen["participants"] = json!([{ "userId": "alice", "role": "interviewer" }]);
        for (client, transport) in [
            (Client::Js48, "websocket"),
            (Client::Js48, "polling"),
            (Client::Python, "polling"),
        ] {
            let browsers = Browsers::start(client);
            let options = json!({ "token": token("alice"), "transports": [transport] });
            let mut alice = browsers.open_with(&dev.url(), options).await;
            alice.connected().await;
            receives_the_session_unchanged(&mut alice, &mut backend, &published, &seen).await;
            receives_feedback_unchanged(&mut alice, &mut backend).await;
            backend.publish(published.clone()).await;
            alice.expect_event("session-updated").await;
            alice.close().await;
        }
        let request = v1::GetSessionRequest {
            session_id: "s1".to_owned(),
        };
        let read = backend.0.get_session(request).await.unwrap().into_inner();
        assert_eq!(read.session.unwrap().attributes, published.attributes);
    }
}

/// The snapshot, the event, and the snapshot after another command changed the session.
async fn receives_the_session_unchanged(
    alice: &mut Browser,
    backend: &mut Backend,
    published: &v1::Session,
    seen: &Value,
) {
    assert_eq!(
        without_proto(alice.join("s1").await["session"].take()),
        without_proto(seen.clone())
    );
    backend.publish(published.clone()).await;
    let event = alice.expect_event("session-updated").await;
    assert_eq!(
        without_proto(event["session"].clone()),
        without_proto(seen.clone())
    );
    backend.select_role("s1", "alice", "observer").await.unwrap();
    alice.expect_event("role-selected").await;
    let mut changed = seen.clone();
    changed["participants"][0]["role"] = "observer".into();
    assert_eq!(
        without_proto(alice.join("s1").await["session"].take()),
        without_proto(changed)
    );
}

async fn receives_feedback_unchanged(alice: &mut Browser, backend: &mut Backend) {
    let feedback = v1::UpdateFeedbackRequest {
        session_id: "s1".to_owned(),
        feedback_id: "f1".to_owned(),
        updates: Some(structure(&unusual_values())),
        new_feedback: Some(structure(&json!({}))),
        ..Default::default()
    };
    backend.update_feedback(feedback).await;
    let event = alice.expect_event("feedback-updated").await;
    assert_eq!(
        without_proto(event["updates"].clone()),
        without_proto(unusual_values())
    );
    assert_eq!(event["newFeedback"], json!({}));
}

/// JavaScript objects lose this field when the driver copies them; the product does not change it.
fn without_proto(mut value: Value) -> Value {
    value.as_object_mut().unwrap().remove("__proto__");
    value
}

#[tokio::test]
async fn ids_of_every_allowed_character_and_length_work() {
    let redis = Redis::start().await;
    let odd = "AZaz09._~@:+-";
    let long = format!("{odd}{}", "~".repeat(128 - odd.len()));
    for dev in both_stores(&redis).await {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        let browsers = Browsers::start(Client::Js48);
        for id in [odd, &long, ":", "..", "__proto__", "session:s1"] {
            let user = id;
            let listed = v1::Participants {
                list: vec![v1::Participant {
                    user_id: user.to_owned(),
                    role: v1::Role::Observer.into(),
                }],
            };
            backend
                .publish(v1::Session {
                    participants: Some(listed),
                    ..session(id, "a", "")
                })
                .await;
            let mut browser = browsers.connect(&dev.url(), &token(user)).await;
            let response = browser.join(id).await;
            let list = json!([{ "userId": user, "role": "observer" }]);
            assert_eq!(response["session"]["participants"], list);
            backend
                .publish(v1::Session {
                    participants: None,
                    ..session(id, "b", "")
                })
                .await;
            let (name, payload, cursor) = browser.next_event().await;
            assert_eq!(
                (name.as_str(), &payload["sessionId"]),
                ("session-updated", &json!(id))
            );
            let again = browsers.connect(&dev.url(), &token(user)).await;
            let response = again
                .request("join-session", json!([id, { "after": cursor }]))
                .await;
            assert_eq!(
                (&response["ok"], &response["recovered"]),
                (&json!(true), &json!(true)),
                "{response}"
            );
            let event = backend.require_feedback(id, &[]).await.event;
            assert_eq!(event[0].room, format!("user:{user}"));
            assert_eq!(
                browser.expect_event("feedback-required").await,
                json!({ "sessionId": id })
            );
        }
    }
}

#[tokio::test]
async fn an_empty_participant_list_revokes_every_socket_and_an_unset_list_none() {
    let redis = Redis::start().await;
    for dev in both_stores(&redis).await {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        let browsers = Browsers::start(Client::Js48);
        backend
            .publish(session("s1", "a", "alice=interviewer bob=observer"))
            .await;
        let mut sockets = Vec::new();
        for user in ["alice", "bob"] {
            let mut browser = browsers.connect(&dev.url(), &token(user)).await;
            browser.join("s1").await;
            sockets.push(browser);
        }
        let unset = v1::Session {
            participants: None,
            ..session("s1", "b", "")
        };
        backend.publish(unset).await;
        backend.publish(session("s1", "c", "")).await;
        for browser in &mut sockets {
            let update = browser.expect_event("session-updated").await;
            assert_eq!(update["session"]["participants"].as_array().unwrap().len(), 2);
            assert_eq!(browser.expect_event("session-revoked").await["sessionId"], "s1");
        }
        // With a new list, only its participants may join.
        let participants = Some(participants("bob=interviewer"));
        backend
            .publish(v1::Session {
                participants,
                ..session("s1", "d", "")
            })
            .await;
        let [alice, bob] = &mut sockets[..] else {
            unreachable!()
        };
        let response = alice.request("join-session", json!(["s1"])).await;
        assert_eq!(response["error"]["code"], "not_a_participant", "{response}");
        assert_eq!(bob.join("s1").await["role"], "interviewer");
    }
}
