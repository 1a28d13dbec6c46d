//! Why a link could not be opened, or why it ended.

use super::DialError;

#[derive(Debug, thiserror::Error)]
pub(super) enum LinkEnd {
    #[error("{0}")]
    Dial(#[from] DialError),
    #[error("the control plane ended the link: {}: {}", .0.code(), .0.message())]
    Status(#[from] tonic::Status),
    #[error("the control plane ended the link")]
    Closed,
    #[error("the control plane did not respond in time")]
    Silent,
    #[error("the control plane is shutting down")]
    GoAway,
    #[error("the control plane sent an invalid message: {0}")]
    Invalid(#[from] roomcast_proto::Invalid),
    #[error("the edge's queue of interests was full")]
    Overrun,
    #[error("the edge is shutting down")]
    RoomsTaskEnded,
}
