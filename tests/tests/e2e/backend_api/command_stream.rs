//! `StreamCommands`, also while a control plane drains or the store is unreachable.

use std::collections::VecDeque;

use roomcast_proto::v1::{self, command::Command, command_result::Result as CommandResult};
use roomcast_tests::{Cluster, Redis, eventually, reason, session, within};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

/// A caller with one stream, which keeps the batches without a response.
struct Caller {
    batches: mpsc::Sender<v1::StreamCommandsRequest>,
    responses: Streaming<v1::StreamCommandsResponse>,
    pending: VecDeque<v1::StreamCommandsRequest>,
}

impl Caller {
    async fn start(cluster: &Cluster, control_plane: usize) -> Self {
        let (batches, sent) = mpsc::channel(4);
        let mut backend = cluster.backend(control_plane).await;
        let stream = backend.0.stream_commands(ReceiverStream::new(sent));
        Self {
            batches,
            responses: within("a stream", stream).await.unwrap().into_inner(),
            pending: VecDeque::new(),
        }
    }

    /// Sends a batch; returns whether the stream still accepts batches.
    async fn send(&mut self, batch: v1::StreamCommandsRequest) -> bool {
        self.pending.push_back(batch.clone());
        self.batches.send(batch).await.is_ok()
    }

    /// The results of the first batch without a response.
    async fn results(&mut self) -> Result<Vec<CommandResult>, Status> {
        let response = within("a response", self.responses.message()).await?;
        self.pending.pop_front();
        let results = response.expect("a response").results;
        Ok(results.into_iter().map(|result| result.result.unwrap()).collect())
    }
}

fn batch(commands: impl IntoIterator<Item = Command>) -> v1::StreamCommandsRequest {
    let wrap = |command| v1::Command {
        command: Some(command),
    };
    v1::StreamCommandsRequest {
        commands: commands.into_iter().map(wrap).collect(),
    }
}

fn feedback(session: usize, n: usize) -> Command {
    Command::UpdateFeedback(v1::UpdateFeedbackRequest {
        session_id: format!("s{session}"),
        feedback_id: format!("f{n}"),
        request_id: format!("request {n}"),
        ..Default::default()
    })
}

const SESSIONS: usize = 10;
/// Commands of a batch: five for each session.
const COMMANDS: usize = 50;

fn of_number(batch_number: usize) -> v1::StreamCommandsRequest {
    batch((0..COMMANDS).map(|at| feedback(at % SESSIONS, batch_number * COMMANDS + at)))
}

#[tokio::test]
async fn i8_commands_without_a_response_from_a_draining_control_plane_take_effect_once() {
    let mut cluster = Cluster::start(2, 0).await;
    let mut backend = cluster.backend(0).await;
    for n in 0..SESSIONS {
        backend.publish(session(&format!("s{n}"), "running", "")).await;
    }
    let mut caller = Caller::start(&cluster, 0).await;
    for number in 0..4 {
        assert!(caller.send(of_number(number)).await);
    }
    caller.results().await.unwrap();
    cluster.control_planes[0].signal("TERM");
    let mut number = 4;
    let status = loop {
        let _ = caller.send(of_number(number)).await; // the response below shows the end of the stream
        number += 1;
        match caller.results().await {
            Ok(results) => assert_eq!(results.len(), COMMANDS),
            Err(status) => break status,
        }
    };
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Unavailable, "DRAINING")
    );
    assert!(!caller.pending.is_empty());

    let mut elsewhere = Caller::start(&cluster, 1).await;
    for batch in caller.pending {
        assert!(elsewhere.send(batch).await);
        elsewhere.results().await.unwrap();
    }
    // Every command took effect once: in each session, the next offset is that of the next command.
    elsewhere.send(of_number(number)).await;
    for (at, result) in elsewhere.results().await.unwrap().into_iter().enumerate() {
        let CommandResult::UpdateFeedback(response) = result else {
            panic!("{result:?}")
        };
        let before = number * COMMANDS / SESSIONS + at / SESSIONS;
        let offset = response.event.unwrap().position.unwrap().offset;
        assert_eq!(
            offset,
            1 + before as u64 + 1,
            "the event that created the session, and the commands before"
        );
    }
    assert!(cluster.control_planes[0].exited().await.success());
}

#[tokio::test]
async fn an_unreachable_store_fails_commands_but_not_the_stream() {
    let mut cluster = Cluster::over(Redis::durable().await, 1, 0).await;
    cluster.control_planes[0].expect_errors();
    cluster
        .backend(0)
        .await
        .publish(session("s0", "running", ""))
        .await;
    let mut caller = Caller::start(&cluster, 0).await;
    caller.send(batch([feedback(0, 1)])).await;
    assert!(matches!(
        caller.results().await.unwrap()[..],
        [CommandResult::UpdateFeedback(_)]
    ));
    cluster.redis.kill().await;
    caller.send(batch([feedback(0, 2), feedback(0, 3)])).await;
    for result in caller.results().await.unwrap() {
        let CommandResult::Error(error) = result else {
            panic!("{result:?}")
        };
        assert_eq!(error.code, i32::from(Code::Unavailable));
        assert!(error.message.contains("a retry with the same request id is safe"));
    }
    cluster.redis.restart().await;
    // As a caller does: the same request ids again, over the same stream, until the commands succeed.
    let responses = eventually("a store that accepts the commands", async || {
        caller.send(batch([feedback(0, 2), feedback(0, 3)])).await;
        match &caller.results().await.unwrap()[..] {
            [
                CommandResult::UpdateFeedback(two),
                CommandResult::UpdateFeedback(three),
            ] => Some([two.clone(), three.clone()]),
            _ => None,
        }
    });
    let offsets = responses
        .await
        .map(|response| response.event.unwrap().position.unwrap().offset);
    assert!(offsets == [3, 4] || offsets == [4, 3], "{offsets:?}");
}
