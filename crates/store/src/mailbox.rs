//! What one subscription is to be told. It must never hold more than its cap of hints: whoever is slow is told
//! that some were lost, and goes back to the log.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use roomcast_core::{Entry, RoomId};
use tokio::sync::Notify;

use crate::SubscriptionSignal;

/// How many hints wait for one subscriber. When it is full all of them are dropped, `Lost` is told, and `Subscribed`
/// once more for each of their rooms.
pub(crate) const HINTS: usize = 256;

#[derive(Default)]
pub(crate) struct Mailbox {
    inner: Mutex<Inner>,
    filled: Notify,
}

#[derive(Default)]
struct Inner {
    /// The rooms that are listened to, whether or not `Subscribed` was fetched.
    heard: BTreeSet<RoomId>,
    lost: bool,
    /// `Subscribed` to be told, of rooms that are `heard`.
    subscribed: BTreeSet<RoomId>,
    hints: VecDeque<(RoomId, Arc<Entry>)>,
}

impl Inner {
    /// Drops the hints that wait, and tells of their rooms.
    fn overflow(&mut self) {
        self.lost = true;
        self.subscribed.extend(self.hints.drain(..).map(|(room, _)| room));
    }

    fn take(&mut self) -> Option<SubscriptionSignal> {
        // `Lost` before `Subscribed`, since it takes back what was told before; hints last, since the subscriber
        // can use none of a room that it was not told of.
        if std::mem::take(&mut self.lost) {
            return Some(SubscriptionSignal::Lost);
        }
        if let Some(room) = self.subscribed.pop_first() {
            return Some(SubscriptionSignal::Subscribed(room));
        }
        self.hints
            .pop_front()
            .map(|(room, entry)| SubscriptionSignal::Notification(room, entry))
    }
}

impl Mailbox {
    fn change(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.locked());
        self.filled.notify_one();
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The room is listened to from here on.
    pub(crate) fn subscribed(&self, room: &RoomId) {
        self.change(|inner| {
            inner.heard.insert(room.clone());
            inner.subscribed.insert(room.clone());
        });
    }

    /// Forgets the room, and what was still to be told of it.
    pub(crate) fn unsubscribed(&self, room: &RoomId) {
        self.change(|inner| {
            inner.heard.remove(room);
            inner.subscribed.remove(room);
            inner.hints.retain(|(other, _)| other != room);
        });
    }

    /// Something was appended.
    pub(crate) fn hint(&self, room: &RoomId, entry: &Arc<Entry>) {
        self.change(|inner| match inner.hints.len() {
            _ if !inner.heard.contains(room) => {}
            0..HINTS => inner.hints.push_back((room.clone(), entry.clone())),
            _ => {
                inner.overflow();
                inner.subscribed.insert(room.clone());
            }
        });
    }

    /// No room is listened to until it is `subscribed` again.
    pub(crate) fn lost(&self) {
        self.change(|inner| {
            *inner = Inner {
                lost: true,
                ..Inner::default()
            }
        });
    }

    /// Hints of these rooms were lost on the way; every room is still listened to.
    pub(crate) fn missed(&self, rooms: &[RoomId]) {
        self.change(|inner| {
            for room in rooms.iter().filter(|room| inner.heard.contains(room)) {
                inner.lost = true;
                inner.subscribed.insert(room.clone());
            }
        });
    }

    /// The next notice. Cancel-safe: nothing is taken before it is given.
    pub(crate) async fn next(&self) -> SubscriptionSignal {
        loop {
            let filled = self.filled.notified();
            if let Some(notice) = self.locked().take() {
                return notice;
            }
            filled.await;
        }
    }
}
