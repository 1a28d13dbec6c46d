//! How links and watchers reach the hub, and what they are fed.
//!
//! Nothing has to be given back: whoever drops a follower is fed no more, and the hub's task ends with the last handle.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use roomcast_core::{
    Position, RoomId,
    hub::{FollowerId, Input, Item},
};
use roomcast_proto::Failure;
use roomcast_runtime::lifecycle::Shutdown;
use tokio::sync::{mpsc, oneshot};

use crate::config::FOLLOWER_QUEUE;

/// What a follower is fed.
pub(crate) type Fed = (RoomId, Item);

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
    /// Tell the hub.
    Tell(Input),
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
    /// Begins to be fed a room.
    pub(crate) async fn interest(&mut self, room: RoomId, after: Option<Position>) -> Result<(), Failure> {
        let follower = self.id;
        self.hub
            .tell(Command::Tell(Input::Interest {
                follower,
                room,
                after,
            }))
            .await
    }

    /// Is fed a room no more.
    pub(crate) async fn forget(&mut self, room: RoomId) -> Result<(), Failure> {
        let follower = self.id;
        self.hub
            .tell(Command::Tell(Input::Forget { follower, room }))
            .await
    }

    /// What comes next. Cancel-safe.
    ///
    /// # Errors
    /// The follower was cut because it did not take what came, or the control plane ends.
    pub(crate) async fn next(&mut self) -> Result<Fed, Failure> {
        match self.fed.recv().await {
            Some(fed) => Ok(fed),
            None if self.hub.shutdown.is_draining() => Err(Failure::Draining),
            None => Err(Failure::TooSlow),
        }
    }
}
