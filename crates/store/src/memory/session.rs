//! A session's slot: its state, its log, its pending feedback, and the responses under request ids.

use std::collections::BTreeMap;

use roomcast_core::{
    CommandDenial, Event, Millis, Offset, RoomState, Session, SessionCommand, SessionId, SessionView,
    Snapshot, UserId, command::decide, ids::RequestKey,
};

use super::{
    log::{self, Log},
    requests::{Requests, Response},
    step::{Context, StepResult},
};
use crate::{
    feedback::{SessionRequirement, distinct},
    store::{Outcome, Participation, StoreError},
};

pub(super) struct SessionSlot {
    pub(super) log: Log,
    session: Session,
    /// The number of the last requirement.
    requirement: Option<u64>,
    /// The users with pending feedback, with the requirement of each.
    pending_feedback: BTreeMap<UserId, u64>,
    requests: Requests,
}

impl SessionSlot {
    fn new(log: Log, session: Session) -> Self {
        Self {
            log,
            session,
            requirement: None,
            pending_feedback: BTreeMap::new(),
            requests: Requests::default(),
        }
    }

    pub(super) fn written_at(&self) -> Millis {
        self.log.written_at
    }

    pub(super) fn view(&self) -> SessionView {
        SessionView {
            session: self.session.clone(),
            position: self.log.position(),
            pending_feedback: self.pending_feedback.keys().cloned().collect(),
        }
    }

    pub(super) fn participation(&self, user: &UserId) -> Participation {
        Participation {
            position: self.log.position(),
            role: self.session.participant(user).map(|participant| participant.role),
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            position: self.log.position(),
            state: RoomState::Session(self.session.clone().into()),
        }
    }
}

/// Executes a command. Also returns the session's last requirement; 0 if there was none.
pub(super) fn execute_command(
    slot: &mut Option<SessionSlot>,
    id: &SessionId,
    command: &SessionCommand,
    request: Option<&RequestKey>,
    context: &mut Context<'_>,
) -> StepResult<Result<(Outcome, u64), StoreError>> {
    if let Some(response) = stored_response(slot, request, context) {
        return (repeated_outcome(response), Vec::new());
    }
    let tail = slot
        .as_ref()
        .map_or(Offset::ZERO, |slot| slot.log.position().offset);
    let session = slot.as_ref().map(|slot| &slot.session);
    let max_payload = context.limits.max_payload;
    let event = match decide(id, session, command, tail.next(), context.now, max_payload) {
        Ok(event) => event,
        Err(denial) => return (Err(denial.into()), Vec::new()),
    };
    let slot = match (slot, &event) {
        (Some(slot), _) => slot,
        (slot, Event::SessionUpdated { session, .. }) => {
            slot.insert(SessionSlot::new(context.new_log(), Session::clone(session)))
        }
        (None, _) => return (Err(CommandDenial::SessionNotFound.into()), Vec::new()),
    };
    if let SessionCommand::UpdateFeedback {
        author: Some(author), ..
    } = command
    {
        slot.pending_feedback.remove(author);
    }
    slot.session.fold(tail.next(), &event);
    let entry = slot.log.append(event, context.now, context.limits);
    let outcome = Outcome {
        appended: log::appended(&entry),
        revision: slot.session.revision,
        duplicate: false,
    };
    let requirement = slot.requirement.unwrap_or(0);
    let response = Response::Command(outcome, requirement);
    slot.requests.insert(request, response, context.now);
    (Ok((outcome, requirement)), vec![entry])
}

fn repeated_outcome(response: Result<Response, CommandDenial>) -> Result<(Outcome, u64), StoreError> {
    match response? {
        Response::Command(first, requirement) => {
            let duplicate = true;
            Ok((Outcome { duplicate, ..first }, requirement))
        }
        Response::Requirement(_) => Err(CommandDenial::RequestIdReused.into()),
    }
}

/// Adds the users, or every participant if there are none, to the pending feedback.
pub(super) fn add_requirement(
    slot: &mut Option<SessionSlot>,
    users: &[UserId],
    request: Option<&RequestKey>,
    context: &mut Context<'_>,
) -> Result<SessionRequirement, StoreError> {
    match stored_response(slot, request, context).transpose()? {
        Some(Response::Requirement(first)) => {
            let duplicate = true;
            return Ok(SessionRequirement { duplicate, ..first });
        }
        Some(Response::Command(..)) => return Err(CommandDenial::RequestIdReused.into()),
        None => {}
    }
    let slot = slot.as_mut().ok_or(CommandDenial::SessionNotFound)?;
    let number = slot
        .requirement
        .map_or(context.now.max(1).unsigned_abs(), |last| last + 1);
    let participants = slot.session.participants.iter();
    let users = if users.is_empty() {
        participants.map(|participant| participant.user.clone()).collect()
    } else {
        distinct(users)
    };
    slot.requirement = Some(number);
    slot.log.written_at = context.now;
    slot.pending_feedback
        .extend(users.iter().map(|user| (user.clone(), number)));
    let added = SessionRequirement {
        users,
        requirement: number,
        duplicate: false,
    };
    let response = Response::Requirement(added.clone());
    slot.requests.insert(request, response, context.now);
    Ok(added)
}

fn stored_response(
    slot: &mut Option<SessionSlot>,
    request: Option<&RequestKey>,
    context: &Context<'_>,
) -> Option<Result<Response, CommandDenial>> {
    let slot = slot.as_mut()?;
    slot.requests.remove_old(context);
    slot.requests.get(request)
}
