//! Hears the hints for every subscription of the store, over a connection of its own. It must never be deaf
//! without telling: whatever ends the connection, or a room's place on it, ends in `Lost` and a new connection.

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
    connect_backoff, connect_jitter,
    connection::{Connection, open},
    keys::{Slot, room_of},
    supervisor::CHECK_INTERVAL,
};
use crate::audience::Audience;

/// How many pushed messages wait to be handed on; more are dropped, and the subscribers of their rooms are told.
const PUSHES: usize = 512;
/// How many rooms are subscribed to in one go.
const BATCH: usize = 256;
/// When to try again the rooms of a cluster's node that is away.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

pub(super) struct Hearing {
    pub(super) url: RedisUrl,
    pub(super) prefix: String,
    pub(super) audience: Arc<Audience>,
}

/// What one connection says.
struct Heard {
    pushes: mpsc::Receiver<PushInfo>,
    dropped: Arc<Dropped>,
}

/// What one connection said when the queue was full.
#[derive(Default)]
struct Dropped {
    /// Of these channels; they are no more than those that are listened to.
    hints: Mutex<BTreeSet<String>>,
    /// News that a room, or all of them, are not heard any more.
    end: AtomicBool,
}

impl Heard {
    fn new() -> (
        impl Fn(PushInfo) -> Result<(), ()> + Send + Sync + Clone + 'static,
        Self,
    ) {
        let (sender, pushes) = mpsc::channel(PUSHES);
        let dropped = Arc::new(Dropped::default());
        let heard = Self {
            pushes,
            dropped: dropped.clone(),
        };
        let push = move |info: PushInfo| {
            let ends = matches!(info.kind, PushKind::SUnsubscribe | PushKind::Disconnection);
            if !ends && info.kind != PushKind::SMessage {
                // Confirmations come as answers too.
                return Ok(());
            }
            match sender.try_send(info) {
                Ok(()) => {}
                Err(_) if ends => dropped.end.store(true, Ordering::Relaxed),
                Err(TrySendError::Full(info) | TrySendError::Closed(info)) => dropped.hint(&info),
            }
            Ok(())
        };
        (push, heard)
    }
}

impl Dropped {
    fn hints(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.hints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hint(&self, info: &PushInfo) {
        match channel(info) {
            Some(channel) => drop(self.hints().insert(channel.to_owned())),
            // Nobody knows whose it was.
            None => self.end.store(true, Ordering::Relaxed),
        }
    }

    fn take_hints(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.hints())
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

/// The connection is to be given up.
struct GiveUp;

impl Hearing {
    /// Hears until it is aborted.
    pub(super) async fn run(self) {
        let mut backoff = connect_backoff();
        loop {
            let (push, heard) = Heard::new();
            if let Ok(mut connection) = open(&self.url, Some(push)).await {
                let since = Instant::now();
                let GiveUp = self.hear(&mut connection, heard).await;
                self.audience.lost();
                if since.elapsed() > CHECK_INTERVAL {
                    backoff.reset();
                }
            }
            // Why Redis is away is logged by the supervisor.
            sleep(backoff.next(connect_jitter)).await;
        }
    }

    async fn hear(&self, connection: &mut Connection, mut heard: Heard) -> GiveUp {
        let mut check_at = Instant::now() + CHECK_INTERVAL;
        let mut again = Vec::new();
        let mut again_at = Instant::now();
        loop {
            let step = tokio::select! {
                biased;
                push = heard.pushes.recv() => self.take(push),
                () = self.audience.changed() => self.follow(connection, &mut heard, &mut again).await,
                () = sleep_until(again_at + AGAIN_AFTER), if !again.is_empty() => {
                    again_at = Instant::now();
                    self.audience.again(std::mem::take(&mut again));
                    Ok(())
                }
                () = sleep_until(check_at) => {
                    let checked = connection.check_all().await;
                    check_at = Instant::now() + CHECK_INTERVAL;
                    checked.map_err(|_| GiveUp)
                }
            };
            if let Err(give_up) = step {
                return give_up;
            }
            if heard.dropped.end.load(Ordering::Relaxed) {
                return GiveUp;
            }
            let missed = heard.dropped.take_hints();
            if !missed.is_empty() {
                let rooms = missed.iter().filter_map(|log| room_of(&self.prefix, log));
                self.audience.missed(&rooms.collect::<Vec<_>>());
            }
        }
    }

    /// Subscribes to the rooms that someone listens to, and leaves the others.
    async fn follow(
        &self,
        connection: &mut Connection,
        heard: &mut Heard,
        again: &mut Vec<RoomId>,
    ) -> Result<(), GiveUp> {
        let changes = self.audience.take_changes();
        let channels = |rooms: &[RoomId]| -> Vec<String> {
            rooms
                .iter()
                .map(|room| Slot::room(&self.prefix, room).log())
                .collect()
        };
        for rooms in changes.leave.chunks(BATCH) {
            if !connection.leave(&channels(rooms)).await {
                return Err(GiveUp);
            }
            // What confirms the leaving must not be taken for a room that was lost after it is subscribed to anew.
            while let Ok(push) = heard.pushes.try_recv() {
                self.take(Some(push))?;
            }
        }
        for rooms in changes.subscribe.chunks(BATCH) {
            let done = connection.listen(&channels(rooms)).await;
            let (done, failed): (Vec<_>, Vec<_>) =
                rooms.iter().cloned().zip(done).partition(|(_, done)| *done);
            let names =
                |rooms: Vec<(RoomId, bool)>| rooms.into_iter().map(|(room, _)| room).collect::<Vec<_>>();
            self.audience.heard(&names(done));
            match connection {
                Connection::One(_) if !failed.is_empty() => return Err(GiveUp),
                Connection::One(_) | Connection::Cluster(_) => again.extend(names(failed)),
            }
        }
        Ok(())
    }

    fn take(&self, push: Option<PushInfo>) -> Result<(), GiveUp> {
        let push = push.ok_or(GiveUp)?;
        let room = channel(&push).and_then(|channel| room_of(&self.prefix, channel));
        let PushInfo { kind, data } = push;
        if kind == PushKind::SMessage {
            // What can't be read is no hint; the log tells whoever reads it.
            if let (Some(room), Some(Ok(entry))) = (
                &room,
                room.as_ref()
                    .zip(text(data.get(1)))
                    .map(|(r, t)| codec::entry(r, t)),
            ) {
                self.audience.hint(room, &entry);
            }
            return Ok(());
        }
        // A slot that moves to another node takes its subscriptions away.
        let taken_away =
            kind == PushKind::SUnsubscribe && room.is_some_and(|room| self.audience.hears(&room));
        if taken_away || kind == PushKind::Disconnection {
            return Err(GiveUp);
        }
        Ok(())
    }
}
