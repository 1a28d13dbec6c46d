//! What a socket waits for.

use roomcast_core::rooms::{ResumeOutcome, SocketRequestId};
use tokio::sync::oneshot;

use crate::inbox::AckId;

/// The results that a socket waits for.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) user_room_joined: Option<oneshot::Sender<()>>,
    pub(super) resume: Option<oneshot::Sender<ResumeOutcome>>,
    /// Requests without a response yet; few at a time.
    pub(super) requests: Vec<(SocketRequestId, AckId)>,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.user_room_joined.is_none() && self.resume.is_none() && self.requests.is_empty()
    }

    /// Removes a request and returns its acknowledgement.
    pub(super) fn take_ack(&mut self, request: SocketRequestId) -> Option<AckId> {
        let at = self.requests.iter().position(|(id, _)| *id == request)?;
        Some(self.requests.swap_remove(at).1)
    }
}
