//! Each of the four events reaches exactly the right sockets, with exactly the documented payload.

use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browser, Browsers, Client, Process, participants as list_of, session, structure, token,
};
use serde_json::{Value, json};

/// Seconds since the Unix epoch of 2025-05-08T01:20:00Z.
const FEEDBACK_TIME: i64 = 1_746_667_200;

async fn delivers_every_event(client: Client, options: Value) {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(client);
    backend
        .publish(session("s1", "scheduled", "alice=interviewer bob=interviewee"))
        .await;
    backend.publish(session("s2", "scheduled", "eve=observer")).await;
    let open = async |user: &str| {
        let mut options = options.clone();
        options["token"] = token(user).into();
        let mut browser = browsers.open_with(&dev.url(), options).await;
        browser.connected().await;
        browser
    };
    let (mut alice, mut bob, mut eve) = (open("alice").await, open("bob").await, open("eve").await);
    receives_the_session_on_join(&mut alice).await;
    bob.join("s1").await;
    eve.join("s2").await;

    delivers_session_updates(&mut backend, &mut alice, &mut bob).await;
    delivers_role_selections(&mut backend, &mut alice, &mut bob).await;
    // Only Bob's socket receives the event; Alice's next event shows that hers did not.
    backend.require_feedback("s1", &["bob"]).await;
    assert_eq!(
        bob.expect_event("feedback-required").await,
        json!({ "sessionId": "s1" })
    );
    delivers_feedback_updates(&mut backend, &mut alice, &mut bob).await;

    // The first event after Eve's join is the update of her own session: none of s1 reached her.
    backend
        .publish(v1::Session {
            participants: Some(list_of("eve=observer")),
            ..session("s2", "done", "")
        })
        .await;
    assert_eq!(
        eve.expect_event("session-updated").await["session"]["status"],
        "done"
    );
}

/// The participants of `s1`, as browsers receive them.
fn alice_and_bob() -> Value {
    json!([
        { "userId": "alice", "role": "interviewer" },
        { "userId": "bob", "role": "interviewee" },
    ])
}

async fn receives_the_session_on_join(alice: &mut Browser) {
    let joined = alice.join("s1").await;
    assert!(joined["position"].is_string(), "{joined}");
    let expected = json!({
        "ok": true,
        "sessionId": "s1",
        "role": "interviewer",
        "position": joined["position"],
        "recovered": false,
        "session": { "id": "s1", "status": "scheduled", "participants": alice_and_bob() },
    });
    assert_eq!(joined, expected);
}

async fn delivers_session_updates(backend: &mut Backend, alice: &mut Browser, bob: &mut Browser) {
    let attributes =
        json!({ "topic": "Rust \"2024\" ü", "level": 3, "ratio": 0.5, "tags": ["a", null, { "b": true }] });
    let update = v1::Session {
        status: "in progress".to_owned(),
        participants: None,
        attributes: Some(structure(&attributes)),
        ..session("s1", "", "")
    };
    backend.publish(update).await;
    let mut seen = json!({ "id": "s1", "status": "in progress", "participants": alice_and_bob() });
    for (name, value) in attributes.as_object().unwrap() {
        seen[name] = value.clone();
    }
    let payload = json!({ "sessionId": "s1", "session": seen });
    both_receive(alice, bob, "session-updated", payload).await;
}

async fn delivers_role_selections(backend: &mut Backend, alice: &mut Browser, bob: &mut Browser) {
    backend.select_role("s1", "carol", "observer").await.unwrap();
    let payload = json!({ "sessionId": "s1", "userId": "carol", "role": "observer" });
    both_receive(alice, bob, "role-selected", payload).await;
}

/// Updates of existing and of new feedback, with times of different precision.
async fn delivers_feedback_updates(backend: &mut Backend, alice: &mut Browser, bob: &mut Browser) {
    let update = v1::UpdateFeedbackRequest {
        session_id: "s1".to_owned(),
        feedback_id: "f1".to_owned(),
        updates: Some(structure(&json!({ "score": 4, "text": "good\nwork" }))),
        timestamp: Some(prost_types::Timestamp {
            seconds: FEEDBACK_TIME,
            nanos: 0,
        }),
        ..Default::default()
    };
    backend.update_feedback(update.clone()).await;
    let payload = json!({
        "sessionId": "s1",
        "feedbackId": "f1",
        "updates": { "score": 4, "text": "good\nwork" },
        "timestamp": "2025-05-08T01:20:00.000Z",
    });
    both_receive(alice, bob, "feedback-updated", payload).await;

    let new_feedback = Some(structure(&json!({ "id": "f1", "score": 5 })));
    let timestamp = Some(prost_types::Timestamp {
        seconds: FEEDBACK_TIME,
        nanos: 7_999_999,
    });
    backend
        .update_feedback(v1::UpdateFeedbackRequest {
            new_feedback,
            updates: None,
            timestamp,
            ..update
        })
        .await;
    let payload = json!({
        "sessionId": "s1",
        "feedbackId": "f1",
        "updates": {},
        "newFeedback": { "id": "f1", "score": 5 },
        "timestamp": "2025-05-08T01:20:00.007Z",
    });
    both_receive(alice, bob, "feedback-updated", payload).await;
}

async fn both_receive(alice: &mut Browser, bob: &mut Browser, name: &str, payload: Value) {
    for browser in [alice, bob] {
        assert_eq!(browser.expect_event(name).await, payload);
    }
}

#[tokio::test]
async fn the_newest_client_receives_every_event_on_websocket() {
    delivers_every_event(Client::Js48, json!({ "transports": ["websocket"] })).await;
}

#[tokio::test]
async fn the_newest_client_receives_every_event_on_polling() {
    delivers_every_event(Client::Js48, json!({ "transports": ["polling"] })).await;
}

#[tokio::test]
async fn the_newest_client_receives_every_event_across_the_upgrade() {
    delivers_every_event(Client::Js48, json!({})).await;
}

#[tokio::test]
async fn an_old_client_receives_every_event() {
    delivers_every_event(Client::Js46, json!({})).await;
}

#[tokio::test]
async fn a_python_client_receives_every_event() {
    delivers_every_event(Client::Python, json!({})).await;
}

#[tokio::test]
async fn feedback_without_a_timestamp_has_the_time_of_publication() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend.publish(session("s1", "done", "alice=observer")).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    alice.join("s1").await;
    let request = v1::UpdateFeedbackRequest {
        session_id: "s1".to_owned(),
        feedback_id: "f1".to_owned(),
        ..Default::default()
    };
    let response = backend.update_feedback(request).await;
    let published = response.event.unwrap().published_at.unwrap().to_string();
    // Browsers always receive three digits of a second's fraction; the other text has only as many as it needs.
    let (second, fraction) = published
        .trim_end_matches('Z')
        .split_once('.')
        .unwrap_or((published.trim_end_matches('Z'), ""));
    let timestamp = format!("{second}.{fraction:0<3}Z");
    let payload = json!({ "sessionId": "s1", "feedbackId": "f1", "updates": {}, "timestamp": timestamp });
    assert_eq!(alice.expect_event("feedback-updated").await, payload);
}

#[tokio::test]
async fn every_socket_of_a_user_receives_each_event() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend
        .publish(session("s1", "scheduled", "alice=observer"))
        .await;
    let mut tabs = Vec::new();
    for _ in 0..3 {
        let mut tab = browsers.connect(&dev.url(), &token("alice")).await;
        tab.join("s1").await;
        tabs.push(tab);
    }
    backend.require_feedback("s1", &[]).await;
    backend.publish(session("s1", "done", "alice=observer")).await;
    for tab in &mut tabs {
        // The order of events of different rooms is not defined.
        let (first, _, _) = tab.next_event().await;
        let (second, _, _) = tab.next_event().await;
        let mut names = [first, second];
        names.sort();
        assert_eq!(names, ["feedback-required", "session-updated"]);
    }
}
