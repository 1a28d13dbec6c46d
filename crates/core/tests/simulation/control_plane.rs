//! Control planes: a hub each, with its subscriptions at the store and its links to edges.

use std::collections::BTreeMap;

use roomcast_core::{
    Millis, RoomId,
    hub::{self, Hub},
};

use crate::{
    link::LinkMessage,
    step::Step,
    world::{Incarnation, World},
};

pub(crate) struct ControlPlane {
    pub(crate) is_alive: bool,
    pub(crate) is_draining: bool,
    pub(crate) is_store_reachable: bool,
    /// The number of the current incarnation.
    pub(crate) incarnation: u64,
    pub(crate) hub: Hub,
    /// Counts the connections to the store. The notifications of earlier connections are lost.
    pub(crate) store_connection: u64,
    pub(crate) subscriptions: BTreeMap<RoomId, Subscription>,
    /// When the latest notification arrives that is not late. The next one does not arrive earlier.
    pub(crate) notified_until: Millis,
    /// When the latest confirmation of a subscription arrives. No notification arrives earlier.
    pub(crate) subscribed_at: Millis,
    wake_at: Option<Millis>,
}

/// A control plane's subscription to the notifications of one room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subscription {
    /// Changes with every confirmation. A response to an earlier id is ignored.
    pub(crate) id: u64,
    /// Whether the store has confirmed the subscription.
    pub(crate) is_active: bool,
}

impl ControlPlane {
    pub(crate) fn stopped() -> Self {
        Self {
            is_alive: false,
            is_draining: false,
            is_store_reachable: true,
            incarnation: 0,
            hub: Hub::default(),
            store_connection: 0,
            subscriptions: BTreeMap::new(),
            notified_until: 0,
            subscribed_at: 0,
            wake_at: None,
        }
    }

    pub(crate) fn is(&self, id: Incarnation) -> bool {
        self.is_alive && self.incarnation == id.number
    }

    /// The id of the current subscription to the room, if there is one.
    pub(crate) fn subscription(&self, room: Option<&RoomId>) -> Option<u64> {
        room.and_then(|room| self.subscriptions.get(room))
            .map(|subscription| subscription.id)
    }

    /// Loses the connection to the store, with all notifications that have not arrived.
    pub(crate) fn lose_store_connection(&mut self) {
        self.store_connection += 1;
        for subscription in self.subscriptions.values_mut() {
            subscription.is_active = false;
        }
    }
}

impl World {
    pub(crate) fn start_control_plane(&mut self, index: usize) {
        let control_plane = &mut self.control_planes[index];
        control_plane.is_alive = true;
        control_plane.is_draining = false;
        control_plane.is_store_reachable = true;
        control_plane.incarnation += 1;
        control_plane.hub = Hub::default();
        control_plane.store_connection += 1;
        control_plane.subscriptions.clear();
        control_plane.wake_at = None;
    }

    pub(crate) fn kill_control_plane(&mut self, index: usize) {
        self.control_planes[index].is_alive = false;
        for link in self.links_where(|link| link.control_plane.index == index) {
            let latency = self.latency();
            let edge = self.links[&link].edge.index;
            // An edge behind a partition does not see that the connection is closed. It notices the silence.
            if !self.partitions.contains_key(&(index, edge)) {
                self.after(latency, Step::LinkBroken(link));
            }
        }
    }

    /// Makes a control plane send its edges away.
    pub(crate) fn drain_control_plane(&mut self, index: usize) {
        self.control_planes[index].is_draining = true;
        for link in self.links_where(|link| link.control_plane.index == index) {
            self.send_on_link(link, LinkMessage::GoAway);
        }
    }

    pub(crate) fn wake_control_plane(&mut self, id: Incarnation) {
        let now = self.now;
        if let Some(control_plane) = self.control_plane(id) {
            control_plane.wake_at = None;
            control_plane.hub.handle_deadline(now);
            self.perform_hub_actions(id);
        }
    }

    pub(crate) fn hub_input(&mut self, id: Incarnation, input: hub::Input) {
        let now = self.now;
        if let Some(control_plane) = self.control_plane(id) {
            control_plane.hub.handle(input, now);
            self.perform_hub_actions(id);
        }
    }

    fn perform_hub_actions(&mut self, id: Incarnation) {
        while let Some(action) = self
            .control_plane(id)
            .and_then(|control_plane| control_plane.hub.next_action())
        {
            self.perform_hub_action(id, action);
        }
        let Some(control_plane) = self.control_plane(id) else {
            return;
        };
        let (deadline, wake_at) = (control_plane.hub.next_deadline(), control_plane.wake_at);
        if let Some(at) = deadline.filter(|at| wake_at.is_none_or(|wake_at| *at < wake_at)) {
            self.control_planes[id.index].wake_at = Some(at);
            self.at(at, Step::WakeControlPlane(id));
        }
    }

    fn perform_hub_action(&mut self, id: Incarnation, action: hub::Action) {
        let latency = self.latency();
        match action {
            hub::Action::Subscribe(room) => {
                let subscription = Subscription {
                    id: self.unique_id(),
                    is_active: false,
                };
                self.control_planes[id.index]
                    .subscriptions
                    .insert(room.clone(), subscription);
                self.after(latency, Step::Subscribe(id, room, subscription.id));
            }
            hub::Action::Unsubscribe(room) => {
                self.control_planes[id.index].subscriptions.remove(&room);
            }
            hub::Action::ReadSnapshot(ref room) | hub::Action::Read { ref room, .. } => {
                let subscription = self.control_planes[id.index].subscription(Some(room));
                self.after(latency, Step::StoreRequest(id, subscription, action));
            }
            hub::Action::Compare(_) => self.after(latency, Step::StoreRequest(id, None, action)),
            hub::Action::Send {
                follower,
                room,
                update,
            } => {
                let mut links = self.links.iter();
                let link = links.find(|(_, link)| link.control_plane == id && link.follower == follower);
                if let Some((&link, _)) = link {
                    self.send_on_link(link, LinkMessage::Update(room, update));
                }
            }
        }
    }
}
