//! Publishing to Roomcast: `PublishSessionUpdate`, unary, many calls in flight.

use std::{net::SocketAddr, sync::Arc};

use futures_util::{StreamExt, stream};
use roomcast_proto::v1::{
    Participant, Participants, PublishSessionUpdateRequest, Role, Session,
    session_service_client::SessionServiceClient,
};
use tokio::{runtime::Runtime, sync::mpsc::Receiver};
use tonic::transport::{Channel, Endpoint};

use super::{
    Event,
    lanes::{Answers, Lanes},
};
use crate::{
    failure::{Outcome, failed},
    payload,
};

/// How many calls are in flight at most; those of one room never are together, so that they keep their order.
const LANES: usize = 64;
/// How many HTTP/2 connections carry them.
const CONNECTIONS: usize = 2;
/// How many sessions are created at a time.
const CREATING: usize = 64;

/// The participants of each session, by its number.
pub(crate) type Casts = Arc<Vec<Vec<String>>>;

/// Creates a session `s0`, `s1`, … for each cast, and opens the lanes.
pub(crate) fn open(runtime: &Runtime, control_planes: &[SocketAddr], casts: Casts) -> Outcome<Lanes> {
    let channels: Vec<_> = control_planes
        .iter()
        .cycle()
        .take(CONNECTIONS.max(control_planes.len()))
        .map(|addr| Ok(Endpoint::from_shared(format!("http://{addr}"))?.tcp_nodelay(true)))
        .collect::<Outcome<_>>()?;
    let guard = runtime.enter();
    let channels: Vec<_> = channels.iter().map(Endpoint::connect_lazy).collect();
    runtime.block_on(create(channels[0].clone(), &casts))?;
    let (lanes, ends, answers) = Lanes::new(LANES);
    for (at, events) in ends.into_iter().enumerate() {
        let channel = channels[at % channels.len()].clone();
        runtime.spawn(lane(channel, events, casts.clone(), answers.clone()));
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

async fn lane(channel: Channel, mut events: Receiver<Event>, casts: Casts, answers: Arc<Answers>) {
    let mut client = SessionServiceClient::new(channel);
    while let Some(Event { room, n }) = events.recv().await {
        let request = update(room, n, &casts[room as usize]);
        match client.publish_session_update(request).await {
            Ok(_) => answers.count_done(1),
            Err(status) => answers.count_failed(1, &status),
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
