//! The responses that a session stores under request ids, for the log's retention.

use std::collections::{BTreeMap, VecDeque};

use roomcast_core::{CommandDenial, Millis, RequestId, ids::RequestKey};

use super::step::Context;
use crate::{feedback::SessionRequirement, store::Outcome};

#[derive(Default)]
pub(super) struct Requests {
    responses: BTreeMap<RequestId, ([u8; 32], Response)>,
    /// The same request ids, oldest first.
    order: VecDeque<(Millis, RequestId)>,
}

#[derive(Clone)]
pub(super) enum Response {
    Command(Outcome, u64),
    Requirement(SessionRequirement),
}

impl Requests {
    pub(super) fn remove_old(&mut self, context: &Context<'_>) {
        while let Some((_, id)) = self
            .order
            .pop_front_if(|(at, _)| context.has_passed(*at, context.limits.log_retention))
        {
            self.responses.remove(&id);
        }
    }

    /// The first response under the request id, if any.
    pub(super) fn get(&self, request: Option<&RequestKey>) -> Option<Result<Response, CommandDenial>> {
        let request = request?;
        let (fingerprint, response) = self.responses.get(&request.id)?;
        let is_same = *fingerprint == request.fingerprint;
        Some(if is_same {
            Ok(response.clone())
        } else {
            Err(CommandDenial::RequestIdReused)
        })
    }

    pub(super) fn insert(&mut self, request: Option<&RequestKey>, response: Response, now: Millis) {
        if let Some(RequestKey { id, fingerprint }) = request {
            self.responses.insert(id.clone(), (*fingerprint, response));
            self.order.push_back((now, id.clone()));
        }
    }
}
