//! The arguments of the Lua functions. The size of an event's payload is computed here, because Lua does not parse
//! JSON.

use roomcast_core::{
    Epoch, Event, JsonObject, Offset, Participant, Role, Session, SessionCommand, SessionId, UserId,
    browser_event, ids::RequestKey,
};

use super::{codec::encoded, keys::hex};
use crate::limits::StoreLimits;

/// `{"userId":"","role":""}`: the bytes of a participant in a payload besides user, role and comma.
const PARTICIPANT_BYTES: usize = 23;

/// The arguments of every step.
pub(super) fn step(limits: &StoreLimits) -> Vec<String> {
    vec![
        limits.log_entries.to_string(),
        limits.log_retention.to_string(),
        limits.state_retention.to_string(),
        Epoch::from_random(rand::random()).to_string(),
    ]
}

/// The shape of a stored response. It is part of the stored fingerprint, so that a caller who mixes up request ids never
/// gets a response of another shape.
#[derive(Debug, Clone, Copy)]
pub(super) enum ResponseKind {
    Command,
    Requirement,
}

/// The arguments of every step in a session's slot.
pub(super) fn session_step(
    limits: &StoreLimits,
    kind: ResponseKind,
    request: Option<&RequestKey>,
) -> Vec<String> {
    let kind = match kind {
        ResponseKind::Command => "x",
        ResponseKind::Requirement => "r",
    };
    let fingerprint = request.map(|request| format!("{kind}{}", hex(&request.fingerprint)));
    let mut args = step(limits);
    args.extend([fingerprint.unwrap_or_default(), limits.max_payload.to_string()]);
    args
}

/// The name of the command's function, and its own arguments.
pub(super) fn command(id: &SessionId, command: &SessionCommand) -> (&'static str, Vec<String>) {
    match command {
        SessionCommand::Publish {
            status,
            participants,
            attributes,
            expected_revision,
        } => {
            let args = publish(
                id,
                status,
                participants.as_deref(),
                attributes,
                *expected_revision,
            );
            ("publish", args)
        }
        SessionCommand::SelectRole { user, role } => {
            let event = Event::RoleSelected {
                user: user.clone(),
                role: *role,
            };
            let args = vec![payload_bytes(id, &event), user.to_string(), role.to_string()];
            ("select_role", args)
        }
        SessionCommand::UpdateFeedback {
            feedback,
            author,
            updates,
            new_feedback,
            timestamp,
        } => {
            let event = Event::FeedbackUpdated {
                feedback: feedback.clone(),
                updates: updates.clone(),
                new_feedback: new_feedback.clone(),
                // The text of a time has the same length for every time.
                timestamp: timestamp.unwrap_or(0),
            };
            let args = vec![
                payload_bytes(id, &event),
                author.as_ref().map(UserId::to_string).unwrap_or_default(),
                feedback.to_string(),
                timestamp.map(|at| at.to_string()).unwrap_or_default(),
                updates.as_str().to_owned(),
                new_feedback.as_ref().map_or("", JsonObject::as_str).to_owned(),
            ];
            ("update_feedback", args)
        }
        SessionCommand::RemoveParticipant { user } => ("remove_participant", vec![user.to_string()]),
    }
}

fn publish(
    id: &SessionId,
    status: &str,
    participants: Option<&[(UserId, Role)]>,
    attributes: &JsonObject,
    expected_revision: Option<u64>,
) -> Vec<String> {
    let listed = participants.unwrap_or(&[]);
    let session = Session {
        id: id.clone(),
        status: status.into(),
        participants: listed
            .iter()
            .map(|(user, role)| Participant {
                user: user.clone(),
                role: *role,
                added_at: Offset::ZERO,
            })
            .collect(),
        attributes: attributes.clone(),
        revision: 0,
    };
    let event = Event::SessionUpdated {
        session: session.into(),
        removed: Vec::new(),
    };
    let mut args = vec![
        payload_bytes(id, &event),
        PARTICIPANT_BYTES.to_string(),
        encoded(status),
        attributes.as_str().to_owned(),
        expected_revision
            .map(|revision| revision.to_string())
            .unwrap_or_default(),
        u8::from(participants.is_some()).to_string(),
    ];
    args.extend(
        listed
            .iter()
            .flat_map(|(user, role)| [user.to_string(), role.to_string()]),
    );
    args
}

fn payload_bytes(id: &SessionId, event: &Event) -> String {
    let bytes = browser_event::session_event(id, event).map_or(0, |event| event.payload.len());
    bytes.to_string()
}
