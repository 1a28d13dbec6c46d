//! Pending feedback and its reminders.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browser, Browsers, Client, Process, Redis, session, token};
use serde_json::json;

/// The socket's next events require feedback for these sessions.
async fn is_reminded_of(socket: &mut Browser, sessions: &[&str]) {
    for session in sessions {
        assert_eq!(
            socket.expect_event("feedback-required").await,
            json!({ "sessionId": session })
        );
    }
}

/// An update of a session's feedback; the author may be empty.
fn update(session: &str, author: &str) -> v1::UpdateFeedbackRequest {
    v1::UpdateFeedbackRequest {
        session_id: session.to_owned(),
        feedback_id: "f1".to_owned(),
        author_id: author.to_owned(),
        ..Default::default()
    }
}

/// Requires feedback of Alice and Bob for `s1`, and of Alice for `s2`.
async fn require_feedback(backend: &mut Backend) {
    backend
        .publish(session("s1", "done", "alice=interviewer bob=interviewee"))
        .await;
    backend.publish(session("s2", "done", "alice=interviewer")).await;
    let response = backend.require_feedback("s1", &[]).await;
    let rooms: Vec<_> = response.event.iter().map(|event| event.room.as_str()).collect();
    assert_eq!(rooms, ["user:alice", "user:bob"]);
    backend.require_feedback("s2", &["alice"]).await;
}

async fn reminds_until_feedback_is_submitted(dev: Process) {
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    let connect = async || browsers.connect(&dev.url(), &token("alice")).await;
    require_feedback(&mut backend).await;
    // Alice is reminded on every new connection, once for each session.
    for _ in 0..2 {
        let mut alice = connect().await;
        is_reminded_of(&mut alice, &["s1", "s2"]).await;
        alice.close().await;
    }
    // Feedback of another author, or without an author, does not end Alice's pending feedback.
    backend.update_feedback(update("s1", "bob")).await;
    backend.update_feedback(update("s1", "")).await;
    let mut alice = connect().await;
    is_reminded_of(&mut alice, &["s1", "s2"]).await;
    // A reconnection is a new connection.
    alice.close_transport().await;
    alice.disconnected().await;
    alice.connected().await;
    is_reminded_of(&mut alice, &["s1", "s2"]).await;
    let current = backend
        .0
        .get_session(v1::GetSessionRequest {
            session_id: "s1".to_owned(),
        })
        .await
        .unwrap();
    assert_eq!(current.into_inner().open_feedback_user_ids, ["alice"]);

    backend.update_feedback(update("s1", "alice")).await;
    let mut alice = connect().await;
    is_reminded_of(&mut alice, &["s2"]).await;
    backend.update_feedback(update("s2", "alice")).await;
    // No feedback is pending: the first event of a new connection is the next required feedback.
    let mut alice = connect().await;
    backend.publish(session("s3", "done", "alice=observer")).await;
    backend.require_feedback("s3", &[]).await;
    is_reminded_of(&mut alice, &["s3"]).await;
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
