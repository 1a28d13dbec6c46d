//! `WatchEvents`: a backend follows one room, as an edge does.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{Stream, stream};
use roomcast_core::{Entry, RoomId, hub::Update};
use roomcast_proto::{Failure, v1::WatchEventsResponse, watch::WatchRoom};
use tonic::Status;

use crate::{
    hub::{Follower, HubHandle},
    use_cases::{UseCases, session_not_found},
};

struct Watcher {
    room: RoomId,
    follower: Follower,
    hub: HubHandle,
    /// Entries that the follower has delivered and the stream has not sent. At most one update's entries.
    unsent_entries: VecDeque<Arc<Entry>>,
}

/// The room's events after the caller's position, or from the oldest event that is still in the log.
///
/// # Errors
/// The session does not exist, or the store is unreachable.
pub(crate) async fn start(
    use_cases: &UseCases,
    hub: &HubHandle,
    WatchRoom { room, after }: WatchRoom,
) -> Result<impl Stream<Item = Result<WatchEventsResponse, Status>> + use<>, Failure> {
    use_cases.check_room_exists(&room).await?;
    let after = match after {
        Some(after) => after,
        None => use_cases.before_oldest_event(&room).await?,
    };
    let mut follower = hub.follow().await?;
    follower.interest(room.clone(), Some(after));
    let watcher = Watcher {
        room,
        follower,
        hub: hub.clone(),
        unsent_entries: VecDeque::new(),
    };
    Ok(stream::unfold(Some(watcher), |watcher| async {
        let mut watcher = watcher?;
        match watcher.next_response().await {
            Ok(response) => Some((Ok(response), Some(watcher))),
            Err(failure) => Some((Err(failure.into()), None)),
        }
    }))
}

impl Watcher {
    async fn next_response(&mut self) -> Result<WatchEventsResponse, Failure> {
        loop {
            if let Some(entry) = self.unsent_entries.pop_front() {
                return Ok(WatchEventsResponse::event(&self.room, &entry));
            }
            tokio::select! {
                biased; // a drain ends the stream even if the room is busy; the caller continues elsewhere
                () = self.hub.draining() => return Err(Failure::Draining),
                update = self.follower.next() => match update?.update {
                    Update::Snapshot { snapshot, .. } => return Ok(WatchEventsResponse::reset(&snapshot)),
                    Update::Entries(entries) => self.unsent_entries.extend(entries),
                    Update::SessionNotFound => return Err(session_not_found()),
                },
            }
        }
    }
}
