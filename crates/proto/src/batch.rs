//! The commands of a `StreamCommands` batch, and their results.

use prost::Message as _;
use roomcast_core::SessionId;
use tonic::{Code, Status};

use crate::{
    Failure, Invalid,
    command::{RequireFeedback, SessionChange},
    v1::{self, command::Command as CommandRequest, command_result::Result as CommandOutcome},
};

/// The most commands of one batch.
pub const MAX_BATCH_COMMANDS: usize = 1_000;

/// The method that a change corresponds to. It determines the type of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// `PublishSessionUpdate`.
    Publish,
    /// `SelectRole`.
    SelectRole,
    /// `UpdateFeedback`.
    UpdateFeedback,
    /// `RemoveParticipant`.
    RemoveParticipant,
}

/// A command whose fields are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParsedCommand {
    /// A change of one session.
    Change(ChangeKind, SessionChange),
    /// `RequireFeedback`.
    Require(RequireFeedback),
}

impl ParsedCommand {
    /// The session in whose order the command is executed.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        match self {
            Self::Change(_, change) => &change.session,
            Self::Require(require) => &require.session,
        }
    }
}

impl v1::Command {
    /// Parses the command.
    ///
    /// # Errors
    /// The error that the method of the same name would return; also if the command has more than `max_bytes` bytes.
    pub fn parse(self, max_bytes: usize) -> Result<ParsedCommand, Failure> {
        let Some(request) = self.command else {
            return Err(Invalid::one("command", "is required").into());
        };
        let bytes = match &request {
            CommandRequest::PublishSessionUpdate(request) => request.encoded_len(),
            CommandRequest::SelectRole(request) => request.encoded_len(),
            CommandRequest::RequireFeedback(request) => request.encoded_len(),
            CommandRequest::UpdateFeedback(request) => request.encoded_len(),
            CommandRequest::RemoveParticipant(request) => request.encoded_len(),
        };
        if bytes > max_bytes {
            return Err(Failure::RequestTooLarge { limit: max_bytes });
        }
        Ok(match request {
            CommandRequest::PublishSessionUpdate(request) => {
                ParsedCommand::Change(ChangeKind::Publish, request.try_into()?)
            }
            CommandRequest::SelectRole(request) => {
                ParsedCommand::Change(ChangeKind::SelectRole, request.try_into()?)
            }
            CommandRequest::RequireFeedback(request) => ParsedCommand::Require(request.try_into()?),
            CommandRequest::UpdateFeedback(request) => {
                ParsedCommand::Change(ChangeKind::UpdateFeedback, request.try_into()?)
            }
            CommandRequest::RemoveParticipant(request) => {
                ParsedCommand::Change(ChangeKind::RemoveParticipant, request.try_into()?)
            }
        })
    }
}

impl v1::CommandResult {
    /// The result of a change.
    #[must_use]
    pub fn changed(kind: ChangeKind, event: v1::EventRef, revision: u64, duplicate: bool) -> Self {
        let event = Some(event);
        Self::from(match kind {
            ChangeKind::Publish => CommandOutcome::PublishSessionUpdate(v1::PublishSessionUpdateResponse {
                event,
                duplicate,
                revision,
            }),
            ChangeKind::SelectRole => CommandOutcome::SelectRole(v1::SelectRoleResponse {
                event,
                duplicate,
                revision,
            }),
            ChangeKind::UpdateFeedback => {
                CommandOutcome::UpdateFeedback(v1::UpdateFeedbackResponse { event, duplicate })
            }
            ChangeKind::RemoveParticipant => {
                CommandOutcome::RemoveParticipant(v1::RemoveParticipantResponse {
                    event,
                    duplicate,
                    revision,
                })
            }
        })
    }

    /// The gRPC code with which the command ended.
    #[must_use]
    pub fn code(&self) -> Code {
        match &self.result {
            Some(CommandOutcome::Error(error)) => Code::from_i32(error.code),
            Some(_) | None => Code::Ok,
        }
    }

    /// The result of `RequireFeedback`.
    #[must_use]
    pub fn feedback_required(events: Vec<v1::EventRef>, duplicate: bool) -> Self {
        CommandOutcome::RequireFeedback(v1::RequireFeedbackResponse {
            event: events,
            duplicate,
        })
        .into()
    }
}

impl From<CommandOutcome> for v1::CommandResult {
    fn from(outcome: CommandOutcome) -> Self {
        Self {
            result: Some(outcome),
        }
    }
}

impl From<Failure> for v1::CommandResult {
    fn from(failure: Failure) -> Self {
        let status = Status::from(failure);
        // The details of a tonic status are an encoded google.rpc.Status.
        let error = tonic_types::Status::decode(status.details()).unwrap_or_default();
        CommandOutcome::Error(tonic_types::Status {
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
    fn an_error_has_the_code_and_the_details_of_a_call() {
        let failure = Failure::RequestTooLarge { limit: 7 };
        let status = Status::from(failure.clone());
        let Some(CommandOutcome::Error(error)) = v1::CommandResult::from(failure).result else {
            panic!("no error")
        };
        assert_eq!(error.code, i32::from(status.code()));
        assert_eq!(error.encode_to_vec(), status.details());
    }

    #[test]
    fn a_command_without_a_request_and_one_that_is_too_large_are_invalid() {
        let command = v1::Command { command: None };
        assert!(matches!(command.parse(10), Err(Failure::Invalid(_))));
        let request = v1::SelectRoleRequest {
            session_id: "a".repeat(20),
            ..Default::default()
        };
        let command = v1::Command {
            command: Some(CommandRequest::SelectRole(request)),
        };
        assert!(matches!(
            command.parse(10),
            Err(Failure::RequestTooLarge { limit: 10 })
        ));
    }
}
