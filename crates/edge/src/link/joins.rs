//! Asks the control plane whether users may join: one call for all questions that wait, so that a crowd costs few calls,
//! and a single one waits for nobody.

use std::sync::Arc;

use roomcast_core::{
    Position, SessionId,
    rooms::{JoinDenial, SocketId, SocketRequestId},
};
use roomcast_proto::{
    join::{Join, JoinAuthorization, MAX_JOINS},
    v1,
    v1::edge_service_client::EdgeServiceClient,
};
use tokio::sync::{Semaphore, mpsc, watch};
use tracing::warn;

use super::{Plane, Planes, failed, in_time};
use crate::switch::{Switch, Told};

/// Questions that wait at most; a join beyond is refused as `unavailable`.
pub(super) const WAITING: usize = 16_384;
/// Calls under way at most; what is asked meanwhile goes into the next one.
const CALLS: usize = 16;

/// Whether a user may join, asked for a socket.
pub(super) struct Question {
    pub(super) socket: SocketId,
    pub(super) join: Join,
    pub(super) ask: SocketRequestId,
}

impl Question {
    fn told(self, answer: Result<Position, JoinDenial>) -> Told {
        let session: SessionId = self.join.session;
        Told::Authorized {
            socket: self.socket,
            session,
            request: self.ask,
            answer,
        }
    }

    /// It found no room.
    pub(super) fn refused(self) -> Told {
        self.told(Err(JoinDenial::Unavailable))
    }
}

/// Asks, and tells the switch the answers, for as long as there may be questions.
pub(super) async fn ask_all(
    mut questions: mpsc::Receiver<Question>,
    plane: watch::Receiver<Option<Plane>>,
    switch: Switch,
) {
    let calls = Arc::new(Semaphore::new(CALLS));
    while let Ok(call) = calls.clone().acquire_owned().await {
        let mut batch = Vec::new();
        if questions.recv_many(&mut batch, MAX_JOINS).await == 0 {
            return;
        }
        let (planes, switch) = (Planes(plane.clone()), switch.clone());
        tokio::spawn(async move {
            let answers = ask(planes, &batch).await;
            drop(call);
            for (question, answer) in batch.into_iter().zip(answers) {
                let _ending = switch.0.send(question.told(answer)).await;
            }
        });
    }
}

/// As many answers as there are questions.
async fn ask(planes: Planes, questions: &[Question]) -> Vec<Result<Position, JoinDenial>> {
    let answers = planes.call(|plane| {
        let joins = questions.iter().map(|question| question.join.clone().into());
        let request = in_time(v1::AuthorizeJoinsRequest {
            joins: joins.collect(),
        });
        async move { EdgeServiceClient::new(plane).authorize_joins(request).await }
    });
    match answers.await {
        Ok(response) if response.responses.len() == questions.len() => {
            response.responses.into_iter().map(answer).collect()
        }
        Ok(_) => {
            warn!("a control plane gave another number of answers than there were questions");
            vec![Err(JoinDenial::Unavailable); questions.len()]
        }
        Err(status) => {
            failed("AuthorizeJoins", &status);
            vec![Err(JoinDenial::Unavailable); questions.len()]
        }
    }
}

fn answer(answer: v1::AuthorizeJoinResponse) -> Result<Position, JoinDenial> {
    match JoinAuthorization::try_from(answer) {
        Ok(JoinAuthorization::Admission { position, .. }) => Ok(position),
        Ok(JoinAuthorization::SessionNotFound) => Err(JoinDenial::SessionNotFound),
        Ok(JoinAuthorization::NotAParticipant { .. }) => Err(JoinDenial::NotAParticipant),
        Err(invalid) => {
            warn!(error = %invalid, "a control plane's answer can't be read");
            Err(JoinDenial::Unavailable)
        }
    }
}
