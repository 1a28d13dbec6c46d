//! The link: one control plane at a time feeds the edge. When it is gone, slow or silent, the edge attaches to
//! another and renews its interests with its positions; sockets notice nothing.

mod attach;
mod dial;
mod joins;

use std::{sync::Arc, time::Duration};

use roomcast_core::{
    LogSlice, Position, RoomId, SessionId, UserId,
    rooms::{SocketId, SocketRequestId},
};
use roomcast_proto::{
    join::Join,
    link::{FromEdge, ReadLog},
    v1::edge_service_client::EdgeServiceClient,
};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::timeout,
};
use tonic::{Code, Request, Response, Status, service::interceptor::InterceptedService, transport::Channel};
use tracing::{debug, warn};

use crate::switch::{Switch, Told};

pub(crate) use attach::{Attacher, Opener, keep_attached};
pub use dial::{Credentials, DialError, Dialer};
use joins::Question;

/// Interests that wait for the link at most. Beyond it the link is attached anew, which renews all of them.
pub(crate) const REQUESTS: usize = 1_048_576;
/// Reads of logs under way at most; later ones wait.
const CALLS: usize = 1_024;
/// How long a control plane may take to answer a call.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a call waits for a control plane, or for another one after the first did not answer: as long as it takes to
/// find the link silent after a call did, and to attach.
const ELSEWHERE: Duration = Duration::from_millis(1_500);

/// Counts attachments: what is asked for on one link means nothing on the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Generation(pub(crate) u64);

/// A channel to the control plane, with the service token on every call.
pub type Plane = InterceptedService<Channel, Credentials>;

/// The switch's side of the link.
pub(crate) struct Link {
    pub(crate) requests: mpsc::Sender<(Generation, FromEdge)>,
    /// The control plane that feeds the edge, while one does.
    pub(crate) plane: watch::Receiver<Option<Plane>>,
    /// Makes the link attach anew.
    pub(crate) renew: Arc<tokio::sync::Notify>,
    pub(crate) switch: Switch,
    questions: mpsc::Sender<Question>,
    calls: Arc<Semaphore>,
}

impl Link {
    /// The link, and what asks its questions for as long as it is polled.
    pub(crate) fn new(
        requests: mpsc::Sender<(Generation, FromEdge)>,
        plane: watch::Receiver<Option<Plane>>,
        renew: Arc<tokio::sync::Notify>,
        switch: Switch,
    ) -> (Self, impl Future<Output = ()> + use<>) {
        let (questions, asked) = mpsc::channel(joins::WAITING);
        let asking = joins::ask_all(asked, plane.clone(), switch.clone());
        let it = Self {
            requests,
            questions,
            plane,
            renew,
            switch,
            calls: Arc::new(Semaphore::new(CALLS)),
        };
        (it, asking)
    }

    pub(crate) fn interest(&self, generation: Generation, room: RoomId, after: Option<Position>) {
        self.request(generation, FromEdge::Interest { room, after });
    }

    pub(crate) fn forget(&self, generation: Generation, room: RoomId) {
        self.request(generation, FromEdge::EndInterest { room });
    }

    fn request(&self, generation: Generation, request: FromEdge) {
        if self.requests.try_send((generation, request)).is_err() {
            self.renew.notify_one();
        }
    }

    pub(crate) fn authorize(&self, socket: SocketId, session: SessionId, user: UserId, ask: SocketRequestId) {
        let join = Join { session, user };
        let question = Question { socket, join, ask };
        if let Err(error) = self.questions.try_send(question) {
            self.switch.tell(error.into_inner().refused());
        }
    }

    pub(crate) fn read(&self, room: RoomId, after: Position) {
        self.call(move |planes| async move {
            let slice = read(planes, &room, after).await;
            Told::Slice { room, after, slice }
        });
    }

    /// Makes a call in a task of its own and tells the switch what came of it.
    fn call<F: Future<Output = Told> + Send + 'static>(
        &self,
        call: impl FnOnce(Planes) -> F + Send + 'static,
    ) {
        let planes = Planes(self.plane.clone());
        let (calls, switch) = (self.calls.clone(), self.switch.clone());
        tokio::spawn(async move {
            // The semaphore is never closed.
            let _permit = calls.acquire().await;
            let told = call(planes).await;
            let _ended = switch.0.send(told).await;
        });
    }
}

/// The control plane that feeds the edge, whichever that is.
struct Planes(watch::Receiver<Option<Plane>>);

impl Planes {
    /// Calls it; and where it does not answer, the next one too, if the edge is attached to that soon.
    async fn call<T, F: Future<Output = Result<Response<T>, Status>>>(
        mut self,
        call: impl Fn(Plane) -> F,
    ) -> Result<T, Status> {
        loop {
            let attached = timeout(ELSEWHERE, self.0.wait_for(Option::is_some)).await;
            let Ok(Ok(Some(plane))) = attached.map(|plane| plane.map(|plane| plane.clone())) else {
                return Err(Status::unavailable("the edge is attached to no control plane"));
            };
            let answer = timeout(CALL_TIMEOUT, call(plane)).await;
            let status = match answer {
                Ok(Ok(response)) => return Ok(response.into_inner()),
                // What a control plane says itself has details.
                Ok(Err(status)) if !status.details().is_empty() => return Err(status),
                Ok(Err(status)) => status,
                Err(elapsed) => Status::deadline_exceeded(elapsed.to_string()),
            };
            let moved = timeout(ELSEWHERE, self.0.changed()).await;
            if !matches!(moved, Ok(Ok(()))) {
                return Err(status);
            }
        }
    }
}

async fn read(planes: Planes, room: &RoomId, after: Position) -> Option<LogSlice> {
    let answer = planes.call(|plane| {
        let request = in_time(ReadLog {
            room: room.clone(),
            after: after.offset,
        });
        let mut client = EdgeServiceClient::new(plane).max_decoding_message_size(usize::MAX);
        async move { client.read_log(request).await }
    });
    match answer.await.map(LogSlice::try_from) {
        Ok(slice) => slice
            .map_err(|invalid| warn!(error = %invalid, "a control plane's answer can't be read"))
            .ok(),
        Err(status) => {
            failed("ReadLog", &status);
            None
        }
    }
}

/// A request with its deadline, so that the control plane stops when nobody waits any more.
fn in_time<T>(message: impl Into<T>) -> Request<T> {
    let mut request = Request::new(message.into());
    request.set_timeout(CALL_TIMEOUT);
    request
}

fn failed(call: &'static str, status: &Status) {
    let (code, error) = (status.code(), status.message());
    if matches!(code, Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled) {
        debug!(call, %code, error, "the control plane did not answer");
    } else {
        warn!(call, %code, error, "the control plane refused a call");
    }
}
