//! The rooms that the reader of notifications subscribes to, and the state of each subscription. It must never use a
//! connection: the Redis store requests from it what to subscribe to, and reports what arrived. In the memory store
//! every subscription is active at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use roomcast_core::{Entry, RoomId};
use tokio::sync::Notify;

use crate::{
    notification_queue::NotificationQueue,
    store::{Subscription, SubscriptionSignal},
};

pub(crate) struct Subscriptions {
    inner: Mutex<Inner>,
    /// Wakes the connection's task when there may be changes.
    changed: Notify,
    /// Wakes the reader when a signal may be waiting.
    readable: Notify,
    source: Source,
}

/// The source of notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The same process: a subscription is active at once.
    Local,
    /// A connection: a subscription is active when the connection reports it.
    Connection,
}

#[derive(Default)]
struct Inner {
    has_reader: bool,
    rooms: BTreeMap<RoomId, Phase>,
    /// The rooms that may have to be subscribed to or unsubscribed from.
    changed: BTreeSet<RoomId>,
    queue: NotificationQueue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The reader wants the room; the connection has not confirmed it.
    Requested,
    /// The reader wants the room, and its notifications arrive.
    Active,
    /// The reader does not want the room any more; its notifications still arrive.
    Unwanted,
}

/// What the connection has to do so that it subscribes to exactly the rooms that the reader wants.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) subscribe: Vec<RoomId>,
    pub(crate) unsubscribe: Vec<RoomId>,
}

impl Subscriptions {
    pub(crate) fn new(source: Source) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::default(),
            changed: Notify::new(),
            readable: Notify::new(),
            source,
        })
    }

    /// The one reader. A control plane has one hub, which reads for all of its edges.
    ///
    /// # Panics
    /// If the previous reader was not dropped.
    pub(crate) fn reader(self: &Arc<Self>) -> Box<dyn Subscription> {
        let mut inner = self.locked();
        assert!(!inner.has_reader, "a store has one reader of notifications");
        inner.has_reader = true;
        Box::new(Reader {
            subscriptions: self.clone(),
        })
    }

    /// Adds the entry to the queue if its room is subscribed to.
    pub(crate) fn notify(&self, room: &RoomId, entry: &Arc<Entry>) {
        let mut inner = self.locked();
        if inner.rooms.get(room) == Some(&Phase::Active) {
            inner.queue.push_notification(room, entry);
            self.readable.notify_one();
        }
    }

    /// Waits until there may be changes. Cancel-safe.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What the connection has to do. Rooms to unsubscribe from count as unsubscribed.
    pub(crate) fn take_changes(&self) -> Changes {
        let mut inner = self.locked();
        let mut changes = Changes::default();
        for room in std::mem::take(&mut inner.changed) {
            match inner.rooms.get(&room) {
                Some(Phase::Requested) => changes.subscribe.push(room),
                Some(Phase::Unwanted) => {
                    inner.rooms.remove(&room);
                    changes.unsubscribe.push(room);
                }
                Some(Phase::Active) | None => {}
            }
        }
        changes
    }

    /// Reports that the subscriptions to these rooms are active.
    pub(crate) fn activate(&self, rooms: &[RoomId]) {
        let mut inner = self.locked();
        for room in rooms {
            match inner.rooms.get(room) {
                Some(Phase::Requested | Phase::Active) => {
                    inner.rooms.insert(room.clone(), Phase::Active);
                    inner.queue.push_subscribed(room);
                    self.readable.notify_one();
                }
                // The reader left the room while the subscription was under way.
                Some(Phase::Unwanted) | None => {
                    inner.rooms.insert(room.clone(), Phase::Unwanted);
                    self.mark_changed(&mut inner, room);
                }
            }
        }
    }

    /// Whether notifications of the room arrive.
    pub(crate) fn is_active(&self, room: &RoomId) -> bool {
        let phase = self.locked().rooms.get(room).copied();
        matches!(phase, Some(Phase::Active | Phase::Unwanted))
    }

    /// Puts rooms whose subscription failed among the changes again.
    pub(crate) fn retry(&self, rooms: Vec<RoomId>) {
        self.locked().changed.extend(rooms);
        self.changed.notify_one();
    }

    /// Reports that the connection was lost: no subscription is active, and each has to be made again.
    pub(crate) fn connection_lost(&self) {
        let mut inner = self.locked();
        inner.rooms.retain(|_, phase| *phase != Phase::Unwanted);
        inner
            .rooms
            .values_mut()
            .for_each(|phase| *phase = Phase::Requested);
        inner.changed = inner.rooms.keys().cloned().collect();
        if !inner.rooms.is_empty() {
            inner.queue.reset();
            self.readable.notify_one();
        }
        self.changed.notify_one();
    }

    /// Reports that notifications of these rooms were lost. Their subscriptions stay active.
    pub(crate) fn notifications_lost(&self, rooms: &[RoomId]) {
        let mut inner = self.locked();
        for room in rooms {
            if inner.rooms.get(room) == Some(&Phase::Active) {
                inner.queue.push_lost(room);
                self.readable.notify_one();
            }
        }
    }

    fn subscribe(&self, room: &RoomId) {
        let mut inner = self.locked();
        let phase = match (inner.rooms.get(room), self.source) {
            (Some(Phase::Active | Phase::Unwanted), _) | (None, Source::Local) => Phase::Active,
            (Some(Phase::Requested) | None, _) => Phase::Requested,
        };
        inner.rooms.insert(room.clone(), phase);
        if phase == Phase::Active {
            inner.queue.push_subscribed(room);
            self.readable.notify_one();
        } else {
            self.mark_changed(&mut inner, room);
        }
    }

    fn unsubscribe(&self, room: &RoomId) {
        let mut inner = self.locked();
        inner.queue.remove(room);
        match (inner.rooms.get(room), self.source) {
            (Some(Phase::Active), Source::Connection) => {
                inner.rooms.insert(room.clone(), Phase::Unwanted);
                self.mark_changed(&mut inner, room);
            }
            (Some(Phase::Requested), _) | (Some(Phase::Active), Source::Local) => {
                inner.rooms.remove(room);
            }
            (Some(Phase::Unwanted) | None, _) => {}
        }
    }

    fn end_reader(&self) {
        let rooms: Vec<RoomId> = self.locked().rooms.keys().cloned().collect();
        rooms.iter().for_each(|room| self.unsubscribe(room));
        let mut inner = self.locked();
        inner.queue = NotificationQueue::default();
        inner.has_reader = false;
    }

    fn mark_changed(&self, inner: &mut Inner, room: &RoomId) {
        inner.changed.insert(room.clone());
        self.changed.notify_one();
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Reader {
    subscriptions: Arc<Subscriptions>,
}

#[async_trait]
impl Subscription for Reader {
    fn subscribe(&mut self, room: RoomId) {
        self.subscriptions.subscribe(&room);
    }

    fn unsubscribe(&mut self, room: &RoomId) {
        self.subscriptions.unsubscribe(room);
    }

    async fn next(&mut self) -> SubscriptionSignal {
        loop {
            let readable = self.subscriptions.readable.notified();
            if let Some(signal) = self.subscriptions.locked().queue.pop() {
                return signal;
            }
            readable.await;
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.subscriptions.end_reader();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use roomcast_core::{Epoch, Event, Offset};

    use super::*;
    use crate::notification_queue::MAX_NOTIFICATIONS;

    fn room(name: &str) -> RoomId {
        name.parse().unwrap()
    }

    fn entry(offset: u64) -> Arc<Entry> {
        let reason = String::new();
        let event = Event::UserDisconnected { reason };
        Arc::new(Entry::new(Epoch::from_random(7), Offset(offset), 0, event))
    }

    /// The signals that wait, as text.
    fn signals(reader: &mut Box<dyn Subscription>) -> Vec<String> {
        std::iter::from_fn(|| reader.next().now_or_never())
            .map(|signal| match signal {
                SubscriptionSignal::Subscribed(room) => format!("subscribed {room}"),
                SubscriptionSignal::Notification(room, entry) => {
                    format!("notification {room} {}", entry.position.offset)
                }
                SubscriptionSignal::Lost => "lost".to_owned(),
            })
            .collect()
    }

    fn reader_of_two_rooms(source: Source) -> (Arc<Subscriptions>, Box<dyn Subscription>) {
        let subscriptions = Subscriptions::new(source);
        let mut reader = subscriptions.reader();
        for name in ["user:a", "user:b"] {
            reader.subscribe(room(name));
        }
        subscriptions.activate(&subscriptions.take_changes().subscribe);
        assert_eq!(signals(&mut reader), ["subscribed user:a", "subscribed user:b"]);
        (subscriptions, reader)
    }

    #[test]
    fn a_full_queue_drops_its_notifications_and_reports_their_rooms() {
        let (subscriptions, mut reader) = reader_of_two_rooms(Source::Local);
        for offset in 1..=MAX_NOTIFICATIONS as u64 + 1 {
            subscriptions.notify(&room("user:a"), &entry(offset));
        }
        subscriptions.notify(&room("user:b"), &entry(1));
        assert_eq!(
            signals(&mut reader),
            ["lost", "subscribed user:a", "notification user:b 1"]
        );
    }

    #[test]
    fn a_queue_may_hold_as_many_notifications_as_its_limit() {
        let (subscriptions, mut reader) = reader_of_two_rooms(Source::Local);
        for offset in 1..=MAX_NOTIFICATIONS as u64 {
            subscriptions.notify(&room("user:a"), &entry(offset));
        }
        let signals = signals(&mut reader);
        assert_eq!(signals.len(), MAX_NOTIFICATIONS);
        assert_eq!(signals[0], "notification user:a 1");
    }

    #[test]
    fn lost_notifications_of_one_room_are_reported_for_that_room() {
        let (subscriptions, mut reader) = reader_of_two_rooms(Source::Connection);
        subscriptions.notifications_lost(&[room("user:b"), room("user:other")]);
        assert_eq!(signals(&mut reader), ["lost", "subscribed user:b"]);
    }

    #[test]
    fn after_a_lost_connection_each_wanted_room_is_subscribed_to_again() {
        let (subscriptions, mut reader) = reader_of_two_rooms(Source::Connection);
        subscriptions.notify(&room("user:a"), &entry(1));
        reader.unsubscribe(&room("user:b"));
        subscriptions.connection_lost();
        subscriptions.notify(&room("user:a"), &entry(2));
        assert_eq!(signals(&mut reader), ["lost"]);
        let changes = subscriptions.take_changes();
        assert_eq!(changes.subscribe, [room("user:a")]);
        assert_eq!(changes.unsubscribe, []);
        subscriptions.activate(&changes.subscribe);
        assert_eq!(signals(&mut reader), ["subscribed user:a"]);
    }

    #[test]
    fn a_room_that_is_left_during_its_subscription_is_unsubscribed() {
        let subscriptions = Subscriptions::new(Source::Connection);
        let mut reader = subscriptions.reader();
        reader.subscribe(room("user:a"));
        let under_way = subscriptions.take_changes().subscribe;
        reader.unsubscribe(&room("user:a"));
        subscriptions.activate(&under_way);
        subscriptions.notify(&room("user:a"), &entry(1));
        assert!(signals(&mut reader).is_empty());
        assert_eq!(subscriptions.take_changes().unsubscribe, [room("user:a")]);
        assert!(!subscriptions.is_active(&room("user:a")));
    }

    #[test]
    fn dropping_the_reader_leaves_its_rooms() {
        let (subscriptions, reader) = reader_of_two_rooms(Source::Connection);
        drop(reader);
        let changes = subscriptions.take_changes();
        assert_eq!(changes.unsubscribe, [room("user:a"), room("user:b")]);
        assert!(signals(&mut subscriptions.reader()).is_empty());
    }

    #[test]
    #[should_panic(expected = "a store has one reader of notifications")]
    fn a_second_reader_panics() {
        let subscriptions = Subscriptions::new(Source::Local);
        let _first = subscriptions.reader();
        let _ = subscriptions.reader(); // panics
    }
}
