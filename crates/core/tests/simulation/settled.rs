//! The checks at the end of a run, when everything works and nothing happens any more.

use std::collections::BTreeSet;

use roomcast_core::RoomId;

use crate::{oracle::Checked, page::Page, world::World};

impl World {
    pub(crate) fn check_settled(&self) -> Checked {
        for (n, page) in self.pages.iter().enumerate() {
            self.check_page(page)
                .map_err(|violation| format!("page {n} of {}: {violation}", page.user))?;
        }
        self.check_rooms()
    }

    /// Checks that the page is in the sessions that it wants and may join, and has all of their events.
    fn check_page(&self, page: &Page) -> Checked {
        if !page.is_connected || !page.pending_requests.is_empty() || !page.expected_resets.is_empty() {
            return Err(format!(
                "not settled: connected: {}, {} requests without a response, {} resets missing",
                page.is_connected,
                page.pending_requests.len(),
                page.expected_resets.len()
            ));
        }
        for session in &page.wanted {
            let is_participant = self.oracle.is_participant(session, &page.user);
            match page.tracks.get(session) {
                None if is_participant => return Err(format!("not in {session}, although a participant")),
                Some(_) if !is_participant => {
                    return Err(format!("I4: in {session}, although not a participant"));
                }
                None | Some(_) => {}
            }
        }
        for (session, track) in &page.tracks {
            let tail = self.store.tail(&session.clone().into());
            self.oracle
                .check_caught_up(session, &page.user, track.position, tail)?;
        }
        let pending_feedback = self.store.pending_feedback(&page.user);
        match pending_feedback.difference(&page.reminders).next() {
            Some(session) => Err(format!("no reminder of the pending feedback for {session}")),
            None => Ok(()),
        }
    }

    /// Checks that edges and control planes have released the rooms that no page is in.
    fn check_rooms(&self) -> Checked {
        for (n, edge) in self.edges.iter().enumerate() {
            let pages = self.pages.iter();
            let pages = pages.filter(|page| page.socket.is_some_and(|(edge, _)| edge.index == n));
            let rooms: BTreeSet<_> = pages
                .flat_map(|page| {
                    let sessions = page.tracks.keys().cloned().map(RoomId::from);
                    sessions.chain([RoomId::User(page.user.clone())])
                })
                .collect();
            if edge.rooms.rooms() != rooms.len() || edge.rooms.sockets() != edge.sockets.len() {
                return Err(format!(
                    "edge {n} has {} rooms, its pages are in {rooms:?}",
                    edge.rooms.rooms()
                ));
            }
        }
        let of_edges = self.edges.iter().map(|edge| edge.rooms.rooms()).sum::<usize>();
        let hubs = self.control_planes.iter();
        let of_hubs = hubs.map(|control_plane| control_plane.hub.rooms()).sum::<usize>();
        if of_hubs > of_edges {
            return Err(format!("the hubs have {of_hubs} rooms, the edges {of_edges}"));
        }
        Ok(())
    }
}
