//! Many commands over one stream, through what can break.

use std::collections::VecDeque;

use roomcast_proto::v1::{self, command::Command as Wanted, command_result::Result as Came};
use roomcast_tests::{Cluster, Redis, reason, session, within};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

/// A caller with one stream, who keeps what has no response yet.
struct Caller {
    asks: mpsc::Sender<v1::StreamCommandsRequest>,
    told: Streaming<v1::StreamCommandsResponse>,
    unanswered: VecDeque<v1::StreamCommandsRequest>,
}

impl Caller {
    async fn start(cluster: &Cluster, control_plane: usize) -> Self {
        let (asks, asked) = mpsc::channel(4);
        let mut backend = cluster.backend(control_plane).await;
        let stream = backend.0.stream_commands(ReceiverStream::new(asked));
        Self {
            asks,
            told: within("a stream", stream).await.unwrap().into_inner(),
            unanswered: VecDeque::new(),
        }
    }

    /// Sends it; whether the stream still takes batches.
    async fn ask(&mut self, batch: v1::StreamCommandsRequest) -> bool {
        self.unanswered.push_back(batch.clone());
        self.asks.send(batch).await.is_ok()
    }

    /// The results of the first batch that has none yet.
    async fn results(&mut self) -> Result<Vec<Came>, Status> {
        let response = within("a response", self.told.message()).await?;
        self.unanswered.pop_front();
        let results = response.expect("a response").results;
        Ok(results.into_iter().map(|result| result.result.unwrap()).collect())
    }
}

fn batch(commands: impl IntoIterator<Item = Wanted>) -> v1::StreamCommandsRequest {
    let command = |wanted| v1::Command {
        command: Some(wanted),
    };
    v1::StreamCommandsRequest {
        commands: commands.into_iter().map(command).collect(),
    }
}

fn feedback(session: usize, n: usize) -> Wanted {
    Wanted::UpdateFeedback(v1::UpdateFeedbackRequest {
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
async fn what_a_draining_control_plane_did_not_answer_is_done_once_by_another() {
    let mut cluster = Cluster::start(2, 0).await;
    let mut backend = cluster.backend(0).await;
    for n in 0..SESSIONS {
        backend.publish(session(&format!("s{n}"), "running", "")).await;
    }
    let mut caller = Caller::start(&cluster, 0).await;
    for number in 0..4 {
        assert!(caller.ask(of_number(number)).await);
    }
    caller.results().await.unwrap();
    cluster.control_planes[0].signal("TERM");
    let mut number = 4;
    let status = loop {
        let _ended = caller.ask(of_number(number)).await;
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
    assert!(!caller.unanswered.is_empty());

    let mut elsewhere = Caller::start(&cluster, 1).await;
    for batch in caller.unanswered {
        assert!(elsewhere.ask(batch).await);
        elsewhere.results().await.unwrap();
    }
    // Everything once and in order: in each session, the next place belongs to what is asked next.
    elsewhere.ask(of_number(number)).await;
    for (at, came) in elsewhere.results().await.unwrap().into_iter().enumerate() {
        let Came::UpdateFeedback(answer) = came else {
            panic!("{came:?}")
        };
        let before = number * COMMANDS / SESSIONS + at / SESSIONS;
        let place = answer.event.unwrap().position.unwrap().offset;
        assert_eq!(
            place,
            1 + before as u64 + 1,
            "the session's own event, and those before"
        );
    }
    assert!(cluster.control_planes[0].ended().await.success());
}

#[tokio::test]
async fn a_store_that_is_away_fails_commands_and_not_the_stream() {
    let mut cluster = Cluster::over(Redis::durable().await, 1, 0).await;
    cluster.control_planes[0].expect_errors();
    cluster
        .backend(0)
        .await
        .publish(session("s0", "running", ""))
        .await;
    let mut caller = Caller::start(&cluster, 0).await;
    caller.ask(batch([feedback(0, 1)])).await;
    assert!(matches!(
        caller.results().await.unwrap()[..],
        [Came::UpdateFeedback(_)]
    ));
    cluster.redis.kill().await;
    caller.ask(batch([feedback(0, 2), feedback(0, 3)])).await;
    for came in caller.results().await.unwrap() {
        let Came::Error(error) = came else {
            panic!("{came:?}")
        };
        assert_eq!(error.code, i32::from(Code::Unavailable));
        assert!(error.message.contains("a retry with the same request id is safe"));
    }
    cluster.redis.restart().await;
    // As a caller does: again with the same request ids, over the same stream, until it is done.
    let answers = within("the store", async {
        loop {
            caller.ask(batch([feedback(0, 2), feedback(0, 3)])).await;
            let results = caller.results().await.unwrap();
            if let [Came::UpdateFeedback(two), Came::UpdateFeedback(three)] = &results[..] {
                break [two.clone(), three.clone()];
            }
        }
    });
    let places = answers
        .await
        .map(|answer| answer.event.unwrap().position.unwrap().offset);
    assert!(places == [3, 4] || places == [4, 3], "{places:?}");
}
