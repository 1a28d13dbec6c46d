//! Owed feedback.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browsers, Client, Process, Redis, session, token};
use serde_json::json;

async fn reminds_until_feedback_is_given(dev: Process) {
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend
        .publish(session("s1", "done", "alice=interviewer bob=interviewee"))
        .await;
    backend.publish(session("s2", "done", "alice=interviewer")).await;
    let answer = backend.require_feedback("s1", &[]).await;
    let rooms: Vec<_> = answer.event.iter().map(|event| event.room.as_str()).collect();
    assert_eq!(rooms, ["user:alice", "user:bob"]);
    backend.require_feedback("s2", &["alice"]).await;
    // On every new connection, once for each session.
    for _ in 0..2 {
        let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
        for session in ["s1", "s2"] {
            assert_eq!(
                alice.told("feedback-required").await,
                json!({ "sessionId": session })
            );
        }
        alice.close().await;
    }
    // Somebody else's feedback, and feedback of nobody, changes nothing for alice.
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
        alice.told("feedback-required").await,
        json!({ "sessionId": "s1" })
    );
    assert_eq!(
        alice.told("feedback-required").await,
        json!({ "sessionId": "s2" })
    );
    // A transport that is lost is a new connection.
    alice.lose_transport().await;
    alice.disconnected().await;
    alice.connected().await;
    assert_eq!(
        alice.told("feedback-required").await,
        json!({ "sessionId": "s1" })
    );
    assert_eq!(
        alice.told("feedback-required").await,
        json!({ "sessionId": "s2" })
    );
    let open = backend
        .0
        .get_session(v1::GetSessionRequest {
            session_id: "s1".to_owned(),
        })
        .await
        .unwrap();
    assert_eq!(open.into_inner().open_feedback_user_ids, ["alice"]);

    backend.update_feedback(update("alice")).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    assert_eq!(
        alice.told("feedback-required").await,
        json!({ "sessionId": "s2" })
    );
    backend
        .update_feedback(v1::UpdateFeedbackRequest {
            session_id: "s2".to_owned(),
            ..update("alice")
        })
        .await;
    // Nothing is owed: the first that a new connection is told is a new obligation.
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    backend.publish(session("s3", "done", "alice=observer")).await;
    backend.require_feedback("s3", &[]).await;
    assert_eq!(
        alice.told("feedback-required").await,
        json!({ "sessionId": "s3" })
    );
}

#[tokio::test]
async fn a_user_is_reminded_until_feedback_is_given() {
    reminds_until_feedback_is_given(Process::dev(&[]).await).await;
}

#[tokio::test]
async fn a_user_is_reminded_until_feedback_is_given_with_redis() {
    let redis = Redis::start().await;
    let dev = Process::dev(&["--redis-url", &redis.url()]).await;
    reminds_until_feedback_is_given(dev).await;
}
