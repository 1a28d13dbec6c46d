//! Feedback changes the slot of a session and the slots of users, and no store can change two slots at once.
//! So a call is two steps, each atomic in its slot and idempotent. A retry with the same request id gets the stored
//! response of the first step and runs the second one again, which completes a call that failed halfway.
//!
//! Each `RequireFeedback` of a session has a number, its requirement, so that a late step can be distinguished from a new one.
//! The first number is the time, so the numbers of a session that is created again exceed those of the expired one.

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, future::BoxFuture, stream};
use roomcast_core::{SessionCommand, SessionId, UserId, ids::RequestKey};

use crate::store::{Appended, FeedbackRequirement, Outcome, StoreError};

/// How many users' slots are written at the same time.
const CONCURRENT_USERS: usize = 64;

/// The result of the step in the session's slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionRequirement {
    pub(crate) users: Vec<UserId>,
    pub(crate) requirement: u64,
    pub(crate) duplicate: bool,
}

/// The steps, each atomic in one slot.
#[async_trait]
pub(crate) trait FeedbackSteps: Send + Sync {
    /// Executes a command. Also returns the session's last requirement; 0 if there was none.
    async fn execute_command(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<(Outcome, u64), StoreError>;

    /// Adds the users to the session's pending feedback, under a new requirement.
    async fn add_requirement(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<SessionRequirement, StoreError>;

    /// Adds the requirement to the user's pending feedback, unless the user's slot has it already. If the feedback
    /// was settled by a later command whose step arrived first, it is settled at once.
    async fn add_pending_feedback(
        &self,
        user: &UserId,
        session: &SessionId,
        requirement: u64,
    ) -> Result<Appended, StoreError>;

    /// Settles the user's pending feedback for the session up to and including `requirement`.
    async fn settle_feedback(
        &self,
        user: &UserId,
        session: &SessionId,
        requirement: u64,
    ) -> Result<(), StoreError>;
}

pub(crate) async fn execute(
    steps: &dyn FeedbackSteps,
    session: &SessionId,
    command: &SessionCommand,
    request: Option<&RequestKey>,
) -> Result<Outcome, StoreError> {
    let (outcome, last_requirement) = steps.execute_command(session, command, request).await?;
    if let SessionCommand::UpdateFeedback {
        author: Some(author), ..
    } = command
        && last_requirement > 0
    {
        steps.settle_feedback(author, session, last_requirement).await?;
    }
    Ok(outcome)
}

pub(crate) async fn require_feedback(
    steps: &dyn FeedbackSteps,
    session: &SessionId,
    users: &[UserId],
    request: Option<&RequestKey>,
) -> Result<FeedbackRequirement, StoreError> {
    let SessionRequirement {
        users,
        requirement,
        duplicate,
    } = steps.add_requirement(session, users, request).await?;
    let step = |user: UserId| -> BoxFuture<'_, Result<(UserId, Appended), StoreError>> {
        Box::pin(async move {
            let appended = steps.add_pending_feedback(&user, session, requirement).await?;
            Ok((user, appended))
        })
    };
    let steps: Vec<_> = users.into_iter().map(step).collect();
    let users = stream::iter(steps)
        .buffered(CONCURRENT_USERS)
        .try_collect()
        .await?;
    Ok(FeedbackRequirement { users, duplicate })
}

/// The users without duplicates, in the order of their first occurrence.
pub(crate) fn distinct(users: &[UserId]) -> Vec<UserId> {
    let mut seen = std::collections::BTreeSet::new();
    users.iter().filter(|user| seen.insert(*user)).cloned().collect()
}
