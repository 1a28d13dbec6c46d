//! `StreamCommands`: batches of commands over one stream.

use prost::Message as _;
use roomcast_control_plane::Config;
use roomcast_proto::{
    batch::MAX_BATCH_COMMANDS,
    v1::{self, command::Command as CommandRequest, command_result::Result as CommandOutcome},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::{
    harness::TestServer,
    requests::{code_and_reason, invalid_fields, object, offset, publish, select},
};

/// A caller's end of a stream of commands.
struct Caller {
    requests: mpsc::Sender<v1::StreamCommandsRequest>,
    responses: Streaming<v1::StreamCommandsResponse>,
}

impl Caller {
    async fn start(server: &TestServer) -> Self {
        let (requests, receiver) = mpsc::channel(64);
        let responses = server
            .backend()
            .stream_commands(ReceiverStream::new(receiver))
            .await
            .unwrap()
            .into_inner();
        Self { requests, responses }
    }

    async fn send(&self, commands: impl IntoIterator<Item = CommandRequest>) {
        let command = |request| v1::Command {
            command: Some(request),
        };
        let commands = commands.into_iter().map(command).collect();
        self.requests
            .send(v1::StreamCommandsRequest { commands })
            .await
            .unwrap();
    }

    async fn results(&mut self) -> Result<Vec<CommandOutcome>, Status> {
        let response = self.responses.message().await?.expect("a response");
        Ok(response
            .results
            .into_iter()
            .map(|result| result.result.unwrap())
            .collect())
    }

    /// The status with which the stream ends.
    async fn end(&mut self) -> Status {
        self.responses.message().await.expect_err("the end of the stream")
    }
}

fn role(session: &str, user: &str) -> CommandRequest {
    CommandRequest::SelectRole(select(session, user, v1::Role::Observer))
}

fn event_offset(outcome: &CommandOutcome) -> u64 {
    match outcome {
        CommandOutcome::PublishSessionUpdate(response) => offset(response.event.as_ref()),
        CommandOutcome::SelectRole(response) => offset(response.event.as_ref()),
        CommandOutcome::RequireFeedback(response) => offset(response.event.first()),
        CommandOutcome::UpdateFeedback(response) => offset(response.event.as_ref()),
        CommandOutcome::RemoveParticipant(response) => offset(response.event.as_ref()),
        CommandOutcome::Error(error) => panic!("{error:?}"),
    }
}

fn error_of(outcome: &CommandOutcome) -> &tonic_types::Status {
    let CommandOutcome::Error(error) = outcome else {
        panic!("not an error: {outcome:?}")
    };
    error
}

#[tokio::test]
async fn results_have_the_order_of_their_commands() {
    let server = TestServer::start().await;
    let mut caller = Caller::start(&server).await;
    let feedback = v1::UpdateFeedbackRequest {
        session_id: "s1".into(),
        feedback_id: "f1".into(),
        updates: Some(object("note", "good")),
        ..Default::default()
    };
    let require = v1::RequireFeedbackRequest {
        session_id: "s1".into(),
        user_ids: vec!["alice".into()],
        ..Default::default()
    };
    let remove = v1::RemoveParticipantRequest {
        session_id: "s1".into(),
        user_id: "carol".into(),
        ..Default::default()
    };
    caller
        .send([
            CommandRequest::PublishSessionUpdate(publish("s1")),
            role("s1", "carol"),
            CommandRequest::RequireFeedback(require),
            CommandRequest::UpdateFeedback(feedback),
            CommandRequest::RemoveParticipant(remove),
        ])
        .await;
    let results = caller.results().await.unwrap();
    let kinds = (&results[0], &results[1], &results[2], &results[3], &results[4]);
    assert!(
        matches!(
            kinds,
            (
                CommandOutcome::PublishSessionUpdate(_),
                CommandOutcome::SelectRole(_),
                CommandOutcome::RequireFeedback(_),
                CommandOutcome::UpdateFeedback(_),
                CommandOutcome::RemoveParticipant(_)
            )
        ),
        "{results:?}"
    );
    assert_eq!(
        results.iter().map(event_offset).collect::<Vec<_>>(),
        [1, 2, 1, 3, 4]
    );
}

#[tokio::test]
async fn commands_of_one_session_take_effect_in_order() {
    let server = TestServer::start().await;
    for session in ["s1", "s2", "s3"] {
        server.publish(session).await;
    }
    let mut caller = Caller::start(&server).await;
    let sessions = || ["s1", "s2", "s3"].into_iter().cycle();
    for batch in 0..10 {
        let commands = sessions().take(300).enumerate();
        caller
            .send(commands.map(|(n, session)| role(session, &format!("u{batch}.{n}"))))
            .await;
    }
    drop(caller.requests);
    let mut last = [1, 1, 1];
    while let Some(response) = caller.responses.message().await.unwrap() {
        assert_eq!(response.results.len(), 300);
        for (n, result) in response.results.into_iter().enumerate() {
            let at = event_offset(&result.result.unwrap());
            assert_eq!(at, last[n % 3] + 1);
            last[n % 3] = at;
        }
    }
    assert_eq!(last, [1001, 1001, 1001]);
}

#[tokio::test]
async fn an_invalid_command_fails_alone_and_with_the_error_of_its_method() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let bad = [
        select("nowhere", "carol", v1::Role::Observer),
        select("s1", "carol", v1::Role::Interviewer),
        select("no id", "", v1::Role::Unspecified),
    ];
    let mut caller = Caller::start(&server).await;
    let mut commands = vec![role("s1", "dave")];
    commands.extend(bad.iter().cloned().map(CommandRequest::SelectRole));
    commands.push(role("s1", "erin"));
    caller.send(commands).await;
    let results = caller.results().await.unwrap();
    assert_eq!((event_offset(&results[0]), event_offset(&results[4])), (2, 3));
    for (request, result) in bad.into_iter().zip(&results[1..4]) {
        let status = server.backend().select_role(request).await.unwrap_err();
        assert_eq!(error_of(result).encode_to_vec(), status.details());
    }
}

/// A server with the session `s1` and a limit of 1,000 bytes for each request, and a caller.
async fn start_with_small_requests() -> (TestServer, Caller) {
    let config = Config {
        max_request_bytes: 1_000,
        ..Config::default()
    };
    let server = TestServer::with_config(config).await;
    server.publish("s1").await;
    let caller = Caller::start(&server).await;
    (server, caller)
}

#[tokio::test]
async fn an_empty_command_and_one_that_is_too_large_fail_alone() {
    let (_server, mut caller) = start_with_small_requests().await;
    let select = v1::SelectRoleRequest {
        request_id: "x".repeat(1_000),
        ..select("s1", "carol", v1::Role::Observer)
    };
    let command = |command| v1::Command { command };
    let commands = vec![
        command(None),
        command(Some(CommandRequest::SelectRole(select))),
        command(Some(role("s1", "dave"))),
    ];
    caller
        .requests
        .send(v1::StreamCommandsRequest { commands })
        .await
        .unwrap();
    let results = caller.results().await.unwrap();
    assert!(error_of(&results[0]).message.contains("command: is required"));
    assert!(error_of(&results[1]).message.contains("at most 1000 bytes"));
    assert_eq!(event_offset(&results[2]), 2);
}

#[tokio::test]
async fn a_repeated_request_id_returns_the_first_response() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let request = v1::SelectRoleRequest {
        request_id: "a-key".into(),
        ..select("s1", "carol", v1::Role::Observer)
    };
    let mut caller = Caller::start(&server).await;
    caller
        .send([
            CommandRequest::SelectRole(request.clone()),
            CommandRequest::SelectRole(request.clone()),
        ])
        .await;
    let results = caller.results().await.unwrap();
    let response = server.backend().select_role(request).await.unwrap().into_inner();
    let CommandOutcome::SelectRole(again) = &results[1] else {
        panic!("{results:?}")
    };
    assert_eq!((event_offset(&results[0]), again), (2, &response));
    assert!(response.duplicate);
}

#[tokio::test]
async fn a_batch_that_is_too_large_ends_the_stream_after_earlier_responses() {
    let (_server, mut caller) = start_with_small_requests().await;
    caller.send([role("s1", "carol")]).await;
    caller
        .send((0..MAX_BATCH_COMMANDS).map(|_| role("s1", "dave")))
        .await;
    assert_eq!(event_offset(&caller.results().await.unwrap()[0]), 2);
    let end = caller.end().await;
    assert_eq!(
        code_and_reason(&end),
        (Code::InvalidArgument, "REQUEST_TOO_LARGE".into())
    );
    assert!(end.message().contains("at most 4000 bytes"), "{end:?}");
}

#[tokio::test]
async fn a_batch_of_too_many_commands_ends_the_stream_and_executes_none() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let mut caller = Caller::start(&server).await;
    caller
        .send((0..=MAX_BATCH_COMMANDS).map(|_| role("s1", "dave")))
        .await;
    let end = caller.end().await;
    assert_eq!(
        (end.code(), invalid_fields(&end)),
        (Code::InvalidArgument, vec!["commands".to_owned()])
    );
    assert_eq!(server.publish("s1").await.revision, 2);
}

#[tokio::test]
async fn a_drain_responds_to_received_batches_and_accepts_no_new_one() {
    let server = TestServer::start().await;
    let held_back = server.store.command_permits.acquire().await.unwrap();
    let mut caller = Caller::start(&server).await;
    caller
        .send([
            CommandRequest::PublishSessionUpdate(publish("s1")),
            role("s1", "carol"),
        ])
        .await;
    server.store.command_arrived.notified().await;
    server.shutdown.begin("test");
    caller.send([role("s1", "dave")]).await;
    drop(held_back);
    let results = caller.results().await.unwrap();
    assert_eq!(results.iter().map(event_offset).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        code_and_reason(&caller.end().await),
        (Code::Unavailable, "DRAINING".into())
    );
    drop((server.channel, caller));
    server.serving.await.unwrap().unwrap();
}
