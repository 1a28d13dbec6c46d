//! The link: one control plane at a time feeds the edge. When it is gone, slow or silent, the edge attaches to
//! another and renews its interests with its positions; sockets notice nothing.

mod attach;
mod dial;

use std::{sync::Arc, time::Duration};

use roomcast_core::{
    LogSlice, Position, RoomId, SessionId, UserId,
    rooms::{Ask, Refusal, SocketId},
};
use roomcast_proto::{
    join::{Join, Verdict},
    link::{FromEdge, ReadLog},
    v1::{edge_service_client::EdgeServiceClient, session_service_client::SessionServiceClient},
};
use tokio::sync::{Semaphore, mpsc, watch};
use tonic::{Code, Status, service::interceptor::InterceptedService, transport::Channel};
use tracing::{debug, warn};

use crate::switch::{Switch, Told};

pub(crate) use attach::{Attacher, Opener, keep_attached};
use dial::Credentials;
pub(crate) use dial::Dialer;

/// Interests that wait for the link at most. Beyond it the link is attached anew, which renews all of them.
pub(crate) const REQUESTS: usize = 1_048_576;
/// Calls to the control plane under way at most; later ones wait.
const CALLS: usize = 1_024;
/// How long a control plane may take to answer a call.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// Counts attachments: what is asked for on one link means nothing on the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Generation(pub(crate) u64);

/// A channel to the control plane, with the service token on every call.
pub(crate) type Plane = InterceptedService<Channel, Credentials>;

/// The switch's side of the link.
pub(crate) struct Link {
    pub(crate) requests: mpsc::Sender<(Generation, FromEdge)>,
    /// The control plane that feeds the edge, while one does.
    pub(crate) plane: watch::Receiver<Option<Plane>>,
    /// Makes the link attach anew.
    pub(crate) renew: Arc<tokio::sync::Notify>,
    pub(crate) switch: Switch,
    calls: Arc<Semaphore>,
}

impl Link {
    pub(crate) fn new(
        requests: mpsc::Sender<(Generation, FromEdge)>,
        plane: watch::Receiver<Option<Plane>>,
        renew: Arc<tokio::sync::Notify>,
        switch: Switch,
    ) -> Self {
        Self {
            requests,
            plane,
            renew,
            switch,
            calls: Arc::new(Semaphore::new(CALLS)),
        }
    }

    pub(crate) fn interest(&self, generation: Generation, room: RoomId, after: Option<Position>) {
        self.request(generation, FromEdge::Interest { room, after });
    }

    pub(crate) fn forget(&self, generation: Generation, room: RoomId) {
        self.request(generation, FromEdge::Forget { room });
    }

    fn request(&self, generation: Generation, request: FromEdge) {
        if self.requests.try_send((generation, request)).is_err() {
            self.renew.notify_one();
        }
    }

    pub(crate) fn authorize(&self, socket: SocketId, session: SessionId, user: UserId, ask: Ask) {
        self.call(move |plane| async move {
            let join = Join {
                session: session.clone(),
                user,
            };
            let answer = match plane {
                None => Err(Refusal::Unavailable),
                Some(plane) => authorize(plane, join).await,
            };
            Told::Authorized {
                socket,
                session,
                ask,
                answer,
            }
        });
    }

    pub(crate) fn read(&self, room: RoomId, after: Position) {
        self.call(move |plane| async move {
            let slice = match plane {
                None => None,
                Some(plane) => read(plane, &room, after).await,
            };
            Told::Slice { room, after, slice }
        });
    }

    /// Makes a call in a task of its own and tells the switch what came of it.
    fn call<F: Future<Output = Told> + Send + 'static>(
        &self,
        call: impl FnOnce(Option<Plane>) -> F + Send + 'static,
    ) {
        let (plane, calls, switch) = (
            self.plane.borrow().clone(),
            self.calls.clone(),
            self.switch.clone(),
        );
        tokio::spawn(async move {
            // The semaphore is never closed.
            let _permit = calls.acquire().await;
            let told = call(plane).await;
            let _ended = switch.0.send(told).await;
        });
    }
}

async fn authorize(plane: Plane, join: Join) -> Result<Position, Refusal> {
    let mut request = tonic::Request::new(join.into());
    request.set_timeout(CALL_TIMEOUT);
    let mut client = SessionServiceClient::new(plane);
    let answer = flat(tokio::time::timeout(CALL_TIMEOUT, client.authorize_join(request)).await);
    match answer.map(|answer| Verdict::try_from(answer.into_inner())) {
        Ok(Ok(Verdict::Admission { position, .. })) => Ok(position),
        Ok(Ok(Verdict::SessionNotFound)) => Err(Refusal::SessionNotFound),
        Ok(Ok(Verdict::NotAParticipant { .. })) => Err(Refusal::NotAParticipant),
        Ok(Err(invalid)) => {
            warn!(error = %invalid, "a control plane's answer can't be read");
            Err(Refusal::Unavailable)
        }
        Err(status) => {
            failed("AuthorizeJoin", &status);
            Err(Refusal::Unavailable)
        }
    }
}

async fn read(plane: Plane, room: &RoomId, after: Position) -> Option<LogSlice> {
    let mut request = tonic::Request::new(
        ReadLog {
            room: room.clone(),
            after: after.offset,
        }
        .into(),
    );
    request.set_timeout(CALL_TIMEOUT);
    let mut client = EdgeServiceClient::new(plane).max_decoding_message_size(usize::MAX);
    let answer = flat(tokio::time::timeout(CALL_TIMEOUT, client.read_log(request)).await);
    let slice = answer.map(|answer| LogSlice::try_from(answer.into_inner()));
    match slice {
        Ok(slice) => slice
            .map_err(|invalid| warn!(error = %invalid, "a control plane's answer can't be read"))
            .ok(),
        Err(status) => {
            failed("ReadLog", &status);
            None
        }
    }
}

fn flat<T>(answer: Result<Result<T, Status>, tokio::time::error::Elapsed>) -> Result<T, Status> {
    answer.unwrap_or_else(|elapsed| Err(Status::deadline_exceeded(elapsed.to_string())))
}

fn failed(call: &'static str, status: &Status) {
    let (code, error) = (status.code(), status.message());
    if matches!(code, Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled) {
        debug!(call, %code, error, "the control plane did not answer");
    } else {
        warn!(call, %code, error, "the control plane refused a call");
    }
}
