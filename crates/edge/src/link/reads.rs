//! Reads of rooms' logs through the control plane, for replays.

use roomcast_core::{LogSlice, Position, RoomId, rooms::Input};
use roomcast_proto::{link::ReadLog, v1::edge_service_client::EdgeServiceClient};
use tokio::{sync::mpsc, task::JoinSet};
use tracing::warn;

use super::calls::{CurrentControlPlane, log_failure, or_log_panic, with_deadline};
use crate::inbox::{Inbox, RoomsInput};

/// The most reads at a time. Further reads wait in the queue.
const CALLS_LIMIT: usize = 1_024;

/// A read of a room's log after a position.
pub(super) struct ReadRequest {
    pub(super) room: RoomId,
    pub(super) after: Position,
}

/// Reads logs.
pub(crate) struct LogReader {
    pub(super) queue: mpsc::Receiver<ReadRequest>,
    pub(super) control_plane: CurrentControlPlane,
    pub(super) inbox: Inbox,
}

impl LogReader {
    /// Makes the calls until the rooms task has ended.
    pub(crate) async fn run(mut self) {
        let mut calls = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                Some(finished) = calls.join_next() => {
                    or_log_panic("read log", finished);
                }
                request = self.queue.recv(), if calls.len() < CALLS_LIMIT => {
                    let Some(request) = request else { return };
                    calls.spawn(read(self.control_plane.clone(), request, self.inbox.clone()));
                }
            }
        }
    }
}

async fn read(control_plane: CurrentControlPlane, request: ReadRequest, inbox: Inbox) {
    let ReadRequest { room, after } = request;
    let slice = call(control_plane, &room, after).await;
    let input = Input::ReadResult { room, after, slice };
    inbox.send(RoomsInput::Rooms(input)).await;
}

async fn call(control_plane: CurrentControlPlane, room: &RoomId, after: Position) -> Option<LogSlice> {
    let called = control_plane.call(|channel| {
        let request = with_deadline(ReadLog {
            room: room.clone(),
            after: after.offset,
        });
        let mut client = EdgeServiceClient::new(channel).max_decoding_message_size(usize::MAX);
        async move { client.read_log(request).await }
    });
    match called.await.map(LogSlice::try_from) {
        Ok(slice) => slice
            .map_err(|invalid| warn!(error = %invalid, "the control plane returned an invalid response"))
            .ok(),
        Err(status) => {
            log_failure("ReadLog", &status);
            None
        }
    }
}
