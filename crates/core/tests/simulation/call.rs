//! The unary calls of edges to control planes.

use roomcast_core::{
    Millis, Position, RoomId, RoomState, SessionId, UserId,
    rooms::{self, JoinDenial, SocketId, SocketRequestId},
};

use crate::{
    step::Step,
    world::{Incarnation, World},
};

/// How long an edge waits for the result of a call.
const CALL_TIMEOUT: Millis = 2_000;

#[derive(Debug)]
pub(crate) enum Call {
    Authorize {
        socket: SocketId,
        session: SessionId,
        user: UserId,
        request: SocketRequestId,
    },
    Read {
        room: RoomId,
        after: Position,
    },
}

impl World {
    /// Handles a call and sends its result. A call that does not reach the store fails: at once where the edge has no
    /// control plane, and after its timeout otherwise.
    pub(crate) fn call(
        &mut self,
        edge: Incarnation,
        control_plane: Option<Incarnation>,
        sent_at: Millis,
        call: Call,
    ) {
        let is_handled = control_plane.is_some_and(|id| {
            let is_partitioned = self.partitions.contains_key(&(id.index, edge.index));
            let control_plane = self.control_plane(id);
            control_plane.is_some_and(|control_plane| control_plane.is_store_reachable) && !is_partitioned
        });
        let result = match call {
            Call::Authorize {
                socket,
                session,
                user,
                request,
            } => {
                let result = if is_handled {
                    self.authorize(&session, &user)
                } else {
                    Err(JoinDenial::Unavailable)
                };
                rooms::Input::Authorized {
                    socket,
                    session,
                    request,
                    result,
                }
            }
            Call::Read { room, after } => {
                let slice = is_handled.then(|| self.store.read(&room, after.offset));
                rooms::Input::ReadResult { room, after, slice }
            }
        };
        let latency = self.latency();
        let at = if is_handled || control_plane.is_none() {
            self.now + latency
        } else {
            sent_at + CALL_TIMEOUT
        };
        self.at(at.max(self.now), Step::CallResult(edge, result));
    }

    fn authorize(&self, session: &SessionId, user: &UserId) -> Result<Position, JoinDenial> {
        let snapshot = self.store.snapshot(&session.clone().into());
        let snapshot = snapshot.ok_or(JoinDenial::SessionNotFound)?;
        match &snapshot.state {
            RoomState::Session(state) if state.participant(user).is_some() => {
                // The API's position has no mark.
                Ok(Position::new(snapshot.position.epoch, snapshot.position.offset))
            }
            RoomState::Session(_) | RoomState::User { .. } => Err(JoinDenial::NotAParticipant),
        }
    }
}
