//! Publishing to Roomcast: `PublishSessionUpdate`, as unary calls of which many are in flight, or in batches on streams
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
    Event,
    queues::{Answers, Lanes},
};
use crate::{
    error::{Outcome, failed},
    payload,
};

/// How many calls are in flight at most; those of one room never are together, so that they keep their order.
const CALLS: usize = 64;
/// How many streams there are.
const STREAMS: usize = 4;
/// The most events that go out in one batch: those that wait at the time.
const BATCH: usize = 64;
/// How many batches wait for their stream at most.
const BATCHES: usize = 4;
/// How many HTTP/2 connections carry them.
const CONNECTIONS: usize = 2;
/// How many sessions are created at a time.
const CREATING: usize = 64;

/// The participants of each session, by its number.
pub(crate) type Casts = Arc<Vec<Vec<String>>>;

/// Creates a session `s0`, `s1`, … for each cast, and opens the lanes.
pub(crate) fn open(
    runtime: &Runtime,
    control_planes: &[SocketAddr],
    casts: Casts,
    in_bulk: bool,
) -> Outcome<Lanes> {
    let channels: Vec<_> = control_planes
        .iter()
        .cycle()
        .take(CONNECTIONS.max(control_planes.len()))
        .map(|addr| Ok(Endpoint::from_shared(format!("http://{addr}"))?.tcp_nodelay(true)))
        .collect::<Outcome<_>>()?;
    let guard = runtime.enter();
    let channels: Vec<_> = channels.iter().map(Endpoint::connect_lazy).collect();
    runtime.block_on(create(channels[0].clone(), &casts))?;
    let (lanes, ends, answers) = Lanes::new(if in_bulk { STREAMS } else { CALLS });
    for (at, events) in ends.into_iter().enumerate() {
        let channel = channels[at % channels.len()].clone();
        let (casts, answers) = (casts.clone(), answers.clone());
        if in_bulk {
            runtime.spawn(stream_of_batches(channel, events, casts, answers));
        } else {
            runtime.spawn(calls(channel, events, casts, answers));
        }
    }
    drop(guard);
    Ok(lanes)
}

async fn create(channel: Channel, casts: &Casts) -> Outcome<()> {
    let sessions = casts.iter().enumerate().map(|(room, cast)| {
        let mut client = SessionServiceClient::new(channel.clone());
        async move {
            let list = cast.iter().map(|user| Participant {
                user_id: user.clone(),
                role: Role::Observer.into(),
            });
            let list = list.collect();
            let mut request = update(u32::try_from(room)?, 0, cast);
            if let Some(session) = &mut request.session {
                session.participants = Some(Participants { list });
            }
            let answer = client.publish_session_update(request).await;
            answer
                .map(drop)
                .map_err(|status| failed(format!("no session: {status}")))
        }
    });
    let mut sessions = stream::iter(sessions).buffer_unordered(CREATING);
    while let Some(created) = sessions.next().await {
        created?;
    }
    Ok(())
}

async fn calls(channel: Channel, mut events: Receiver<Event>, casts: Casts, answers: Arc<Answers>) {
    let mut client = SessionServiceClient::new(channel);
    while let Some(Event { room, n }) = events.recv().await {
        let request = update(room, n, &casts[room as usize]);
        match client.publish_session_update(request).await {
            Ok(_) => answers.count_done(1),
            Err(status) => answers.count_failed(1, &status),
        }
    }
}

async fn stream_of_batches(channel: Channel, events: Receiver<Event>, casts: Casts, answers: Arc<Answers>) {
    let (batches, requests) = mpsc::channel(BATCHES);
    let mut client = SessionServiceClient::new(channel);
    let (_, ended) = tokio::join!(batch(events, batches, casts), async {
        let mut responses = client
            .stream_commands(ReceiverStream::new(requests))
            .await?
            .into_inner();
        while let Some(response) = responses.message().await? {
            for result in response.results {
                match result.result {
                    Some(CommandOutcome::Error(status)) => answers.count_failed(1, &status.message),
                    Some(_) => answers.count_done(1),
                    None => answers.count_failed(1, &"an answer without a result"),
                }
            }
        }
        Ok::<_, tonic::Status>(())
    });
    if let Err(status) = ended {
        answers.count_failed(1, &status);
    }
}

/// Puts events that wait together into one batch.
async fn batch(mut events: Receiver<Event>, batches: Sender<StreamCommandsRequest>, casts: Casts) {
    let mut waiting = Vec::with_capacity(BATCH);
    while events.recv_many(&mut waiting, BATCH).await > 0 {
        let command = |Event { room, n }| Command {
            command: Some(command::Command::PublishSessionUpdate(update(
                room,
                n,
                &casts[room as usize],
            ))),
        };
        let commands = waiting.drain(..).map(command).collect();
        if batches.send(StreamCommandsRequest { commands }).await.is_err() {
            return;
        }
    }
}

fn update(room: u32, n: u64, cast: &[String]) -> PublishSessionUpdateRequest {
    PublishSessionUpdateRequest {
        session: Some(Session {
            id: format!("s{room}"),
            status: "live".to_owned(),
            participants: None,
            attributes: Some(payload::attributes(room, n, cast)),
        }),
        expected_revision: None,
        request_id: String::new(),
    }
}
