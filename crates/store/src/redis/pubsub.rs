//! Receives notifications on a connection of its own. It must never miss notifications without reporting it: when the
//! connection, or the subscription to one room, ends, it reports the loss and makes a new connection.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{PushInfo, PushKind, Value};
use roomcast_core::RoomId;
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::{Instant, sleep, sleep_until},
};

use super::{
    codec,
    config::RedisUrl,
    connect_backoff::{connect_backoff, next_wait},
    connection::{CHECK_INTERVAL, Connection, open},
    keys::{Slot, room_of},
};
use crate::subscriptions::Subscriptions;

/// How many pushed messages wait to be handled. When the queue is full, further ones are dropped; their rooms are
/// recorded, and the reader learns that notifications of these rooms were lost.
const MAX_PUSHES: usize = 512;
/// How many rooms are subscribed to with one write.
const BATCH: usize = 256;
/// When to retry the rooms of an unreachable node of a cluster.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// The task that receives notifications.
pub(super) struct PubSub {
    pub(super) url: RedisUrl,
    pub(super) prefix: Arc<str>,
    pub(super) subscriptions: Arc<Subscriptions>,
}

/// The messages that one connection pushed.
struct Pushes {
    queue: mpsc::Receiver<PushInfo>,
    dropped: Arc<Dropped>,
}

/// What one connection pushed while the queue was full.
#[derive(Default)]
struct Dropped {
    /// The channels of dropped notifications; no more than are subscribed to.
    channels: Mutex<BTreeSet<String>>,
    /// Whether a message about the end of a subscription, or of the connection, was dropped.
    end: AtomicBool,
}

impl Pushes {
    fn new() -> (
        impl Fn(PushInfo) -> Result<(), ()> + Send + Sync + Clone + 'static,
        Self,
    ) {
        let (sender, queue) = mpsc::channel(MAX_PUSHES);
        let dropped = Arc::new(Dropped::default());
        let pushes = Self {
            queue,
            dropped: dropped.clone(),
        };
        let push = move |info: PushInfo| {
            let is_end = matches!(info.kind, PushKind::SUnsubscribe | PushKind::Disconnection);
            if !is_end && info.kind != PushKind::SMessage {
                // Confirmations are also the responses to commands, where they are handled.
                return Ok(());
            }
            match sender.try_send(info) {
                Ok(()) => {}
                Err(_) if is_end => dropped.end.store(true, Ordering::Relaxed),
                Err(TrySendError::Full(info) | TrySendError::Closed(info)) => dropped.record(&info),
            }
            Ok(())
        };
        (push, pushes)
    }
}

impl Dropped {
    fn channels(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, info: &PushInfo) {
        match channel(info) {
            Some(channel) => drop(self.channels().insert(channel.to_owned())),
            // The room is unknown, so every room counts as lost.
            None => self.end.store(true, Ordering::Relaxed),
        }
    }

    fn take_channels(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.channels())
    }
}

/// The channel that the push is about.
fn channel(info: &PushInfo) -> Option<&str> {
    text(info.data.first())
}

fn text(value: Option<&Value>) -> Option<&str> {
    match value {
        Some(Value::BulkString(bytes)) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// The connection cannot be used any more.
struct ConnectionLost;

impl PubSub {
    /// Runs until its task is aborted.
    pub(super) async fn run(self) {
        let mut backoff = connect_backoff();
        loop {
            let (push, pushes) = Pushes::new();
            if let Ok(mut connection) = open(&self.url, Some(push)).await {
                let connected_at = Instant::now();
                let ConnectionLost = self.receive(&mut connection, pushes).await;
                self.subscriptions.connection_lost();
                if connected_at.elapsed() > CHECK_INTERVAL {
                    backoff.reset();
                }
            }
            // The connection for commands logs why Redis is unreachable.
            sleep(next_wait(&mut backoff)).await;
        }
    }

    async fn receive(&self, connection: &mut Connection, mut pushes: Pushes) -> ConnectionLost {
        let mut check_at = Instant::now() + CHECK_INTERVAL;
        let mut failed = Vec::new();
        let mut retried_at = Instant::now();
        loop {
            let step = tokio::select! {
                // Notifications are first, because their queue is limited.
                biased;
                push = pushes.queue.recv() => self.handle(push),
                () = self.subscriptions.changed() => self.apply_changes(connection, &mut pushes, &mut failed).await,
                () = sleep_until(retried_at + RETRY_AFTER), if !failed.is_empty() => {
                    retried_at = Instant::now();
                    self.subscriptions.retry(std::mem::take(&mut failed));
                    Ok(())
                }
                () = sleep_until(check_at) => {
                    let checked = connection.check_all().await;
                    check_at = Instant::now() + CHECK_INTERVAL;
                    checked.map_err(|_| ConnectionLost)
                }
            };
            if let Err(lost) = step {
                return lost;
            }
            if pushes.dropped.end.load(Ordering::Relaxed) {
                return ConnectionLost;
            }
            let dropped = pushes.dropped.take_channels();
            if !dropped.is_empty() {
                let rooms = dropped.iter().filter_map(|log| room_of(&self.prefix, log));
                self.subscriptions.notifications_lost(&rooms.collect::<Vec<_>>());
            }
        }
    }

    /// Subscribes to the rooms that the reader wants, and unsubscribes from the others.
    async fn apply_changes(
        &self,
        connection: &mut Connection,
        pushes: &mut Pushes,
        failed: &mut Vec<RoomId>,
    ) -> Result<(), ConnectionLost> {
        let changes = self.subscriptions.take_changes();
        for rooms in changes.unsubscribe.chunks(BATCH) {
            if !connection.unsubscribe(&self.channels(rooms)).await {
                return Err(ConnectionLost);
            }
            // The confirmations must be handled before the rooms are subscribed to again. Otherwise they would look like
            // subscriptions that the server ended.
            while let Ok(push) = pushes.queue.try_recv() {
                self.handle(Some(push))?;
            }
        }
        for rooms in changes.subscribe.chunks(BATCH) {
            let results = connection.subscribe(&self.channels(rooms)).await;
            let (mut active, mut not_active) = (Vec::new(), Vec::new());
            for (room, is_active) in rooms.iter().cloned().zip(results) {
                let list = if is_active { &mut active } else { &mut not_active };
                list.push(room);
            }
            self.subscriptions.activate(&active);
            match connection {
                Connection::One(_) if !not_active.is_empty() => return Err(ConnectionLost),
                Connection::One(_) | Connection::Cluster(_) => failed.extend(not_active),
            }
        }
        Ok(())
    }

    fn channels(&self, rooms: &[RoomId]) -> Vec<String> {
        rooms
            .iter()
            .map(|room| Slot::room(&self.prefix, room).log())
            .collect()
    }

    fn handle(&self, push: Option<PushInfo>) -> Result<(), ConnectionLost> {
        let push = push.ok_or(ConnectionLost)?;
        let room = channel(&push).and_then(|channel| room_of(&self.prefix, channel));
        if push.kind == PushKind::SMessage {
            // A message that cannot be read is skipped; a reader of the log gets the error.
            if let (Some(room), Some(line)) = (room, text(push.data.get(1)))
                && let Ok(entry) = codec::entry(&room, line)
            {
                self.subscriptions.notify(&room, &entry);
            }
            return Ok(());
        }
        // When a slot moves to another node, the server ends the subscriptions to its channels.
        let was_ended = push.kind == PushKind::SUnsubscribe
            && room.is_some_and(|room| self.subscriptions.is_active(&room));
        if was_ended || push.kind == PushKind::Disconnection {
            return Err(ConnectionLost);
        }
        Ok(())
    }
}
