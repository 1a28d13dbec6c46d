//! How links and watchers reach the hub, and what they are fed.
//!
//! Nothing has to be given back: whoever drops a follower is fed no more, and the hub's task ends with the last handle.

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

use crate::config::{FOLLOWER_QUEUE, ROOMS_BEHIND};

/// What a follower is fed.
#[derive(Debug)]
pub(crate) struct Fed {
    pub(crate) room: RoomId,
    pub(crate) item: Update,
    /// With the last of what was read for it: another room's turn comes when this is taken.
    pub(crate) _turn: Option<Turn>,
}

/// Held for one of the rooms that a follower is behind in; given back when it is dropped.
pub(crate) type Turn = OwnedSemaphorePermit;

/// What followers ask of the hub's task.
#[derive(Debug)]
pub(crate) enum Command {
    /// There is a new follower.
    Follow {
        /// Who.
        follower: FollowerId,
        /// What it is fed goes here. Dropped: it is cut.
        queue: mpsc::Sender<Fed>,
        /// Ends when the follower is dropped.
        gone: oneshot::Receiver<()>,
    },
    /// A follower begins to be fed a room.
    Interest {
        /// Who.
        follower: FollowerId,
        /// Which room.
        room: RoomId,
        /// The last position that it has.
        after: Option<Position>,
        /// Held until it has caught up.
        turn: Turn,
    },
    /// A follower is fed a room no more.
    Forget {
        /// Who.
        follower: FollowerId,
        /// Which room.
        room: RoomId,
    },
}

/// Reaches the hub's task, which ends with the last handle. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct HubHandle {
    commands: mpsc::Sender<Command>,
    next_follower: Arc<AtomicU64>,
    shutdown: Shutdown,
}

/// One who is fed. Dropped, it is fed no more.
#[derive(Debug)]
pub(crate) struct Follower {
    id: FollowerId,
    fed: mpsc::Receiver<Fed>,
    /// Interests that wait for their turn: no more than the follower's own rooms.
    interests: BTreeMap<RoomId, Option<Position>>,
    turns: Arc<Semaphore>,
    hub: HubHandle,
    _gone: oneshot::Sender<()>,
}

impl HubHandle {
    pub(crate) fn new(commands: mpsc::Sender<Command>, shutdown: Shutdown) -> Self {
        Self {
            commands,
            next_follower: Arc::default(),
            shutdown,
        }
    }

    /// A new follower, of no room at first.
    pub(crate) async fn follow(&self) -> Result<Follower, Failure> {
        let id = FollowerId(self.next_follower.fetch_add(1, Ordering::Relaxed));
        // Full: the follower is cut, see `Shell::send`.
        let (queue, fed) = mpsc::channel(FOLLOWER_QUEUE);
        let (alive, gone) = oneshot::channel();
        self.tell(Command::Follow {
            follower: id,
            queue,
            gone,
        })
        .await?;
        Ok(Follower {
            id,
            fed,
            interests: BTreeMap::new(),
            turns: Arc::new(Semaphore::new(ROOMS_BEHIND)),
            hub: self.clone(),
            _gone: alive,
        })
    }

    /// Waits until the process drains.
    pub(crate) async fn draining(&self) {
        self.shutdown.draining().await;
    }

    async fn tell(&self, command: Command) -> Result<(), Failure> {
        self.commands.send(command).await.map_err(|_| Failure::Draining)
    }
}

impl Follower {
    /// Begins to be fed a room, when its turn comes.
    pub(crate) fn interest(&mut self, room: RoomId, after: Option<Position>) {
        self.interests.insert(room, after);
    }

    /// Is fed a room no more.
    pub(crate) async fn forget(&mut self, room: RoomId) -> Result<(), Failure> {
        self.interests.remove(&room);
        let follower = self.id;
        self.hub.tell(Command::Forget { follower, room }).await
    }

    /// What comes next. Cancel-safe.
    ///
    /// # Errors
    /// The follower was cut because it did not take what came, or the control plane ends.
    pub(crate) async fn next(&mut self) -> Result<Fed, Failure> {
        loop {
            let asking = async {
                let turn = self.turns.clone().acquire_owned().await;
                (turn, self.hub.commands.reserve().await)
            };
            tokio::select! {
                fed = self.fed.recv() => return match fed {
                    Some(fed) => Ok(fed),
                    None if self.hub.shutdown.is_draining() => Err(Failure::Draining),
                    None => Err(Failure::TooSlow),
                },
                asking = asking, if !self.interests.is_empty() => {
                    let (Ok(turn), Ok(place)) = asking else {
                        return Err(Failure::Draining);
                    };
                    if let Some((room, after)) = self.interests.pop_first() {
                        let follower = self.id;
                        place.send(Command::Interest { follower, room, after, turn });
                    }
                }
            }
        }
    }
}
