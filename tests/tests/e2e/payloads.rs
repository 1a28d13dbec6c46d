//! What a backend says is what browsers see, whatever it is made of and whichever store it went through.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browsers, Client, Process, Redis, participants, session, structure, token};
use serde_json::{Value, json};

/// An embedded store, and a Redis.
async fn both_stores(redis: &Redis) -> [Process; 2] {
    [
        Process::dev(&[]).await,
        Process::dev(&["--redis-url", &redis.url()]).await,
    ]
}

/// What a store on the way could bend: empty lists and objects, numbers at their limits, all kinds of text.
fn awkward() -> Value {
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
async fn what_is_awkward_to_store_is_seen_as_it_was_published() {
    let redis = Redis::start().await;
    for dev in both_stores(&redis).await {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        let mut seen = awkward();
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
            // The snapshot, the event, and the snapshot of a session that another command changed.
            assert_eq!(
                without_proto(alice.join("s1").await["session"].take()),
                without_proto(seen.clone())
            );
            backend.publish(published.clone()).await;
            let told = alice.told("session-updated").await;
            assert_eq!(
                without_proto(told["session"].clone()),
                without_proto(seen.clone())
            );
            backend.select_role("s1", "alice", "observer").await.unwrap();
            alice.told("role-selected").await;
            let mut changed = seen.clone();
            changed["participants"][0]["role"] = "observer".into();
            assert_eq!(
                without_proto(alice.join("s1").await["session"].take()),
                without_proto(changed)
            );
            // Feedback goes the same way.
            let feedback = v1::UpdateFeedbackRequest {
                session_id: "s1".to_owned(),
                feedback_id: "f1".to_owned(),
                updates: Some(structure(&awkward())),
                new_feedback: Some(structure(&json!({}))),
                ..Default::default()
            };
            backend.update_feedback(feedback).await;
            let told = alice.told("feedback-updated").await;
            assert_eq!(without_proto(told["updates"].clone()), without_proto(awkward()));
            assert_eq!(told["newFeedback"], json!({}));
            backend.publish(published.clone()).await;
            alice.told("session-updated").await;
            alice.close().await;
        }
        let request = v1::GetSessionRequest {
            session_id: "s1".to_owned(),
        };
        let read = backend.0.get_session(request).await.unwrap().into_inner();
        assert_eq!(read.session.unwrap().attributes, published.attributes);
    }
}

/// JavaScript's objects lose a field of this name when the driver copies them; that is no fault of the way here.
fn without_proto(mut value: Value) -> Value {
    value.as_object_mut().unwrap().remove("__proto__");
    value
}

#[tokio::test]
async fn ids_may_have_every_allowed_character_and_the_greatest_length() {
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
            let answer = browser.join(id).await;
            let people = json!([{ "userId": user, "role": "observer" }]);
            assert_eq!(answer["session"]["participants"], people);
            backend
                .publish(v1::Session {
                    participants: None,
                    ..session(id, "b", "")
                })
                .await;
            let (name, payload, cursor) = browser.event().await;
            assert_eq!(
                (name.as_str(), &payload["sessionId"]),
                ("session-updated", &json!(id))
            );
            let again = browsers.connect(&dev.url(), &token(user)).await;
            let answer = again.ask("join-session", json!([id, { "after": cursor }])).await;
            assert_eq!(
                (&answer["ok"], &answer["recovered"]),
                (&json!(true), &json!(true)),
                "{answer}"
            );
            let event = backend.require_feedback(id, &[]).await.event;
            assert_eq!(event[0].room, format!("user:{user}"));
            assert_eq!(
                browser.told("feedback-required").await,
                json!({ "sessionId": id })
            );
        }
    }
}

#[tokio::test]
async fn a_list_that_becomes_empty_lets_nobody_stay_and_an_unset_one_everybody() {
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
            let told = browser.told("session-updated").await;
            assert_eq!(told["session"]["participants"].as_array().unwrap().len(), 2);
            assert_eq!(browser.told("session-revoked").await["sessionId"], "s1");
        }
        // Let in again: the list is a new one, and whoever is in it may join.
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
        let answer = alice.ask("join-session", json!(["s1"])).await;
        assert_eq!(answer["error"]["code"], "not_a_participant", "{answer}");
        assert_eq!(bob.join("s1").await["role"], "interviewer");
    }
}
