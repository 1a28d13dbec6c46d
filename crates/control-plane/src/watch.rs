//! WatchEvents: a backend follows one room, as an edge does.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{Stream, stream};
use roomcast_core::{Entry, RoomId, hub::Update};
use roomcast_proto::{Failure, room::Watch, v1::WatchEventsResponse};
use tonic::Status;

use crate::{
    follower::{Follower, HubHandle},
    use_cases::{UseCases, session_not_found},
};

struct Watcher {
    room: RoomId,
    fed: Follower,
    hub: HubHandle,
    entries: VecDeque<Arc<Entry>>,
}

/// The room's events after the position that the caller has, or from the oldest that is still there.
///
/// # Errors
/// There is no such session, or the store is out of reach.
pub(crate) async fn start(
    use_cases: &UseCases,
    hub: &HubHandle,
    Watch { room, after }: Watch,
) -> Result<impl Stream<Item = Result<WatchEventsResponse, Status>> + use<>, Failure> {
    use_cases.check_room(&room).await?;
    let after = match after {
        Some(after) => after,
        None => use_cases.oldest(&room).await?,
    };
    let mut fed = hub.follow().await?;
    fed.interest(room.clone(), Some(after));
    let watcher = Watcher {
        room,
        fed,
        hub: hub.clone(),
        entries: VecDeque::new(),
    };
    Ok(stream::unfold(Some(watcher), |watcher| async {
        let mut watcher = watcher?;
        match watcher.next().await {
            Ok(event) => Some((Ok(event), Some(watcher))),
            Err(failure) => Some((Err(failure.into()), None)),
        }
    }))
}

impl Watcher {
    async fn next(&mut self) -> Result<WatchEventsResponse, Failure> {
        loop {
            if let Some(entry) = self.entries.pop_front() {
                return Ok(WatchEventsResponse::event(&self.room, &entry));
            }
            tokio::select! {
                biased; // a tailer that reconnects early misses nothing
                () = self.hub.draining() => return Err(Failure::Draining),
                fed = self.fed.next() => match fed?.item {
                    Update::Snapshot { snapshot, .. } => return Ok(WatchEventsResponse::reset(&snapshot)),
                    Update::Entries(entries) => self.entries.extend(entries),
                    Update::SessionNotFound => return Err(session_not_found()),
                },
            }
        }
    }
}
