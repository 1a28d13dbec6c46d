//! The shell of the core's hub: one task owns it and the store's subscription, and does what it asks for.
//!
//! It must never wait for a follower or for the store: followers have queues with a cap, reads are tasks.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use roomcast_core::{
    Millis, RoomId,
    hub::{Action, FollowerId, Hub, Input, Update},
};
use roomcast_runtime::lifecycle::Shutdown;
use roomcast_store::{Store, Subscription, SubscriptionSignal};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{
    config::{FOLLOWER_QUEUE, HUB_QUEUE},
    follower::{Command, Fed, HubHandle, Turn},
    metrics::Metrics,
    reads::{Read, Reads},
};

/// The hub's task and the handle to it.
pub(crate) fn start(
    store: Arc<dyn Store>,
    shutdown: Shutdown,
    metrics: Metrics,
) -> (HubHandle, impl Future<Output = ()> + Send + 'static) {
    // Full: whoever asks waits.
    let (commands, asked) = mpsc::channel(HUB_QUEUE);
    let shell = Shell {
        hub: Hub::default(),
        started: Instant::now(),
        subscription: store.subscription(),
        reads: Reads::new(store, metrics.clone()),
        listening: HashMap::new(),
        queues: BTreeMap::new(),
        behind: HashMap::new(),
        gone: JoinSet::new(),
        metrics,
    };
    (HubHandle::new(commands, shutdown), shell.run(asked))
}

struct Shell {
    hub: Hub,
    started: Instant,
    subscription: Box<dyn Subscription>,
    reads: Reads,
    /// Ends the reads of a room that nobody is interested in any more.
    listening: HashMap<RoomId, CancellationToken>,
    queues: BTreeMap<FollowerId, mpsc::Sender<Fed>>,
    /// Who is behind in a room; no more than [`ROOMS_BEHIND`] of each follower.
    behind: HashMap<RoomId, Vec<(FollowerId, Turn)>>,
    gone: JoinSet<FollowerId>,
    metrics: Metrics,
}

impl Shell {
    async fn run(mut self, mut asked: mpsc::Receiver<Command>) {
        loop {
            let deadline = self.hub.next_deadline().map(|at| self.started + millis(at));
            let input = tokio::select! {
                // What is bounded by our own caps comes before hints, of which there is no end; hints that are
                // late are dropped by the store, which says so, and read again. Tails are compared before them too.
                biased;
                Some(answer) = self.reads.next() => answer,
                Some(Ok(follower)) = self.gone.join_next() => {
                    self.queues.remove(&follower);
                    self.end_turns(follower);
                    Input::Detached(follower)
                }
                command = asked.recv() => match command {
                    None => return,
                    Some(Command::Interest { follower, room, after, turn }) => {
                        self.behind.entry(room.clone()).or_default().push((follower, turn));
                        Input::Interest { follower, room, after }
                    }
                    Some(Command::Forget { follower, room }) => Input::EndInterest { follower, room },
                    Some(Command::Follow { follower, queue, gone }) => {
                        self.follow(follower, queue, gone);
                        continue;
                    }
                },
                () = until(deadline) => {
                    let now = self.now();
                    self.hub.handle_deadline(now);
                    self.act();
                    continue;
                }
                notice = self.subscription.next() => match notice {
                    SubscriptionSignal::Subscribed(room) => {
                        self.listen(&room);
                        Input::Subscribed(room)
                    }
                    SubscriptionSignal::Notification(room, entry) => Input::Notification(room, entry),
                    SubscriptionSignal::Lost => {
                        debug!("hints were lost: the rooms of interest are read again");
                        continue;
                    }
                },
            };
            let room = room_of(&input).cloned();
            let now = self.now();
            self.hub.handle(input, now);
            self.act();
            if let Some(room) = room {
                self.settle(&room);
            }
        }
    }

    fn now(&self) -> Millis {
        Millis::try_from(self.started.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    fn follow(&mut self, follower: FollowerId, queue: mpsc::Sender<Fed>, gone: oneshot::Receiver<()>) {
        self.queues.insert(follower, queue);
        self.gone.spawn(async move {
            let _dropped = gone.await;
            follower
        });
    }

    fn act(&mut self) {
        while let Some(action) = self.hub.next_action() {
            match action {
                Action::Subscribe(room) => {
                    self.listen(&room);
                    self.subscription.subscribe(room);
                }
                Action::Unsubscribe(room) => {
                    self.subscription.unsubscribe(&room);
                    if let Some(wanted) = self.listening.remove(&room) {
                        wanted.cancel();
                    }
                }
                Action::ReadSnapshot(room) => self.read(Read::Snapshot(room.clone()), &room),
                Action::Read { room, after } => self.read(Read::Log(room.clone(), after), &room),
                Action::Compare(rooms) => self.reads.tails(rooms),
                Action::Send {
                    follower,
                    room,
                    update,
                } => self.send(follower, room, update),
            }
        }
        self.metrics
            .rooms
            .set(i64::try_from(self.hub.rooms()).unwrap_or(i64::MAX));
    }

    /// Ends the reads of the room that are under way; those from here on are wanted.
    fn listen(&mut self, room: &RoomId) {
        if let Some(earlier) = self.listening.insert(room.clone(), CancellationToken::new()) {
            earlier.cancel();
        }
    }

    fn read(&mut self, read: Read, room: &RoomId) {
        if let Some(wanted) = self.listening.get(room) {
            self.reads.room(read, wanted.clone());
        }
    }

    /// Ends the turns of those who have caught up in the room without being sent anything.
    fn settle(&mut self, room: &RoomId) {
        if let Some(behind) = self.behind.get_mut(room) {
            behind.retain(|(follower, _)| self.hub.is_behind(*follower, room));
            if behind.is_empty() {
                self.behind.remove(room);
            }
        }
    }

    /// The follower's turn in the room, where what is sent now is the last of what was read for it.
    fn turn(&mut self, follower: FollowerId, room: &RoomId) -> Option<Turn> {
        let behind = self.behind.get_mut(room)?;
        if self.hub.is_behind(follower, room) {
            return None;
        }
        let at = behind.iter().position(|(other, _)| *other == follower)?;
        Some(behind.swap_remove(at).1)
    }

    fn end_turns(&mut self, follower: FollowerId) {
        self.behind.retain(|_, behind| {
            behind.retain(|(other, _)| *other != follower);
            !behind.is_empty()
        });
    }

    /// A full queue ends its follower, who goes on from its position; nobody else notices (I7).
    fn send(&mut self, follower: FollowerId, room: RoomId, item: Update) {
        let turn = self.turn(follower, &room);
        let Some(queue) = self.queues.get(&follower) else {
            return;
        };
        let entries = match &item {
            Update::Entries(entries) => entries.len() as u64,
            Update::Snapshot { .. } | Update::SessionNotFound => 0,
        };
        match queue.try_send(Fed {
            room,
            item,
            _turn: turn,
        }) {
            Ok(()) => {
                self.metrics.entries_sent.inc_by(entries);
                return;
            }
            Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(_)) => {
                warn!(
                    follower = follower.0,
                    cap = FOLLOWER_QUEUE,
                    "cut a follower: its queue is full"
                );
                self.metrics.followers_cut.inc();
            }
        }
        self.queues.remove(&follower);
        self.end_turns(follower);
        let now = self.now();
        self.hub.handle(Input::Detached(follower), now);
    }
}

/// The room that an input is about, in which somebody may have caught up by it.
fn room_of(input: &Input) -> Option<&RoomId> {
    match input {
        Input::Interest { room, .. } | Input::EndInterest { room, .. } | Input::ReadResult { room, .. } => {
            Some(room)
        }
        Input::Subscribed(room) | Input::Snapshot(room, _) => Some(room),
        Input::Notification(..) | Input::Detached(_) | Input::Tails(_) => None,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn millis(at: Millis) -> Duration {
    Duration::from_millis(u64::try_from(at).unwrap_or(0))
}
