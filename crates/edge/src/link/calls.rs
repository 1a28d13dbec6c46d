//! Unary calls to the control plane that feeds the edge.

use std::time::Duration;

use tokio::{sync::watch, task::JoinError, time::timeout};
use tonic::{Code, Request, Response, Status};
use tracing::{debug, error, warn};

use super::ControlPlaneChannel;

/// The deadline of one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a call waits until the edge is attached, and how long after a failed call it waits until the edge is attached
/// to another control plane: the time to notice a silent link and to attach again.
const ATTACH_WAIT: Duration = Duration::from_millis(1_500);

/// The control plane to which the edge is attached; it changes over time.
#[derive(Clone)]
pub(super) struct CurrentControlPlane(watch::Receiver<Option<ControlPlaneChannel>>);

impl CurrentControlPlane {
    pub(super) fn new(channel: watch::Receiver<Option<ControlPlaneChannel>>) -> Self {
        Self(channel)
    }

    /// Calls the control plane. If it does not respond, and the edge attaches to another one soon, calls that one.
    pub(super) async fn call<T, F: Future<Output = Result<Response<T>, Status>>>(
        mut self,
        call: impl Fn(ControlPlaneChannel) -> F,
    ) -> Result<T, Status> {
        loop {
            let attached = timeout(ATTACH_WAIT, self.0.wait_for(Option::is_some)).await;
            let Ok(Ok(Some(channel))) = attached.map(|channel| channel.map(|channel| channel.clone())) else {
                return Err(Status::unavailable("the edge is not attached to a control plane"));
            };
            let status = match timeout(CALL_TIMEOUT, call(channel)).await {
                Ok(Ok(response)) => return Ok(response.into_inner()),
                // Only a status that the control plane itself returns has details.
                Ok(Err(status)) if !status.details().is_empty() => return Err(status),
                Ok(Err(status)) => status,
                Err(elapsed) => Status::deadline_exceeded(elapsed.to_string()),
            };
            let changed = timeout(ATTACH_WAIT, self.0.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                return Err(status);
            }
        }
    }
}

/// A request with a deadline, so that the control plane stops when the caller no longer waits.
pub(super) fn with_deadline<T>(message: impl Into<T>) -> Request<T> {
    let mut request = Request::new(message.into());
    request.set_timeout(CALL_TIMEOUT);
    request
}

pub(super) fn log_failure(method: &'static str, status: &Status) {
    let (code, error) = (status.code(), status.message());
    if matches!(code, Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled) {
        debug!(method, %code, error, "the control plane did not respond");
    } else {
        warn!(method, %code, error, "a call to the control plane failed");
    }
}

/// Returns the result of a task, or logs its panic under the task's name.
pub(super) fn or_log_panic<T>(task: &'static str, finished: Result<T, JoinError>) -> Option<T> {
    finished
        .map_err(|error| error!(task.name = task, %error, "task panicked"))
        .ok()
}
