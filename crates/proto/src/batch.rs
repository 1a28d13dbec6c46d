//! Commands that come in batches, and what each came to.

use prost::Message as _;
use roomcast_core::SessionId;
use tonic::{Code, Status};

use crate::{
    Failure, Invalid,
    command::{Change, Require},
    v1::{self, command::Command as Wanted, command_result::Result as Came},
};

/// How many commands a batch has at most.
pub const MAX_BATCH_COMMANDS: usize = 1_000;

/// Which change it is; its result is of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// PublishSessionUpdate.
    Publish,
    /// SelectRole.
    SelectRole,
    /// UpdateFeedback.
    UpdateFeedback,
    /// RemoveParticipant.
    RemoveParticipant,
}

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParsedCommand {
    /// A change of one session.
    Change(ChangeKind, Change),
    /// Users who shall owe feedback.
    Require(Require),
}

impl ParsedCommand {
    /// The session whose order the command stands in.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        match self {
            Self::Change(_, change) => &change.session,
            Self::Require(require) => &require.session,
        }
    }
}

impl v1::Command {
    /// Parses the command, of `max_bytes` at most.
    ///
    /// # Errors
    /// What its own method would say.
    pub fn parse(self, max_bytes: usize) -> Result<ParsedCommand, Failure> {
        let Some(wanted) = self.command else {
            return Err(Invalid::one("command", "is required").into());
        };
        let bytes = match &wanted {
            Wanted::PublishSessionUpdate(request) => request.encoded_len(),
            Wanted::SelectRole(request) => request.encoded_len(),
            Wanted::RequireFeedback(request) => request.encoded_len(),
            Wanted::UpdateFeedback(request) => request.encoded_len(),
            Wanted::RemoveParticipant(request) => request.encoded_len(),
        };
        if bytes > max_bytes {
            return Err(Failure::RequestTooLarge { limit: max_bytes });
        }
        Ok(match wanted {
            Wanted::PublishSessionUpdate(request) => {
                ParsedCommand::Change(ChangeKind::Publish, request.try_into()?)
            }
            Wanted::SelectRole(request) => ParsedCommand::Change(ChangeKind::SelectRole, request.try_into()?),
            Wanted::RequireFeedback(request) => ParsedCommand::Require(request.try_into()?),
            Wanted::UpdateFeedback(request) => {
                ParsedCommand::Change(ChangeKind::UpdateFeedback, request.try_into()?)
            }
            Wanted::RemoveParticipant(request) => {
                ParsedCommand::Change(ChangeKind::RemoveParticipant, request.try_into()?)
            }
        })
    }
}

impl v1::CommandResult {
    /// The result of a change of that kind.
    #[must_use]
    pub fn changed(kind: ChangeKind, event: v1::EventRef, revision: u64, duplicate: bool) -> Self {
        let event = Some(event);
        Self::from(match kind {
            ChangeKind::Publish => Came::PublishSessionUpdate(v1::PublishSessionUpdateResponse {
                event,
                duplicate,
                revision,
            }),
            ChangeKind::SelectRole => Came::SelectRole(v1::SelectRoleResponse {
                event,
                duplicate,
                revision,
            }),
            ChangeKind::UpdateFeedback => {
                Came::UpdateFeedback(v1::UpdateFeedbackResponse { event, duplicate })
            }
            ChangeKind::RemoveParticipant => Came::RemoveParticipant(v1::RemoveParticipantResponse {
                event,
                duplicate,
                revision,
            }),
        })
    }

    /// The code of the status that the command came to.
    #[must_use]
    pub fn code(&self) -> Code {
        match &self.result {
            Some(Came::Error(error)) => Code::from_i32(error.code),
            Some(_) | None => Code::Ok,
        }
    }

    /// The result of a requirement.
    #[must_use]
    pub fn required(event: Vec<v1::EventRef>, duplicate: bool) -> Self {
        Came::RequireFeedback(v1::RequireFeedbackResponse { event, duplicate }).into()
    }
}

impl From<Came> for v1::CommandResult {
    fn from(came: Came) -> Self {
        Self { result: Some(came) }
    }
}

impl From<Failure> for v1::CommandResult {
    fn from(failure: Failure) -> Self {
        let status = Status::from(failure);
        // A status carries its details as an encoded google.rpc.Status.
        let error = tonic_types::Status::decode(status.details()).unwrap_or_default();
        Came::Error(tonic_types::Status {
            code: status.code().into(),
            message: status.message().to_owned(),
            details: error.details,
        })
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_code_and_the_details_of_the_call() {
        let failure = Failure::RequestTooLarge { limit: 7 };
        let status = Status::from(failure.clone());
        let Some(Came::Error(error)) = v1::CommandResult::from(failure).result else {
            panic!("no error")
        };
        assert_eq!(error.code, i32::from(status.code()));
        assert_eq!(error.encode_to_vec(), status.details());
    }

    #[test]
    fn a_command_has_a_size_and_a_kind() {
        let command = v1::Command { command: None };
        assert!(matches!(command.parse(10), Err(Failure::Invalid(_))));
        let request = v1::SelectRoleRequest {
            session_id: "a".repeat(20),
            ..Default::default()
        };
        let command = v1::Command {
            command: Some(Wanted::SelectRole(request)),
        };
        assert!(matches!(
            command.parse(10),
            Err(Failure::RequestTooLarge { limit: 10 })
        ));
    }
}
