//! Responses to the requests of sockets.

use std::sync::Arc;

use roomcast_core::rooms::{SocketId, SocketRequestId, SocketResponse};

use super::RoomsTask;
use crate::{
    inbox::{AckId, Denial},
    outbound::OutboundItem,
    packet::acknowledgement::{Acknowledgement, session_error},
};

impl RoomsTask {
    pub(super) fn respond(&mut self, socket: SocketId, request: SocketRequestId, response: SocketResponse) {
        let ack = self
            .sockets
            .take_pending(socket, |pending| pending.take_ack(request));
        let Some(ack) = ack else { return };
        match response {
            SocketResponse::Joined {
                session,
                role,
                position,
                recovered,
                snapshot,
            } => self.acknowledge(socket, ack, || {
                Acknowledgement::joined(&session, role, &position, recovered, &snapshot)
            }),
            SocketResponse::Left(session) => {
                self.acknowledge(socket, ack, || Acknowledgement::left(&session));
            }
            SocketResponse::Denied(session, denial) => {
                let denial = Denial {
                    session: Some(session.to_string()),
                    code: denial.code(),
                    message: denial.message().to_owned(),
                };
                self.deny(socket, ack, &denial);
            }
        }
    }

    /// Sends a denial: as an acknowledgement if the browser requested one, otherwise as `session-error`.
    pub(super) fn deny(&mut self, socket: SocketId, ack: AckId, denial: &Denial) {
        self.metrics.denied_requests.inc();
        let (session, code, message) = (denial.session.as_deref(), denial.code, &denial.message);
        if ack.0.is_some() {
            self.acknowledge(socket, ack, || Acknowledgement::denied(session, code, message));
        } else {
            let event = Arc::new(session_error(session, code, message));
            let cursor = self.rooms.cursor(socket);
            self.send(socket, OutboundItem::Event(event, cursor));
        }
    }

    fn acknowledge(&self, socket: SocketId, ack: AckId, json: impl FnOnce() -> Acknowledgement) {
        if let Some(id) = ack.0 {
            self.send(socket, OutboundItem::Acknowledgement(id, json()));
        }
    }
}
