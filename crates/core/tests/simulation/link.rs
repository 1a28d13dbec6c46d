//! Links between edges and control planes: they deliver in order, and a partition holds back what they carry.

use std::collections::VecDeque;

use roomcast_core::{
    Millis, Position, RoomId,
    hub::{self, FollowerId, Update},
    rooms,
};

use crate::{
    oracle::Checked,
    step::Step,
    world::{Incarnation, World},
};

/// An edge leaves a link on which it has received nothing for this time.
const SILENCE_TIMEOUT: Millis = 2_000;
/// A control plane behind a partition notices after this time that an edge has left its link.
const DETACH_DELAY_OF_PARTITION: Millis = 5_000;

/// The id of a link, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(u64);

pub(crate) struct Link {
    pub(crate) control_plane: Incarnation,
    pub(crate) edge: Incarnation,
    pub(crate) follower: FollowerId,
    /// Whether the edge still uses the link.
    pub(crate) is_open: bool,
    /// When the latest message to the control plane arrives. The next one does not arrive earlier.
    up_until: Millis,
    /// When the latest message to the edge arrives. The next one does not arrive earlier.
    down_until: Millis,
    /// The messages that a partition holds back.
    held: VecDeque<LinkMessage>,
}

#[derive(Debug)]
pub(crate) enum LinkMessage {
    /// Sent to the control plane.
    Interest(RoomId, Option<Position>),
    /// Sent to the control plane.
    EndInterest(RoomId),
    /// Sent to the edge.
    Update(RoomId, Update),
    /// Sent to the edge, which must attach to another control plane.
    GoAway,
}

impl Link {
    fn connects(&self, control_plane: usize, edge: usize) -> bool {
        (self.control_plane.index, self.edge.index) == (control_plane, edge)
    }

    fn ends(&self) -> (usize, usize) {
        (self.control_plane.index, self.edge.index)
    }
}

impl World {
    pub(crate) fn links_where(&self, is_wanted: impl Fn(&Link) -> bool) -> Vec<LinkId> {
        let links = self.links.iter().filter(|(_, link)| is_wanted(link));
        links.map(|(id, _)| *id).collect()
    }

    /// Attaches an edge to the next control plane, or tries again later.
    pub(crate) fn attach(&mut self, edge_id: Incarnation) -> Checked {
        let control_planes = self.control_planes.len();
        let Some(edge) = self.edge(edge_id) else {
            return Ok(());
        };
        if edge.link.is_some() {
            return Ok(());
        }
        edge.last_control_plane = (edge.last_control_plane + 1) % control_planes;
        let index = edge.last_control_plane;
        let control_plane = &self.control_planes[index];
        let is_reachable = control_plane.is_alive
            && !control_plane.is_draining
            && !self.partitions.contains_key(&(index, edge_id.index));
        let number = control_plane.incarnation;
        if !is_reachable {
            let delay = self.rng.between(50, 300);
            self.after(delay, Step::Attach(edge_id));
            return Ok(());
        }
        let id = LinkId(self.unique_id());
        let link = Link {
            control_plane: Incarnation { index, number },
            edge: edge_id,
            follower: FollowerId(id.0),
            is_open: true,
            up_until: self.now,
            down_until: self.now,
            held: VecDeque::new(),
        };
        self.links.insert(id, link);
        self.edges[edge_id.index].link = Some(id);
        self.rooms_input(edge_id, rooms::Input::Attached)
    }

    /// Makes the edge leave a link and attach to another control plane.
    pub(crate) fn leave_link(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.is_open) else {
            return;
        };
        link.is_open = false;
        let (edge_id, is_partitioned) = (link.edge, self.partitions.contains_key(&link.ends()));
        let delay = if is_partitioned {
            DETACH_DELAY_OF_PARTITION
        } else {
            self.latency()
        };
        self.after(delay, Step::LinkDetached(id));
        if let Some(edge) = self.edge(edge_id) {
            edge.link = None;
            let delay = self.rng.between(0, 100);
            self.after(delay, Step::Attach(edge_id));
        }
    }

    /// The edge leaves the link if the partition that made it silent still exists.
    pub(crate) fn link_silent(&mut self, id: LinkId, partition: u64) {
        let ends = self.links.get(&id).map(Link::ends);
        if ends.and_then(|ends| self.partitions.get(&ends)) == Some(&partition) {
            self.leave_link(id);
        }
    }

    pub(crate) fn link_detached(&mut self, id: LinkId) {
        if let Some(link) = self.links.remove(&id) {
            self.hub_input(link.control_plane, hub::Input::Detached(link.follower));
        }
    }

    /// Sends a message. The messages of one direction arrive in order.
    pub(crate) fn send_on_link(&mut self, id: LinkId, message: LinkMessage) {
        let (now, latency) = (self.now, self.latency());
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let until = match message {
            LinkMessage::Interest(..) | LinkMessage::EndInterest(_) => &mut link.up_until,
            LinkMessage::Update(..) | LinkMessage::GoAway => &mut link.down_until,
        };
        *until = (now + latency).max(*until);
        let at = *until;
        self.at(at, Step::LinkMessage(id, message));
    }

    /// A message arrives, unless a partition holds it back.
    pub(crate) fn link_message(&mut self, id: LinkId, message: LinkMessage) -> Checked {
        let Some(link) = self.links.get_mut(&id) else {
            return Ok(());
        };
        if self.partitions.contains_key(&link.ends()) {
            link.held.push_back(message);
            return Ok(());
        }
        let (control_plane, edge, follower) = (link.control_plane, link.edge, link.follower);
        match message {
            LinkMessage::Interest(room, after) => {
                let interest = hub::Input::Interest {
                    follower,
                    room,
                    after,
                };
                self.hub_input(control_plane, interest);
            }
            LinkMessage::EndInterest(room) => {
                self.hub_input(control_plane, hub::Input::EndInterest { follower, room });
            }
            LinkMessage::GoAway | LinkMessage::Update(..) if !link.is_open => {}
            LinkMessage::GoAway => self.leave_link(id),
            LinkMessage::Update(room, update) => return self.rooms_input(edge, input_of(room, update)),
        }
        Ok(())
    }

    /// Separates a control plane from an edge. The edge notices the silence.
    pub(crate) fn partition(&mut self, control_plane: usize, edge: usize) {
        let partition = self.unique_id();
        self.partitions.insert((control_plane, edge), partition);
        for link in self.links_where(|link| link.connects(control_plane, edge) && link.is_open) {
            let delay = SILENCE_TIMEOUT + self.rng.between(0, 500);
            self.after(delay, Step::LinkSilent(link, partition));
        }
    }

    /// Ends a partition: what it held back arrives in order.
    pub(crate) fn end_partition(&mut self, control_plane: usize, edge: usize) -> Checked {
        self.partitions.remove(&(control_plane, edge));
        for id in self.links_where(|link| link.connects(control_plane, edge)) {
            while let Some(message) = self.links.get_mut(&id).and_then(|link| link.held.pop_front()) {
                self.link_message(id, message)?;
            }
            let current = &self.control_planes[control_plane];
            let is_restarted = |link: &Link| link.control_plane.number != current.incarnation;
            if !current.is_alive || self.links.get(&id).is_some_and(is_restarted) {
                self.after(1, Step::LinkBroken(id));
            }
        }
        Ok(())
    }
}

fn input_of(room: RoomId, update: Update) -> rooms::Input {
    match update {
        Update::Snapshot {
            snapshot,
            reset: false,
        } => rooms::Input::Snapshot(room, (*snapshot).clone()),
        Update::Snapshot {
            snapshot,
            reset: true,
        } => rooms::Input::Reset(room, (*snapshot).clone()),
        Update::Entries(entries) => rooms::Input::Entries(room, entries),
        Update::SessionNotFound => rooms::Input::SessionNotFound(room),
    }
}
