//! Runs the core's hub: one task owns it and the store's subscription, and executes its actions.
//!
//! The task must never wait for a follower or for the store: followers have bounded queues, and reads are tasks of
//! their own.

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

use super::{
    follower::{CatchUpPermit, HubCommand, HubHandle, RoomUpdate},
    store_reads::{RoomRead, StoreReads},
};
use crate::{
    limits::{FOLLOWER_QUEUE, HUB_QUEUE},
    metrics::Metrics,
};

/// The handle to the hub's task, and the task, which the caller has to run.
pub(crate) fn start(
    store: Arc<dyn Store>,
    shutdown: Shutdown,
    metrics: Metrics,
) -> (HubHandle, impl Future<Output = ()> + Send + 'static) {
    // At most HUB_QUEUE commands. When it is full, the follower that sends waits.
    let (sender, commands) = mpsc::channel(HUB_QUEUE);
    let task = HubTask {
        hub: Hub::default(),
        started: Instant::now(),
        subscription: store.subscription(),
        reads: StoreReads::new(store, metrics.clone()),
        read_cancellations: HashMap::new(),
        queues: BTreeMap::new(),
        catching_up: HashMap::new(),
        dropped: JoinSet::new(),
        metrics,
    };
    (HubHandle::new(sender, shutdown), task.run(commands))
}

struct HubTask {
    hub: Hub,
    started: Instant,
    subscription: Box<dyn Subscription>,
    reads: StoreReads,
    /// For each room of interest: cancels its reads when their results are no longer needed.
    read_cancellations: HashMap<RoomId, CancellationToken>,
    queues: BTreeMap<FollowerId, mpsc::Sender<RoomUpdate>>,
    /// For each room, the followers that are catching up in it: at most [`crate::limits::ROOMS_CATCHING_UP`] rooms for
    /// each follower.
    catching_up: HashMap<RoomId, Vec<(FollowerId, CatchUpPermit)>>,
    /// One task for each follower, owned by this set: it ends when the follower is dropped.
    dropped: JoinSet<FollowerId>,
    metrics: Metrics,
}

impl HubTask {
    async fn run(mut self, mut commands: mpsc::Receiver<HubCommand>) {
        loop {
            let deadline = self.hub.next_deadline().map(|at| self.started + duration(at));
            let input = tokio::select! {
                // Our own limits bound the number of all inputs except notifications, so notifications are handled
                // last, also after the comparison of tails. The store drops notifications that are not taken in time
                // and reports it; their rooms are then read again.
                biased;
                Some(result) = self.reads.next() => Some(result),
                Some(Ok(follower)) = self.dropped.join_next() => Some(self.remove_follower(follower)),
                command = commands.recv() => match command {
                    None => return,
                    Some(command) => self.handle_command(command),
                },
                () = sleep_until_deadline(deadline) => {
                    let now = self.now();
                    self.hub.handle_deadline(now);
                    None
                }
                signal = self.subscription.next() => self.handle_signal(signal),
            };
            let room = input.as_ref().and_then(room_of).cloned();
            if let Some(input) = input {
                let now = self.now();
                self.hub.handle(input, now);
            }
            self.execute_actions();
            if let Some(room) = room {
                self.release_permits_in(&room);
            }
        }
    }

    fn now(&self) -> Millis {
        Millis::try_from(self.started.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    /// Handles a command of a follower. Returns the input for the hub that follows from it, if any.
    fn handle_command(&mut self, command: HubCommand) -> Option<Input> {
        match command {
            HubCommand::Follow {
                follower,
                queue,
                dropped,
            } => {
                self.add_follower(follower, queue, dropped);
                None
            }
            HubCommand::Interest {
                follower,
                room,
                after,
                permit,
            } => {
                let catching_up = self.catching_up.entry(room.clone()).or_default();
                catching_up.push((follower, permit));
                Some(Input::Interest {
                    follower,
                    room,
                    after,
                })
            }
            HubCommand::EndInterest { follower, room } => Some(Input::EndInterest { follower, room }),
        }
    }

    /// Handles a signal of the store. Returns the input for the hub that follows from it, if any.
    fn handle_signal(&mut self, signal: SubscriptionSignal) -> Option<Input> {
        match signal {
            SubscriptionSignal::Subscribed(room) => {
                self.cancel_reads(&room);
                Some(Input::Subscribed(room))
            }
            SubscriptionSignal::Notification(room, entry) => Some(Input::Notification(room, entry)),
            SubscriptionSignal::Lost => {
                debug!("notifications were lost: the rooms of interest are read again");
                None
            }
        }
    }

    fn add_follower(
        &mut self,
        follower: FollowerId,
        queue: mpsc::Sender<RoomUpdate>,
        dropped: oneshot::Receiver<()>,
    ) {
        self.queues.insert(follower, queue);
        self.dropped.spawn(async move {
            let _ = dropped.await; // an error: the sender was dropped with the follower, which is the signal
            follower
        });
    }

    fn remove_follower(&mut self, follower: FollowerId) -> Input {
        self.queues.remove(&follower);
        self.release_permits_of(follower);
        Input::Detached(follower)
    }

    fn execute_actions(&mut self) {
        while let Some(action) = self.hub.next_action() {
            match action {
                Action::Subscribe(room) => {
                    self.cancel_reads(&room);
                    self.subscription.subscribe(room);
                }
                Action::Unsubscribe(room) => {
                    self.subscription.unsubscribe(&room);
                    if let Some(reads) = self.read_cancellations.remove(&room) {
                        reads.cancel();
                    }
                }
                Action::ReadSnapshot(room) => self.read(RoomRead::Snapshot(room.clone()), &room),
                Action::Read { room, after } => self.read(RoomRead::Log(room.clone(), after), &room),
                Action::Compare(rooms) => self.reads.read_tails(rooms),
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

    /// Cancels the room's reads in progress. Reads that start later are not affected.
    fn cancel_reads(&mut self, room: &RoomId) {
        let earlier = self
            .read_cancellations
            .insert(room.clone(), CancellationToken::new());
        if let Some(earlier) = earlier {
            earlier.cancel();
        }
    }

    fn read(&mut self, read: RoomRead, room: &RoomId) {
        if let Some(cancellation) = self.read_cancellations.get(room) {
            self.reads.read_room(read, cancellation.clone());
        }
    }

    /// Releases the permits of the followers that have caught up in the room without receiving an update.
    fn release_permits_in(&mut self, room: &RoomId) {
        if let Some(catching_up) = self.catching_up.get_mut(room) {
            catching_up.retain(|(follower, _)| self.hub.is_behind(*follower, room));
            if catching_up.is_empty() {
                self.catching_up.remove(room);
            }
        }
    }

    /// The follower's permit in the room, if the update that is sent now completes its catch-up.
    fn take_permit(&mut self, follower: FollowerId, room: &RoomId) -> Option<CatchUpPermit> {
        let catching_up = self.catching_up.get_mut(room)?;
        if self.hub.is_behind(follower, room) {
            return None;
        }
        let index = catching_up.iter().position(|(other, _)| *other == follower)?;
        Some(catching_up.swap_remove(index).1)
    }

    fn release_permits_of(&mut self, follower: FollowerId) {
        self.catching_up.retain(|_, catching_up| {
            catching_up.retain(|(other, _)| *other != follower);
            !catching_up.is_empty()
        });
    }

    /// Puts an update into the follower's queue. A full queue closes the follower, whose reader then continues from its
    /// last position; other followers are not affected (I7).
    fn send(&mut self, follower: FollowerId, room: RoomId, update: Update) {
        let permit = self.take_permit(follower, &room);
        let Some(queue) = self.queues.get(&follower) else {
            return;
        };
        let entries = match &update {
            Update::Entries(entries) => entries.len() as u64,
            Update::Snapshot { .. } | Update::SessionNotFound => 0,
        };
        match queue.try_send(RoomUpdate {
            room,
            update,
            _permit: permit,
        }) {
            Ok(()) => {
                self.metrics.entries_sent.inc_by(entries);
                return;
            }
            Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(_)) => {
                warn!(
                    follower = follower.0,
                    limit = FOLLOWER_QUEUE,
                    "closed a slow follower: its queue is full"
                );
                self.metrics.slow_followers_closed.inc();
            }
        }
        let input = self.remove_follower(follower);
        let now = self.now();
        self.hub.handle(input, now);
    }
}

/// The room in which a follower may have caught up because of the input.
fn room_of(input: &Input) -> Option<&RoomId> {
    match input {
        Input::Interest { room, .. } | Input::EndInterest { room, .. } | Input::ReadResult { room, .. } => {
            Some(room)
        }
        Input::Subscribed(room) | Input::Snapshot(room, _) => Some(room),
        Input::Notification(..) | Input::Detached(_) | Input::Tails(_) => None,
    }
}

async fn sleep_until_deadline(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn duration(at: Millis) -> Duration {
    Duration::from_millis(u64::try_from(at).unwrap_or(0))
}
