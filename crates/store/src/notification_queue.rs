//! The signals that wait for the reader of notifications. It must never hold more notifications than its limit: a
//! slow reader returns to the log.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use roomcast_core::{Entry, RoomId};

use crate::store::SubscriptionSignal;

/// How many notifications wait. When another one arrives, all of them are dropped; `Lost` is sent, and then
/// `Subscribed` again for each of their rooms.
pub(crate) const MAX_NOTIFICATIONS: usize = 256;

/// The signals in the order in which the reader gets them. `lost` and `subscribed` need no limit of their own: there is
/// at most one `Lost`, and one `Subscribed` for each room.
#[derive(Default)]
pub(crate) struct NotificationQueue {
    lost: bool,
    subscribed: BTreeSet<RoomId>,
    notifications: VecDeque<(RoomId, Arc<Entry>)>,
}

impl NotificationQueue {
    pub(crate) fn push_subscribed(&mut self, room: &RoomId) {
        self.subscribed.insert(room.clone());
    }

    pub(crate) fn push_notification(&mut self, room: &RoomId, entry: &Arc<Entry>) {
        if self.notifications.len() < MAX_NOTIFICATIONS {
            self.notifications.push_back((room.clone(), entry.clone()));
            return;
        }
        let dropped = self.notifications.drain(..).map(|(room, _)| room);
        self.subscribed.extend(dropped);
        self.push_lost(room);
    }

    /// Records that notifications of the room were lost while its subscription stays active.
    pub(crate) fn push_lost(&mut self, room: &RoomId) {
        self.lost = true;
        self.subscribed.insert(room.clone());
    }

    /// Drops every signal: no subscription is active any more.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            lost: true,
            ..Self::default()
        };
    }

    /// Drops the signals of the room.
    pub(crate) fn remove(&mut self, room: &RoomId) {
        self.subscribed.remove(room);
        self.notifications.retain(|(other, _)| other != room);
    }

    pub(crate) fn pop(&mut self) -> Option<SubscriptionSignal> {
        // `Lost` precedes `Subscribed`, because it invalidates earlier signals. Notifications are last, because the
        // reader ignores those of a room without `Subscribed`.
        if std::mem::take(&mut self.lost) {
            return Some(SubscriptionSignal::Lost);
        }
        if let Some(room) = self.subscribed.pop_first() {
            return Some(SubscriptionSignal::Subscribed(room));
        }
        let (room, entry) = self.notifications.pop_front()?;
        Some(SubscriptionSignal::Notification(room, entry))
    }
}
