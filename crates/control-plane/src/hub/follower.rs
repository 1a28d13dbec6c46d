//! How links and `WatchEvents` streams reach the hub's task, and what they receive from it.
//!
//! Everything is released by drop: a follower that is dropped receives nothing more, and the hub's task ends when the
//! last handle is dropped.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use roomcast_core::{
    Position, RoomId,
    hub::{FollowerId, Update},
};
use roomcast_proto::Failure;
use roomcast_runtime::lifecycle::Shutdown;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::limits::{FOLLOWER_QUEUE, ROOMS_CATCHING_UP};

/// The next update of one room that a follower receives.
#[derive(Debug)]
pub(crate) struct RoomUpdate {
    pub(crate) room: RoomId,
    pub(crate) update: Update,
    /// Set on the last update that was read for this follower. The permit is released when the follower has taken the
    /// update, which lets it catch up in another room.
    pub(crate) _permit: Option<CatchUpPermit>,
}

/// Held for each room in which a follower is catching up; released when it is dropped.
pub(crate) type CatchUpPermit = OwnedSemaphorePermit;

/// A request of a follower to the hub's task.
#[derive(Debug)]
pub(crate) enum HubCommand {
    /// Registers a new follower.
    Follow {
        follower: FollowerId,
        /// Receives the follower's updates. The hub drops it to close a slow follower.
        queue: mpsc::Sender<RoomUpdate>,
        /// Resolves when the follower is dropped.
        dropped: oneshot::Receiver<()>,
    },
    /// Starts to send a room's updates to a follower.
    Interest {
        follower: FollowerId,
        room: RoomId,
        /// The last position that the follower has; `None`: the first update is a snapshot.
        after: Option<Position>,
        /// Held until the follower has caught up.
        permit: CatchUpPermit,
    },
    /// Stops sending a room's updates to a follower.
    EndInterest { follower: FollowerId, room: RoomId },
}

/// Reaches the hub's task, which ends when the last handle is dropped. Clones share the task.
#[derive(Debug, Clone)]
pub(crate) struct HubHandle {
    commands: mpsc::Sender<HubCommand>,
    next_follower: Arc<AtomicU64>,
    shutdown: Shutdown,
}

/// One reader of rooms' feeds. When it is dropped, the hub removes it and its interests.
#[derive(Debug)]
pub(crate) struct Follower {
    id: FollowerId,
    updates: mpsc::Receiver<RoomUpdate>,
    /// Interests that wait for a permit, at most one for each room.
    waiting_interests: BTreeMap<RoomId, Option<Position>>,
    permits: Arc<Semaphore>,
    hub: HubHandle,
    /// Dropped with the follower, which notifies the hub.
    _drop_signal: oneshot::Sender<()>,
}

impl HubHandle {
    pub(crate) fn new(commands: mpsc::Sender<HubCommand>, shutdown: Shutdown) -> Self {
        Self {
            commands,
            next_follower: Arc::default(),
            shutdown,
        }
    }

    /// Registers a follower, which follows no room at first.
    pub(crate) async fn follow(&self) -> Result<Follower, Failure> {
        let id = FollowerId(self.next_follower.fetch_add(1, Ordering::Relaxed));
        // At most FOLLOWER_QUEUE updates. When it is full, the hub closes the follower: see `HubTask::send`.
        let (queue, updates) = mpsc::channel(FOLLOWER_QUEUE);
        let (drop_signal, dropped) = oneshot::channel();
        self.send(HubCommand::Follow {
            follower: id,
            queue,
            dropped,
        })
        .await?;
        Ok(Follower {
            id,
            updates,
            waiting_interests: BTreeMap::new(),
            permits: Arc::new(Semaphore::new(ROOMS_CATCHING_UP)),
            hub: self.clone(),
            _drop_signal: drop_signal,
        })
    }

    /// Waits until the process drains.
    pub(crate) async fn draining(&self) {
        self.shutdown.draining().await;
    }

    async fn send(&self, command: HubCommand) -> Result<(), Failure> {
        self.commands.send(command).await.map_err(|_| Failure::Draining)
    }
}

impl Follower {
    /// Follows a room after a position, as soon as a permit to catch up is free.
    pub(crate) fn interest(&mut self, room: RoomId, after: Option<Position>) {
        self.waiting_interests.insert(room, after);
    }

    /// Stops following a room.
    pub(crate) async fn end_interest(&mut self, room: RoomId) -> Result<(), Failure> {
        self.waiting_interests.remove(&room);
        let follower = self.id;
        self.hub.send(HubCommand::EndInterest { follower, room }).await
    }

    /// The next update. Cancel-safe.
    ///
    /// # Errors
    /// The hub closed the follower because its queue was full, or the control plane ends.
    pub(crate) async fn next(&mut self) -> Result<RoomUpdate, Failure> {
        loop {
            let may_send_interest = async {
                let permit = self.permits.clone().acquire_owned().await;
                (permit, self.hub.commands.reserve().await)
            };
            tokio::select! {
                update = self.updates.recv() => return match update {
                    Some(update) => Ok(update),
                    None if self.hub.shutdown.is_draining() => Err(Failure::Draining),
                    None => Err(Failure::TooSlow),
                },
                ready = may_send_interest, if !self.waiting_interests.is_empty() => {
                    let (Ok(permit), Ok(slot)) = ready else {
                        return Err(Failure::Draining);
                    };
                    if let Some((room, after)) = self.waiting_interests.pop_first() {
                        let follower = self.id;
                        slot.send(HubCommand::Interest { follower, room, after, permit });
                    }
                }
            }
        }
    }
}
