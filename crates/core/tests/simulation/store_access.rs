//! What passes between the control planes and the store: subscriptions, reads and notifications.

use std::sync::Arc;

use roomcast_core::{Entry, Millis, RoomId, hub};

use crate::{
    control_plane::Subscription,
    step::Step,
    world::{Incarnation, World},
};

/// How long a control plane waits before it repeats a read that failed.
const READ_RETRY_DELAY: Millis = 100;

impl World {
    /// Connects a control plane to the store and subscribes to all of its rooms again.
    pub(crate) fn reconnect_store(&mut self, index: usize) {
        let control_plane = &mut self.control_planes[index];
        control_plane.is_store_reachable = true;
        control_plane.lose_store_connection();
        let id = Incarnation {
            index,
            number: control_plane.incarnation,
        };
        let rooms = control_plane.subscriptions.iter();
        let rooms: Vec<_> = rooms
            .map(|(room, subscription)| (room.clone(), subscription.id))
            .collect();
        for (room, subscription) in rooms {
            let latency = self.latency();
            self.after(latency, Step::Subscribe(id, room, subscription));
        }
    }

    pub(crate) fn subscribe(&mut self, id: Incarnation, room: RoomId, subscription: u64) {
        let (latency, now) = (self.latency(), self.now);
        let Some(control_plane) = self.control_plane(id) else {
            return;
        };
        if !control_plane.is_store_reachable {
            return; // the next connection subscribes again
        }
        let current = control_plane.subscriptions.get_mut(&room);
        if let Some(current) = current.filter(|current| current.id == subscription) {
            current.is_active = true;
            control_plane.notified_until = control_plane.notified_until.max(now + latency);
            let at = control_plane.notified_until;
            control_plane.subscribed_at = at;
            self.at(
                at,
                Step::StoreResponse(id, Some(subscription), hub::Input::Subscribed(room)),
            );
        }
    }

    pub(crate) fn store_request(&mut self, id: Incarnation, subscription: Option<u64>, action: hub::Action) {
        let latency = self.latency();
        let Some(control_plane) = self.control_plane(id) else {
            return;
        };
        if !control_plane.is_store_reachable {
            // A read is repeated until it succeeds or is no longer needed. A comparison is not, because the next one
            // is due soon.
            let room = match &action {
                hub::Action::ReadSnapshot(room) | hub::Action::Read { room, .. } => Some(room),
                _ => None,
            };
            if room.is_some() && control_plane.subscription(room) == subscription {
                self.after(
                    READ_RETRY_DELAY + latency,
                    Step::StoreRequest(id, subscription, action),
                );
            }
            return;
        }
        let input = self.read_store(action);
        self.after(latency, Step::StoreResponse(id, subscription, input));
    }

    fn read_store(&self, action: hub::Action) -> hub::Input {
        match action {
            hub::Action::ReadSnapshot(room) => {
                let snapshot = self.store.snapshot(&room);
                hub::Input::Snapshot(room, snapshot)
            }
            hub::Action::Read { room, after } => {
                let slice = self.store.read(&room, after.offset);
                hub::Input::ReadResult { room, after, slice }
            }
            hub::Action::Compare(rooms) => {
                let tails = rooms.into_iter().map(|(room, compared)| {
                    let tail = self.store.tail(&room);
                    (room, compared, tail)
                });
                hub::Input::Tails(tails.collect())
            }
            other => unreachable!("{other:?} is not a request to the store"),
        }
    }

    /// Passes a response on to the hub, unless the subscription has changed since the request.
    pub(crate) fn store_response(&mut self, id: Incarnation, subscription: Option<u64>, input: hub::Input) {
        let room = match &input {
            hub::Input::Subscribed(room)
            | hub::Input::Snapshot(room, _)
            | hub::Input::ReadResult { room, .. } => Some(room),
            _ => None,
        };
        let is_current = self
            .control_plane(id)
            .is_some_and(|control_plane| control_plane.subscription(room) == subscription);
        if !is_current {
            return;
        }
        if let hub::Input::Subscribed(room) = &input {
            let subscription = Subscription {
                id: self.unique_id(),
                is_active: true,
            };
            self.control_planes[id.index]
                .subscriptions
                .insert(room.clone(), subscription);
        }
        self.hub_input(id, input);
    }

    /// Notifies every subscribed control plane of an append. A notification may be lost, late or repeated.
    pub(crate) fn notify(&mut self, room: &RoomId, entry: &Arc<Entry>) {
        for index in 0..self.control_planes.len() {
            let number = self.control_planes[index].incarnation;
            let (latency, is_lost, is_late, is_repeated) = (
                self.latency(),
                self.rng.percent(3),
                self.rng.percent(3),
                self.rng.percent(3),
            );
            let (now, control_plane) = (self.now, &mut self.control_planes[index]);
            let subscription = control_plane.subscriptions.get(room);
            if !control_plane.is_alive
                || !control_plane.is_store_reachable
                || is_lost
                || subscription.is_none_or(|subscription| !subscription.is_active)
            {
                continue;
            }
            let at = if is_late {
                control_plane.subscribed_at.max(now + 20 * latency)
            } else {
                control_plane.notified_until.max(now + latency)
            };
            if !is_late {
                control_plane.notified_until = at;
            }
            let (id, connection) = (Incarnation { index, number }, control_plane.store_connection);
            for _ in 0..=u8::from(is_repeated) {
                self.at(
                    at,
                    Step::Notification(id, connection, room.clone(), entry.clone()),
                );
            }
        }
    }

    pub(crate) fn notification(&mut self, id: Incarnation, connection: u64, room: RoomId, entry: Arc<Entry>) {
        let is_received = self.control_plane(id).is_some_and(|control_plane| {
            control_plane.store_connection == connection && control_plane.subscriptions.contains_key(&room)
        });
        if is_received {
            self.hub_input(id, hub::Input::Notification(room, entry));
        }
    }
}
