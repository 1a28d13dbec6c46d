//! Feedback touches the slot of a session and the slots of users, and no store can change two slots at once.
//! So it is two steps, each atomic in its slot and idempotent: whoever repeats a call with its request id gets
//! the first step's remembered answer and runs the second one again, which completes a torn call.
//!
//! Requirements of a session are numbered, so that what arrives late can be told from what is new. Numbers
//! start at the time of the first requirement: those of a session's new life are larger than those of an old one.

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, future::BoxFuture, stream};
use roomcast_core::{SessionCommand, SessionId, UserId};

use crate::{Appended, FeedbackRequirement, Outcome, RequestKey, StoreError};

/// How many users' slots are written at the same time.
const CONCURRENT_USERS: usize = 64;

/// What the step in the session's slot leaves for the users' slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Required {
    pub(crate) users: Vec<UserId>,
    pub(crate) number: u64,
    pub(crate) duplicate: bool,
}

/// The steps, each atomic in one slot.
#[async_trait]
pub(crate) trait Slots: Send + Sync {
    /// Does a command; gives the number of the last requirement too, 0 where there was none.
    async fn command(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<(Outcome, u64), StoreError>;

    /// Writes in the session's slot who owes feedback.
    async fn require(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<Required, StoreError>;

    /// Writes the requirement in the user's slot, unless it is there. Feedback that was given after the
    /// requirement, but came here before it, ends it at once.
    async fn user_requires(
        &self,
        user: &UserId,
        session: &SessionId,
        number: u64,
    ) -> Result<Appended, StoreError>;

    /// Ends what the user owes for the session by requirements up to `number`.
    async fn user_gave(&self, user: &UserId, session: &SessionId, number: u64) -> Result<(), StoreError>;
}

pub(crate) async fn execute(
    slots: &dyn Slots,
    session: &SessionId,
    command: &SessionCommand,
    request: Option<&RequestKey>,
) -> Result<Outcome, StoreError> {
    let (outcome, last) = slots.command(session, command, request).await?;
    if let SessionCommand::UpdateFeedback {
        author: Some(author), ..
    } = command
        && last > 0
    {
        slots.user_gave(author, session, last).await?;
    }
    Ok(outcome)
}

pub(crate) async fn require_feedback(
    slots: &dyn Slots,
    session: &SessionId,
    users: &[UserId],
    request: Option<&RequestKey>,
) -> Result<FeedbackRequirement, StoreError> {
    let Required {
        users,
        number,
        duplicate,
    } = slots.require(session, users, request).await?;
    let step = |user: UserId| -> BoxFuture<'_, Result<(UserId, Appended), StoreError>> {
        Box::pin(async move {
            let appended = slots.user_requires(&user, session, number).await?;
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
