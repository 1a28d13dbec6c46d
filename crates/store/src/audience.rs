//! Who listens to which room, in one process. It must never touch a connection: the Redis store asks it what to
//! listen to and tells it what was heard; the memory store hears every room by itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use roomcast_core::{Entry, RoomId};
use tokio::sync::Notify;

use crate::{Subscription, SubscriptionSignal, mailbox::Mailbox};

pub(crate) struct Audience {
    inner: Mutex<Inner>,
    changed: Notify,
    /// Whether a room is heard as soon as someone listens.
    by_itself: bool,
}

#[derive(Default)]
struct Inner {
    rooms: BTreeMap<RoomId, Room>,
    /// The rooms that may have to be subscribed to or left.
    changed: BTreeSet<RoomId>,
    subscriptions: u64,
}

struct Room {
    heard: bool,
    listeners: BTreeMap<u64, Arc<Mailbox>>,
}

/// What has to be done so that what is heard is what is listened to.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) subscribe: Vec<RoomId>,
    pub(crate) leave: Vec<RoomId>,
}

impl Audience {
    pub(crate) fn new(by_itself: bool) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::default(),
            changed: Notify::new(),
            by_itself,
        })
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscription(self: &Arc<Self>) -> Box<dyn Subscription> {
        let mut inner = self.locked();
        inner.subscriptions += 1;
        let id = inner.subscriptions;
        Box::new(Listener {
            audience: self.clone(),
            id,
            mailbox: Arc::default(),
            rooms: BTreeSet::new(),
        })
    }

    fn subscribe(&self, id: u64, mailbox: &Arc<Mailbox>, name: &RoomId) {
        let mut inner = self.locked();
        let new = || Room {
            heard: self.by_itself,
            listeners: BTreeMap::new(),
        };
        let room = inner.rooms.entry(name.clone()).or_insert_with(new);
        room.listeners.insert(id, mailbox.clone());
        if room.heard {
            mailbox.subscribed(name);
        } else {
            inner.changed.insert(name.clone());
            self.changed.notify_one();
        }
    }

    fn unsubscribe(&self, id: u64, name: &RoomId) {
        let mut inner = self.locked();
        let Some(room) = inner.rooms.get_mut(name) else {
            return;
        };
        if let Some(mailbox) = room.listeners.remove(&id) {
            mailbox.unsubscribed(name);
        }
        if !room.listeners.is_empty() {
            return;
        }
        if room.heard && !self.by_itself {
            inner.changed.insert(name.clone());
            self.changed.notify_one();
        } else {
            inner.rooms.remove(name);
        }
    }

    /// Tells everyone who listens to the room of the entry.
    pub(crate) fn hint(&self, room: &RoomId, entry: &Arc<Entry>) {
        if let Some(room_of) = self.locked().rooms.get(room) {
            room_of
                .listeners
                .values()
                .for_each(|mailbox| mailbox.hint(room, entry));
        }
    }

    /// Waits until there may be changes. Cancel-safe.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What has to be done; rooms to leave count as left from here on.
    pub(crate) fn take_changes(&self) -> Changes {
        let mut inner = self.locked();
        let mut changes = Changes::default();
        for name in std::mem::take(&mut inner.changed) {
            let Some(room) = inner.rooms.get(&name) else {
                continue;
            };
            match (room.listeners.is_empty(), room.heard) {
                (false, false) => changes.subscribe.push(name),
                (true, heard) => {
                    inner.rooms.remove(&name);
                    if heard {
                        changes.leave.push(name);
                    }
                }
                (false, true) => {}
            }
        }
        changes
    }

    /// The rooms are heard from here on.
    pub(crate) fn heard(&self, names: &[RoomId]) {
        let mut inner = self.locked();
        for name in names {
            let Some(room) = inner.rooms.get_mut(name) else {
                // Everyone left while the subscription was on its way: it has to be taken back.
                inner.rooms.insert(
                    name.clone(),
                    Room {
                        heard: true,
                        listeners: BTreeMap::new(),
                    },
                );
                inner.changed.insert(name.clone());
                self.changed.notify_one();
                continue;
            };
            room.heard = true;
            room.listeners
                .values()
                .for_each(|mailbox| mailbox.subscribed(name));
        }
    }

    /// Whether the room is heard.
    pub(crate) fn hears(&self, name: &RoomId) -> bool {
        self.locked().rooms.get(name).is_some_and(|room| room.heard)
    }

    /// The rooms could not be subscribed to: they are changes once more.
    pub(crate) fn again(&self, names: Vec<RoomId>) {
        self.locked().changed.extend(names);
        self.changed.notify_one();
    }

    /// Nothing is heard any more: each room has to be subscribed to anew.
    pub(crate) fn lost(&self) {
        let mut inner = self.locked();
        inner.rooms.retain(|_, room| !room.listeners.is_empty());
        inner.rooms.values_mut().for_each(|room| room.heard = false);
        inner.mailboxes().values().for_each(|mailbox| mailbox.lost());
        inner.changed = inner.rooms.keys().cloned().collect();
        self.changed.notify_one();
    }

    /// Hints of these rooms were lost on the way.
    pub(crate) fn missed(&self, rooms: &[RoomId]) {
        let inner = self.locked();
        let mut listeners = BTreeMap::<u64, (Arc<Mailbox>, Vec<RoomId>)>::new();
        for name in rooms {
            let of_room = inner.rooms.get(name).into_iter();
            for (id, mailbox) in of_room.flat_map(|room| &room.listeners) {
                let (_, missed) = listeners
                    .entry(*id)
                    .or_insert_with(|| (mailbox.clone(), Vec::new()));
                missed.push(name.clone());
            }
        }
        listeners
            .values()
            .for_each(|(mailbox, missed)| mailbox.missed(missed));
    }
}

impl Inner {
    fn mailboxes(&self) -> BTreeMap<u64, Arc<Mailbox>> {
        let listeners = self.rooms.values().flat_map(|room| &room.listeners);
        listeners.map(|(id, mailbox)| (*id, mailbox.clone())).collect()
    }
}

struct Listener {
    audience: Arc<Audience>,
    id: u64,
    mailbox: Arc<Mailbox>,
    rooms: BTreeSet<RoomId>,
}

#[async_trait]
impl Subscription for Listener {
    fn subscribe(&mut self, room: RoomId) {
        self.audience.subscribe(self.id, &self.mailbox, &room);
        self.rooms.insert(room);
    }

    fn unsubscribe(&mut self, room: &RoomId) {
        self.audience.unsubscribe(self.id, room);
        self.rooms.remove(room);
    }

    async fn next(&mut self) -> SubscriptionSignal {
        self.mailbox.next().await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.rooms
            .iter()
            .for_each(|room| self.audience.unsubscribe(self.id, room));
    }
}
