//! Pending feedback and its reminders.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browsers, Client, Process, Redis, session, token};
use serde_json::json;

async fn reminds_until_feedback_is_submitted(dev: Process) {
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend
        .publish(session("s1", "done", "alice=interviewer bob=interviewee"))
        .await;
    backend.publish(session("s2", "done", "alice=interviewer")).await;
    let response = backend.require_feedback("s1", &[]).await;
    let rooms: Vec<_> = response.event.iter().map(|event| event.room.as_str()).collect();
    assert_eq!(rooms, ["user:alice", "user:bob"]);
    backend.require_feedback("s2", &["alice"]).await;
    // Alice is reminded on every new connection, once for each session.
    for _ in 0..2 {
        let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
        for session in ["s1", "s2"] {
            assert_eq!(
                alice.expect_event("feedback-required").await,
                json!({ "sessionId": session })
            );
        }
        alice.close().await;
    }
    // Feedback of another author, or without an author, does not end Alice's pending feedback.
    let update = |author: &str| v1::UpdateFeedbackRequest {
        session_id: "s1".to_owned(),
        feedback_id: "f1".to_owned(),
        author_id: author.to_owned(),
        ..Default::default()
    };
    backend.update_feedback(update("bob")).await;
    backend.update_feedback(update("")).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    assert_eq!(
        alice.expect_event("feedback-required").await,
        json!({ "sessionId": "s1" })
    );
    assert_eq!(
        alice.expect_event("feedback-required").await,
        json!({ "sessionId": "s2" })
    );
    // A reconnection is a new connection.
    alice.close_transport().await;
    alice.disconnected().await;
    alice.connected().await;
    assert_eq!(
        alice.expect_event("feedback-required").await,
        json!({ "sessionId": "s1" })
    );
    assert_eq!(
        alice.expect_event("feedback-required").await,
        json!({ "sessionId": "s2" })
    );
    let current = backend
        .0
        .get_session(v1::GetSessionRequest {
            session_id: "s1".to_owned(),
        })
        .await
        .unwrap();
    assert_eq!(current.into_inner().open_feedback_user_ids, ["alice"]);

    backend.update_feedback(update("alice")).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    assert_eq!(
        alice.expect_event("feedback-required").await,
        json!({ "sessionId": "s2" })
    );
    backend
        .update_feedback(v1::UpdateFeedbackRequest {
            session_id: "s2".to_owned(),
            ..update("alice")
        })
        .await;
    // No feedback is pending: the first event of a new connection is the next required feedback.
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    backend.publish(session("s3", "done", "alice=observer")).await;
    backend.require_feedback("s3", &[]).await;
    assert_eq!(
        alice.expect_event("feedback-required").await,
        json!({ "sessionId": "s3" })
    );
}

#[tokio::test]
async fn a_user_is_reminded_until_feedback_is_submitted() {
    reminds_until_feedback_is_submitted(Process::dev(&[]).await).await;
}

#[tokio::test]
async fn a_user_is_reminded_until_feedback_is_submitted_with_redis() {
    let redis = Redis::start().await;
    let dev = Process::dev(&["--redis-url", &redis.url()]).await;
    reminds_until_feedback_is_submitted(dev).await;
}
