//! Requests from the control plane whether users may join. All waiting joins share one call, so that many joins need few
//! calls. A single join does not wait for others.

use roomcast_core::{
    Position,
    rooms::{Input, JoinDenial, SocketId, SocketRequestId},
};
use roomcast_proto::{
    join::{Join, JoinAuthorization, MAX_JOINS},
    v1::{AuthorizeJoinResponse, AuthorizeJoinsRequest, edge_service_client::EdgeServiceClient},
};
use tokio::{sync::mpsc, task::JoinSet};
use tracing::warn;

use super::calls::{CurrentControlPlane, log_failure, or_log_panic, with_deadline};
use crate::inbox::{Inbox, RoomsInput};

/// The most calls at a time. Further joins wait for the next call.
const CALLS_LIMIT: usize = 16;

/// A join of a socket.
pub(super) struct JoinRequest {
    pub(super) socket: SocketId,
    pub(super) join: Join,
    pub(super) request: SocketRequestId,
}

/// Authorizes joins.
pub(crate) struct JoinAuthorizer {
    pub(super) queue: mpsc::Receiver<JoinRequest>,
    pub(super) control_plane: CurrentControlPlane,
    pub(super) inbox: Inbox,
}

impl JoinAuthorizer {
    /// Makes the calls until the rooms task has ended.
    pub(crate) async fn run(mut self) {
        let (mut calls, mut batch) = (JoinSet::new(), Vec::new());
        loop {
            tokio::select! {
                biased;
                Some(finished) = calls.join_next() => {
                    or_log_panic("authorize joins", finished);
                }
                count = self.queue.recv_many(&mut batch, MAX_JOINS), if calls.len() < CALLS_LIMIT => {
                    if count == 0 {
                        return;
                    }
                    let batch = std::mem::take(&mut batch);
                    calls.spawn(authorize_batch(self.control_plane.clone(), batch, self.inbox.clone()));
                }
            }
        }
    }
}

async fn authorize_batch(control_plane: CurrentControlPlane, batch: Vec<JoinRequest>, inbox: Inbox) {
    let results = call(control_plane, &batch).await;
    for (request, result) in batch.into_iter().zip(results) {
        let input = Input::Authorized {
            socket: request.socket,
            session: request.join.session,
            request: request.request,
            result,
        };
        inbox.send(RoomsInput::Rooms(input)).await;
    }
}

/// Returns one result for each join.
async fn call(
    control_plane: CurrentControlPlane,
    batch: &[JoinRequest],
) -> Vec<Result<Position, JoinDenial>> {
    let called = control_plane.call(|channel| {
        let joins = batch.iter().map(|request| request.join.clone().into());
        let request = with_deadline(AuthorizeJoinsRequest {
            joins: joins.collect(),
        });
        async move { EdgeServiceClient::new(channel).authorize_joins(request).await }
    });
    match called.await {
        Ok(response) if response.responses.len() == batch.len() => {
            response.responses.into_iter().map(result).collect()
        }
        Ok(_) => {
            warn!("the control plane did not return one response for each join");
            vec![Err(JoinDenial::Unavailable); batch.len()]
        }
        Err(status) => {
            log_failure("AuthorizeJoins", &status);
            vec![Err(JoinDenial::Unavailable); batch.len()]
        }
    }
}

fn result(response: AuthorizeJoinResponse) -> Result<Position, JoinDenial> {
    match JoinAuthorization::try_from(response) {
        Ok(JoinAuthorization::Admission { position, .. }) => Ok(position),
        Ok(JoinAuthorization::SessionNotFound) => Err(JoinDenial::SessionNotFound),
        Ok(JoinAuthorization::NotAParticipant { .. }) => Err(JoinDenial::NotAParticipant),
        Err(invalid) => {
            warn!(error = %invalid, "the control plane returned an invalid response");
            Err(JoinDenial::Unavailable)
        }
    }
}
