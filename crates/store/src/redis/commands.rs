//! The steps that write, each one call of a Lua function.

use std::sync::Arc;

use async_trait::async_trait;
use roomcast_core::{SessionCommand, SessionId, UserId, ids::RequestKey};

use super::{
    arguments::{self, ResponseKind},
    codec::{corrupt_response, encoded, parse},
    keys::Slot,
    reconnecting::ReconnectingConnection,
    response::{Response, appended},
};
use crate::{
    feedback::{FeedbackSteps, SessionRequirement, distinct},
    limits::StoreLimits,
    store::{Appended, Outcome, StoreError},
};

#[derive(Clone)]
pub(crate) struct Commands {
    pub(super) prefix: Arc<str>,
    pub(super) limits: StoreLimits,
    pub(super) connection: Arc<ReconnectingConnection>,
}

impl Commands {
    pub(super) async fn disconnect_user(&self, user: &UserId, reason: &str) -> Result<Appended, StoreError> {
        let slot = Slot::user(&self.prefix, user);
        let mut args = arguments::step(&self.limits);
        args.push(encoded(reason));
        let keys = [slot.state(), slot.log(), slot.pending_feedback()];
        self.call("disconnect_user", &keys, &args).await?.appended()
    }

    async fn session_step(
        &self,
        function: &str,
        session: &SessionId,
        request: Option<&RequestKey>,
        args: &[String],
    ) -> Result<Response, StoreError> {
        let slot = Slot::session(&self.prefix, session);
        let mut keys = vec![
            slot.state(),
            slot.log(),
            slot.participants(),
            slot.pending_feedback(),
        ];
        keys.extend(request.map(|request| slot.request(&request.id)));
        self.call(function, &keys, args).await
    }

    async fn user_step(
        &self,
        function: &str,
        user: &UserId,
        session: &SessionId,
        requirement: u64,
    ) -> Result<Response, StoreError> {
        let slot = Slot::user(&self.prefix, user);
        let keys = [
            slot.state(),
            slot.log(),
            slot.pending_feedback(),
            slot.settled(session),
            slot.required(session, requirement),
        ];
        let mut args = arguments::step(&self.limits);
        args.extend([session.to_string(), requirement.to_string()]);
        self.call(function, &keys, &args).await
    }

    async fn call(&self, function: &str, keys: &[String], args: &[String]) -> Result<Response, StoreError> {
        Response::parse(self.connection.call(function, keys, args).await?)
    }
}

#[async_trait]
impl FeedbackSteps for Commands {
    async fn execute_command(
        &self,
        session: &SessionId,
        command: &SessionCommand,
        request: Option<&RequestKey>,
    ) -> Result<(Outcome, u64), StoreError> {
        let mut args = arguments::session_step(&self.limits, ResponseKind::Command, request);
        let (function, own_args) = arguments::command(session, command);
        args.extend(own_args);
        let response = self.session_step(function, session, request, &args).await?;
        let [epoch, offset, at, revision, requirement] = response.fields()?;
        let outcome = Outcome {
            appended: appended(epoch, offset, at)?,
            revision: parse("a revision", revision)?,
            duplicate: response.duplicate,
        };
        Ok((outcome, parse("a requirement", requirement)?))
    }

    async fn add_requirement(
        &self,
        session: &SessionId,
        users: &[UserId],
        request: Option<&RequestKey>,
    ) -> Result<SessionRequirement, StoreError> {
        let mut args = arguments::session_step(&self.limits, ResponseKind::Requirement, request);
        args.extend(distinct(users).iter().map(UserId::to_string));
        let response = self
            .session_step("require_feedback", session, request, &args)
            .await?;
        let [requirement, users @ ..] = &response.fields[..] else {
            return Err(corrupt_response());
        };
        let users = users
            .iter()
            .map(|user| parse("a user", user))
            .collect::<Result<_, _>>()?;
        Ok(SessionRequirement {
            users,
            requirement: parse("a requirement", requirement)?,
            duplicate: response.duplicate,
        })
    }

    async fn add_pending_feedback(
        &self,
        user: &UserId,
        session: &SessionId,
        requirement: u64,
    ) -> Result<Appended, StoreError> {
        let step = self.user_step("add_pending_feedback", user, session, requirement);
        step.await?.appended()
    }

    async fn settle_feedback(
        &self,
        user: &UserId,
        session: &SessionId,
        requirement: u64,
    ) -> Result<(), StoreError> {
        self.user_step("settle_feedback", user, session, requirement)
            .await
            .map(drop)
    }
}
