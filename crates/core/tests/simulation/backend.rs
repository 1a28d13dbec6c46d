//! Backends: they send requests to a control plane, and repeat each until it is acknowledged.

use roomcast_core::{JsonObject, Millis, Position, Role, RoomId, SessionCommand, SessionId, UserId};

use crate::{oracle::Checked, step::Step, world::World};

/// The number of users.
pub(crate) const USERS: usize = 4;
/// The delay before a request is repeated.
const RETRY_DELAY: Millis = 200;

#[derive(Debug)]
pub(crate) enum BackendStep {
    /// The request reaches a control plane.
    Send(Request),
    Acknowledged(Request),
}

#[derive(Debug, Clone)]
pub(crate) struct Request {
    id: u64,
    session: SessionId,
    command: SessionCommand,
    /// The position of the entry that the request has appended, and how often its log had lost entries then.
    appended: Option<(Position, u64)>,
}

pub(crate) fn user(n: usize) -> UserId {
    format!("u{n}").parse().expect("an id")
}

pub(crate) fn session(n: usize) -> SessionId {
    format!("s{n}").parse().expect("an id")
}

impl World {
    pub(crate) fn backend_step(&mut self, step: BackendStep) -> Checked {
        match step {
            BackendStep::Send(request) => self.handle_request(request),
            BackendStep::Acknowledged(request) => self.check_acknowledged(&request),
        }
    }

    /// Publishes a session. `participants`: the numbers of the users; `None`: they do not change.
    pub(crate) fn publish(&mut self, session: &SessionId, participants: Option<Vec<usize>>) {
        let participants = participants.map(|users| {
            let users = users.into_iter();
            users.map(|n| (user(n), Role::Observer)).collect()
        });
        let command = SessionCommand::Publish {
            status: format!("{}", self.unique_id()).into(),
            participants,
            attributes: JsonObject::empty(),
            expected_revision: None,
        };
        self.send_command(session, command);
    }

    pub(crate) fn send_command(&mut self, session: &SessionId, command: SessionCommand) {
        let request = Request {
            id: self.unique_id(),
            session: session.clone(),
            command,
            appended: None,
        };
        self.after(0, Step::Backend(BackendStep::Send(request)));
    }

    pub(crate) fn set_pending_feedback(&mut self, user: &UserId, session: &SessionId, is_pending: bool) {
        let appended = self
            .store
            .set_pending_feedback(user, session, is_pending, &mut self.oracle);
        if let Some((room, entry)) = appended {
            self.notify(&room, &entry);
        }
    }

    /// A random control plane handles the request. Its acknowledgement may be lost.
    fn handle_request(&mut self, mut request: Request) -> Checked {
        let index = self.rng.below(self.control_planes.len());
        let control_plane = &self.control_planes[index];
        if !control_plane.is_alive || !control_plane.is_store_reachable {
            self.after(RETRY_DELAY, Step::Backend(BackendStep::Send(request)));
            return Ok(());
        }
        let room = RoomId::from(request.session.clone());
        let executed = self
            .store
            .execute(&request.session, &request.command, request.id, &mut self.oracle);
        let Ok((position, entry)) = executed else {
            return Ok(());
        };
        let losses = self.oracle.losses(&room);
        if let Some(appended) = request.appended
            && appended.1 == losses
            && appended.0 != position
        {
            return Err(format!(
                "I2: {request:?} was executed twice, again at {position:?}"
            ));
        }
        request.appended = Some((position, losses));
        if let Some(entry) = entry {
            self.notify(&room, &entry);
        }
        if let SessionCommand::UpdateFeedback {
            author: Some(author), ..
        } = &request.command
        {
            self.set_pending_feedback(author, &request.session, false);
        }
        let latency = self.rng.between(0, 4);
        let is_lost = !self.faults_are_over && self.rng.percent(5);
        if is_lost {
            self.after(RETRY_DELAY, Step::Backend(BackendStep::Send(request)));
        } else {
            self.after(latency, Step::Backend(BackendStep::Acknowledged(request)));
        }
        Ok(())
    }

    fn check_acknowledged(&self, request: &Request) -> Checked {
        let room = RoomId::from(request.session.clone());
        match request.appended {
            Some((position, losses))
                if self.oracle.losses(&room) == losses && !self.store.has(&room, position) =>
            {
                Err(format!("I2: {request:?} was acknowledged and is not in the log"))
            }
            Some(_) | None => Ok(()),
        }
    }
}
