//! Publishes at Roomcast with `PublishSessionUpdate`, as concurrent unary calls or in batches on streams
//! (`StreamCommands`).

use std::{net::SocketAddr, sync::Arc};

use futures_util::{StreamExt, stream};
use roomcast_proto::v1::{
    Command, Participant, Participants, PublishSessionUpdateRequest, Role, Session, StreamCommandsRequest,
    command, command_result::Result as CommandOutcome, session_service_client::SessionServiceClient,
};
use tokio::{
    runtime::Runtime,
    sync::mpsc::{self, Receiver, Sender},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

use super::{
    event::Event,
    queues::{PublishOutcomes, PublishQueues},
};
use crate::{error::BenchResult, payload};

/// The maximum number of concurrent unary calls. Each queue has one, so that the events of a room keep their order.
const UNARY_CALLS: usize = 64;
/// The number of streams, one for each queue.
const STREAMS: usize = 4;
/// The maximum number of events in a batch, which contains the events that wait at the time.
const BATCH_LIMIT: usize = 64;
/// The maximum number of batches that wait to be sent on a stream. When it is reached, the events stay in their queue.
const WAITING_BATCHES: usize = 4;
/// The number of HTTP/2 connections, or the number of control planes if that is larger.
const CONNECTIONS: usize = 2;
/// The maximum number of concurrent calls that create sessions.
const CREATE_CALLS: usize = 64;

/// The users of each room, who are the participants of its session.
type RoomUsers = Arc<Vec<Vec<String>>>;

/// Creates a session for each room (`s0`, `s1`, …), and starts the tasks of the queues.
pub(crate) fn connect(
    runtime: &Runtime,
    control_planes: &[SocketAddr],
    users: RoomUsers,
    uses_streams: bool,
) -> BenchResult<PublishQueues> {
    let endpoints: Vec<_> = control_planes
        .iter()
        .cycle()
        .take(CONNECTIONS.max(control_planes.len()))
        .map(|addr| Ok(Endpoint::from_shared(format!("http://{addr}"))?.tcp_nodelay(true)))
        .collect::<BenchResult<_>>()?;
    let runtime_context = runtime.enter();
    let channels: Vec<_> = endpoints.iter().map(Endpoint::connect_lazy).collect();
    runtime.block_on(create_sessions(channels[0].clone(), &users))?;
    let (queues, receivers, outcomes) = PublishQueues::new(if uses_streams { STREAMS } else { UNARY_CALLS });
    for (index, events) in receivers.into_iter().enumerate() {
        let channel = channels[index % channels.len()].clone();
        let (users, outcomes) = (users.clone(), outcomes.clone());
        if uses_streams {
            runtime.spawn(publish_on_stream(channel, events, users, outcomes));
        } else {
            runtime.spawn(publish_with_unary_calls(channel, events, users, outcomes));
        }
    }
    drop(runtime_context);
    Ok(queues)
}

async fn create_sessions(channel: Channel, users_of_each_room: &RoomUsers) -> BenchResult<()> {
    let calls = users_of_each_room.iter().enumerate().map(|(room, users)| {
        let mut client = SessionServiceClient::new(channel.clone());
        async move {
            let participants = users.iter().map(|user| Participant {
                user_id: user.clone(),
                role: Role::Observer.into(),
            });
            let participants = Participants {
                list: participants.collect(),
            };
            let mut request = publish_request(u32::try_from(room)?, 0, users);
            if let Some(session) = &mut request.session {
                session.participants = Some(participants);
            }
            match client.publish_session_update(request).await {
                Ok(_) => BenchResult::Ok(()),
                Err(status) => Err(format!("could not create a session: {status}").into()),
            }
        }
    });
    let mut calls = stream::iter(calls).buffer_unordered(CREATE_CALLS);
    while let Some(created) = calls.next().await {
        created?;
    }
    Ok(())
}

async fn publish_with_unary_calls(
    channel: Channel,
    mut events: Receiver<Event>,
    users: RoomUsers,
    outcomes: Arc<PublishOutcomes>,
) {
    let mut client = SessionServiceClient::new(channel);
    while let Some(Event { room, number }) = events.recv().await {
        let request = publish_request(room, number, &users[room as usize]);
        match client.publish_session_update(request).await {
            Ok(_) => outcomes.count_succeeded(1),
            Err(status) => outcomes.count_failed(1, &status),
        }
    }
}

async fn publish_on_stream(
    channel: Channel,
    events: Receiver<Event>,
    users: RoomUsers,
    outcomes: Arc<PublishOutcomes>,
) {
    let (batches, requests) = mpsc::channel(WAITING_BATCHES);
    let mut client = SessionServiceClient::new(channel);
    let ((), result) = tokio::join!(make_batches(events, batches, users), async {
        let mut responses = client
            .stream_commands(ReceiverStream::new(requests))
            .await?
            .into_inner();
        while let Some(response) = responses.message().await? {
            for result in response.results {
                match result.result {
                    Some(CommandOutcome::Error(status)) => outcomes.count_failed(1, &status.message),
                    Some(_) => outcomes.count_succeeded(1),
                    None => outcomes.count_failed(1, &"a response without a result"),
                }
            }
        }
        Ok::<_, tonic::Status>(())
    });
    if let Err(status) = result {
        outcomes.count_failed(1, &status);
    }
}

/// Puts the events that wait at the same time into one batch.
async fn make_batches(mut events: Receiver<Event>, batches: Sender<StreamCommandsRequest>, users: RoomUsers) {
    let mut waiting = Vec::with_capacity(BATCH_LIMIT);
    while events.recv_many(&mut waiting, BATCH_LIMIT).await > 0 {
        let command = |Event { room, number }| Command {
            command: Some(command::Command::PublishSessionUpdate(publish_request(
                room,
                number,
                &users[room as usize],
            ))),
        };
        let commands = waiting.drain(..).map(command).collect();
        if batches.send(StreamCommandsRequest { commands }).await.is_err() {
            return;
        }
    }
}

fn publish_request(room: u32, number: u64, users: &[String]) -> PublishSessionUpdateRequest {
    PublishSessionUpdateRequest {
        session: Some(Session {
            id: format!("s{room}"),
            status: "live".to_owned(),
            participants: None,
            attributes: Some(payload::session_attributes(room, number, users)),
        }),
        expected_revision: None,
        request_id: String::new(),
    }
}
