//! Batches of commands over one stream.

use prost::Message as _;
use roomcast_control_plane::Config;
use roomcast_proto::{
    batch::MAX_BATCH_COMMANDS,
    v1::{self, command::Command as Wanted, command_result::Result as Came},
};
use roomcast_store::StoreLimits;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::world::{World, fields, object, offset, publish, select, told};

/// A caller's end of a stream of commands.
struct Caller {
    asks: mpsc::Sender<v1::StreamCommandsRequest>,
    told: Streaming<v1::StreamCommandsResponse>,
}

impl Caller {
    async fn start(world: &World) -> Self {
        let (asks, asked) = mpsc::channel(64);
        let told = world.backend().stream_commands(ReceiverStream::new(asked)).await;
        let told = told.unwrap().into_inner();
        Self { asks, told }
    }

    async fn ask(&self, commands: impl IntoIterator<Item = Wanted>) {
        let command = |wanted| v1::Command {
            command: Some(wanted),
        };
        let commands = commands.into_iter().map(command).collect();
        self.asks
            .send(v1::StreamCommandsRequest { commands })
            .await
            .unwrap();
    }

    async fn results(&mut self) -> Result<Vec<Came>, Status> {
        let response = self.told.message().await?.expect("a response");
        Ok(response
            .results
            .into_iter()
            .map(|result| result.result.unwrap())
            .collect())
    }

    /// The stream's status, where nothing comes any more.
    async fn end(&mut self) -> Status {
        self.told.message().await.expect_err("an end")
    }
}

fn role(session: &str, user: &str) -> Wanted {
    Wanted::SelectRole(select(session, user, v1::Role::Observer))
}

fn event_of(came: &Came) -> u64 {
    match came {
        Came::PublishSessionUpdate(answer) => offset(answer.event.as_ref()),
        Came::SelectRole(answer) => offset(answer.event.as_ref()),
        Came::RequireFeedback(answer) => offset(answer.event.first()),
        Came::UpdateFeedback(answer) => offset(answer.event.as_ref()),
        Came::RemoveParticipant(answer) => offset(answer.event.as_ref()),
        Came::Error(error) => panic!("{error:?}"),
    }
}

fn error_of(came: &Came) -> &tonic_types::Status {
    let Came::Error(error) = came else {
        panic!("no error: {came:?}")
    };
    error
}

#[tokio::test]
async fn every_command_is_done_and_answered_in_its_place() {
    let world = World::start().await;
    let mut caller = Caller::start(&world).await;
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
        .ask([
            Wanted::PublishSessionUpdate(publish("s1")),
            role("s1", "carol"),
            Wanted::RequireFeedback(require),
            Wanted::UpdateFeedback(feedback),
            Wanted::RemoveParticipant(remove),
        ])
        .await;
    let results = caller.results().await.unwrap();
    let kinds = (&results[0], &results[1], &results[2], &results[3], &results[4]);
    assert!(
        matches!(
            kinds,
            (
                Came::PublishSessionUpdate(_),
                Came::SelectRole(_),
                Came::RequireFeedback(_),
                Came::UpdateFeedback(_),
                Came::RemoveParticipant(_)
            )
        ),
        "{results:?}"
    );
    assert_eq!(results.iter().map(event_of).collect::<Vec<_>>(), [1, 2, 1, 3, 4]);
}

#[tokio::test]
async fn commands_of_one_session_take_effect_in_their_order_among_those_of_others() {
    let world = World::start().await;
    for session in ["s1", "s2", "s3"] {
        world.publish(session).await;
    }
    let mut caller = Caller::start(&world).await;
    let sessions = || ["s1", "s2", "s3"].into_iter().cycle();
    for batch in 0..10 {
        let commands = sessions().take(300).enumerate();
        caller
            .ask(commands.map(|(n, session)| role(session, &format!("u{batch}.{n}"))))
            .await;
    }
    drop(caller.asks);
    let mut last = [1, 1, 1];
    while let Some(response) = caller.told.message().await.unwrap() {
        assert_eq!(response.results.len(), 300);
        for (n, result) in response.results.into_iter().enumerate() {
            let at = event_of(&result.result.unwrap());
            assert_eq!(at, last[n % 3] + 1);
            last[n % 3] = at;
        }
    }
    assert_eq!(last, [1001, 1001, 1001]);
}

#[tokio::test]
async fn a_bad_command_fails_alone_and_as_its_own_call_would() {
    let world = World::start().await;
    world.publish("s1").await;
    let bad = [
        select("nowhere", "carol", v1::Role::Observer),
        select("s1", "carol", v1::Role::Interviewer),
        select("no id", "", v1::Role::Unspecified),
    ];
    let mut caller = Caller::start(&world).await;
    let mut commands = vec![role("s1", "dave")];
    commands.extend(bad.iter().cloned().map(Wanted::SelectRole));
    commands.push(role("s1", "erin"));
    caller.ask(commands).await;
    let results = caller.results().await.unwrap();
    assert_eq!((event_of(&results[0]), event_of(&results[4])), (2, 3));
    for (request, result) in bad.into_iter().zip(&results[1..4]) {
        let status = world.backend().select_role(request).await.unwrap_err();
        assert_eq!(error_of(result).encode_to_vec(), status.details());
    }
}

/// The session `s1`, and a caller at a control plane that takes 1,000 bytes a request.
async fn with_small_requests() -> (World, Caller) {
    let config = Config {
        max_request_bytes: 1_000,
        ..Config::default()
    };
    let world = World::with(config, StoreLimits::default()).await;
    world.publish("s1").await;
    let caller = Caller::start(&world).await;
    (world, caller)
}

#[tokio::test]
async fn a_command_that_is_none_or_too_large_fails_alone() {
    let (_world, mut caller) = with_small_requests().await;
    let select = v1::SelectRoleRequest {
        request_id: "x".repeat(1_000),
        ..select("s1", "carol", v1::Role::Observer)
    };
    let command = |command| v1::Command { command };
    let commands = vec![
        command(None),
        command(Some(Wanted::SelectRole(select))),
        command(Some(role("s1", "dave"))),
    ];
    caller
        .asks
        .send(v1::StreamCommandsRequest { commands })
        .await
        .unwrap();
    let results = caller.results().await.unwrap();
    assert!(error_of(&results[0]).message.contains("command: is required"));
    assert!(error_of(&results[1]).message.contains("at most 1000 bytes"));
    assert_eq!(event_of(&results[2]), 2);
}

#[tokio::test]
async fn a_request_id_that_comes_again_gives_the_first_answer() {
    let world = World::start().await;
    world.publish("s1").await;
    let request = v1::SelectRoleRequest {
        request_id: "a-key".into(),
        ..select("s1", "carol", v1::Role::Observer)
    };
    let mut caller = Caller::start(&world).await;
    caller
        .ask([
            Wanted::SelectRole(request.clone()),
            Wanted::SelectRole(request.clone()),
        ])
        .await;
    let results = caller.results().await.unwrap();
    let called = world.backend().select_role(request).await.unwrap().into_inner();
    let Came::SelectRole(again) = &results[1] else {
        panic!("{results:?}")
    };
    assert_eq!((event_of(&results[0]), again), (2, &called));
    assert!(called.duplicate);
}

#[tokio::test]
async fn a_batch_that_is_too_large_ends_the_stream_after_those_before_it() {
    let (_world, mut caller) = with_small_requests().await;
    caller.ask([role("s1", "carol")]).await;
    caller
        .ask((0..MAX_BATCH_COMMANDS).map(|_| role("s1", "dave")))
        .await;
    assert_eq!(event_of(&caller.results().await.unwrap()[0]), 2);
    let end = caller.end().await;
    assert_eq!(told(&end), (Code::InvalidArgument, "REQUEST_TOO_LARGE".into()));
    assert!(end.message().contains("at most 4000 bytes"), "{end:?}");
}

#[tokio::test]
async fn a_batch_of_too_many_commands_ends_the_stream_and_does_none() {
    let world = World::start().await;
    world.publish("s1").await;
    let mut caller = Caller::start(&world).await;
    caller
        .ask((0..=MAX_BATCH_COMMANDS).map(|_| role("s1", "dave")))
        .await;
    let end = caller.end().await;
    assert_eq!(
        (end.code(), fields(&end)),
        (Code::InvalidArgument, vec!["commands".to_owned()])
    );
    assert_eq!(world.publish("s1").await.revision, 2);
}

#[tokio::test]
async fn a_drain_answers_what_was_taken_and_takes_nothing_new() {
    let world = World::start().await;
    let closed = world.store.gate.acquire().await.unwrap();
    let mut caller = Caller::start(&world).await;
    caller
        .ask([Wanted::PublishSessionUpdate(publish("s1")), role("s1", "carol")])
        .await;
    world.store.waiting.notified().await;
    world.shutdown.begin("test");
    caller.ask([role("s1", "dave")]).await;
    drop(closed);
    let results = caller.results().await.unwrap();
    assert_eq!(results.iter().map(event_of).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(told(&caller.end().await), (Code::Unavailable, "DRAINING".into()));
    drop((world.channel, caller));
    world.serving.await.unwrap().unwrap();
}
