//! A session's slot: its state, its log, who owes feedback for it, and the answers under request ids.

use std::collections::{BTreeMap, VecDeque};

use roomcast_core::{
    CommandDenial, Event, Millis, Offset, RequestId, RoomState, Session, SessionCommand, SessionId,
    SessionView, Snapshot, UserId, command::decide,
};

use super::{Now, Told, log, log::Log};
use crate::{Outcome, Participation, RequestKey, StoreError, slots::Required};

pub(super) struct SessionSlot {
    pub(super) log: Log,
    session: Session,
    /// The number of the last requirement of feedback.
    requirement: Option<u64>,
    pending_feedback: BTreeMap<UserId, u64>,
    remembered: Remembered,
}

#[derive(Default)]
struct Remembered {
    answers: BTreeMap<RequestId, ([u8; 32], Answer)>,
    /// The same, oldest first.
    order: VecDeque<(Millis, RequestId)>,
}

#[derive(Clone)]
enum Answer {
    Command(Outcome, u64),
    Require(Required),
}

impl SessionSlot {
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

impl Remembered {
    fn forget_old(&mut self, now: &Now<'_>) {
        while let Some((_, id)) = self
            .order
            .pop_front_if(|(at, _)| now.is_over(*at, now.bounds.log_retention))
        {
            self.answers.remove(&id);
        }
    }

    fn answer(&self, request: Option<&RequestKey>) -> Option<Result<Answer, CommandDenial>> {
        let request = request?;
        let (fingerprint, answer) = self.answers.get(&request.id)?;
        let same = *fingerprint == request.fingerprint;
        Some(if same {
            Ok(answer.clone())
        } else {
            Err(CommandDenial::RequestIdReused)
        })
    }

    fn remember(&mut self, request: Option<&RequestKey>, answer: Answer, at: Millis) {
        if let Some(RequestKey { id, fingerprint }) = request {
            self.answers.insert(id.clone(), (*fingerprint, answer));
            self.order.push_back((at, id.clone()));
        }
    }
}

/// Does a command; the answer has the number of the last requirement too.
pub(super) fn command(
    slot: &mut Option<SessionSlot>,
    id: &SessionId,
    command: &SessionCommand,
    request: Option<&RequestKey>,
    now: &mut Now<'_>,
) -> Told<Result<(Outcome, u64), StoreError>> {
    if let Some(known) = known(slot, request, now) {
        let answer = match known {
            Ok(Answer::Command(first, number)) => Ok((
                Outcome {
                    duplicate: true,
                    ..first
                },
                number,
            )),
            Ok(Answer::Require(_)) => Err(CommandDenial::RequestIdReused.into()),
            Err(denial) => Err(denial.into()),
        };
        return (answer, Vec::new());
    }
    let at = slot
        .as_ref()
        .map_or(Offset::ZERO, |slot| slot.log.position().offset)
        .next();
    let session = slot.as_ref().map(|slot| &slot.session);
    let body = match decide(id, session, command, at, now.at, now.bounds.max_payload) {
        Ok(body) => body,
        Err(denial) => return (Err(denial.into()), Vec::new()),
    };
    let slot = match (slot, &body) {
        (Some(slot), _) => slot,
        (slot, Event::SessionUpdated { session, .. }) => slot.insert(SessionSlot {
            log: now.log(),
            session: Session::clone(session),
            requirement: None,
            pending_feedback: BTreeMap::new(),
            remembered: Remembered::default(),
        }),
        (None, _) => return (Err(CommandDenial::SessionNotFound.into()), Vec::new()),
    };
    if let SessionCommand::UpdateFeedback {
        author: Some(author), ..
    } = command
    {
        slot.pending_feedback.remove(author);
    }
    slot.session.fold(at, &body);
    let entry = slot.log.append(body, now.at, now.bounds);
    let outcome = Outcome {
        appended: log::appended(&entry),
        revision: slot.session.revision,
        duplicate: false,
    };
    let number = slot.requirement.unwrap_or(0);
    slot.remembered
        .remember(request, Answer::Command(outcome, number), now.at);
    (Ok((outcome, number)), vec![entry])
}

/// Writes who owes feedback.
pub(super) fn require(
    slot: &mut Option<SessionSlot>,
    users: &[UserId],
    request: Option<&RequestKey>,
    now: &mut Now<'_>,
) -> Result<Required, StoreError> {
    match known(slot, request, now) {
        Some(Ok(Answer::Require(first))) => {
            return Ok(Required {
                duplicate: true,
                ..first
            });
        }
        Some(Ok(Answer::Command(..))) => return Err(CommandDenial::RequestIdReused.into()),
        Some(Err(denial)) => return Err(denial.into()),
        None => {}
    }
    let slot = slot.as_mut().ok_or(CommandDenial::SessionNotFound)?;
    let number = slot
        .requirement
        .map_or(now.at.max(1).unsigned_abs(), |last| last + 1);
    let participants = slot
        .session
        .participants
        .iter()
        .map(|participant| participant.user.clone());
    let users = if users.is_empty() {
        participants.collect()
    } else {
        crate::distinct(users)
    };
    slot.requirement = Some(number);
    slot.log.written_at = now.at;
    slot.pending_feedback
        .extend(users.iter().map(|user| (user.clone(), number)));
    let required = Required {
        users,
        number,
        duplicate: false,
    };
    slot.remembered
        .remember(request, Answer::Require(required.clone()), now.at);
    Ok(required)
}

fn known(
    slot: &mut Option<SessionSlot>,
    request: Option<&RequestKey>,
    now: &Now<'_>,
) -> Option<Result<Answer, CommandDenial>> {
    let slot = slot.as_mut()?;
    slot.remembered.forget_old(now);
    slot.remembered.answer(request)
}
