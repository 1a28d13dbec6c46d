//! The layer around every service: it checks tokens, applies deadlines, ends streams in a drain, translates size errors
//! and counts calls.
//!
//! It must never read a request's message.

mod call_deadline;
mod call_end;
mod method;
mod response_body;
mod token;

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, Request, Response};
use roomcast_proto::Failure;
use roomcast_runtime::lifecycle::Shutdown;
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

use self::{
    call_end::{CallEnd, call_end, sleep_until_or_forever},
    method::{CallKind, Method},
    response_body::{CallRecord, GuardedBody},
};
use super::config::ApiTokens;
use crate::{
    limits::{STREAM_COMMANDS_GRACE, STREAM_GRACE, UNARY_DEADLINE},
    metrics::Metrics,
};

/// Puts a [`GuardedService`] around each service.
#[derive(Debug, Clone)]
pub(crate) struct GuardLayer(Arc<CallPolicy>);

impl GuardLayer {
    pub(crate) fn new(policy: CallPolicy) -> Self {
        Self(Arc::new(policy))
    }
}

/// What applies to all calls.
#[derive(Debug)]
pub(crate) struct CallPolicy {
    /// `None`: calls need no token.
    pub(crate) tokens: Option<ApiTokens>,
    pub(crate) max_request_bytes: usize,
    /// How long links may continue in a drain.
    pub(crate) drain_grace: Duration,
    pub(crate) shutdown: Shutdown,
    pub(crate) metrics: Metrics,
}

impl<S> Layer<S> for GuardLayer {
    type Service = GuardedService<S>;
    fn layer(&self, inner: S) -> GuardedService<S> {
        GuardedService {
            policy: self.0.clone(),
            inner,
        }
    }
}

/// A service to which the policy is applied.
#[derive(Debug, Clone)]
pub(crate) struct GuardedService<S> {
    policy: Arc<CallPolicy>,
    inner: S,
}

impl<S> Service<Request<Body>> for GuardedService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Taken before tonic starts its own timer, which would end the call as CANCELLED.
        let now = Instant::now();
        // `poll_ready` was called on `self.inner`, so that one takes the call, and its clone stays here.
        let clone = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, clone);
        let policy = self.policy.clone();
        Box::pin(async move {
            let method = Method::from_path(request.uri().path());
            let record = CallRecord::new(method, policy.metrics.clone());
            let mut end = match policy.begin_call(method, request.headers(), now).await {
                Ok(end) => end,
                Err(failure) => return Ok(record.failed(failure)),
            };
            tokio::select! {
                biased; // a response that is ready has priority over a deadline
                response = ready.call(request) => {
                    let (head, body) = policy.size_error_as_invalid(response?).into_parts();
                    let body = GuardedBody::new(&head.headers, body, end, record);
                    Ok(Response::from_parts(head, Body::new(body)))
                }
                failure = &mut end => Ok(record.failed(failure)),
            }
        })
    }
}

impl CallPolicy {
    /// Checks the token, and returns the future that ends the call. `now` is when the call arrived.
    async fn begin_call(
        &self,
        method: Method,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<CallEnd, Failure> {
        let requested = call_deadline::from_headers(headers)?;
        let limit = (method.kind == CallKind::Unary).then_some(UNARY_DEADLINE);
        let deadline = requested.into_iter().chain(limit).min().map(|time| now + time);
        let token_expiry = match &self.tokens {
            Some(tokens) if method.requires_token => {
                tokio::select! {
                    biased;
                    remaining = token::verify(tokens, headers) => Some(now + remaining?),
                    () = sleep_until_or_forever(deadline) => return Err(Failure::DeadlineExceeded),
                }
            }
            Some(_) | None => None,
        };
        let grace = match method.kind {
            CallKind::Unary => None,
            CallKind::Stream => Some(STREAM_GRACE),
            CallKind::StreamCommands => Some(STREAM_COMMANDS_GRACE),
            CallKind::Link => Some(self.drain_grace),
        };
        Ok(call_end(deadline, token_expiry, grace, self.shutdown.clone()))
    }

    /// tonic responds with OUT_OF_RANGE to a request that is too large. No method of ours returns that code.
    fn size_error_as_invalid(&self, response: Response<Body>) -> Response<Body> {
        let is_too_large =
            Status::from_header_map(response.headers()).is_some_and(|s| s.code() == Code::OutOfRange);
        if !is_too_large {
            return response;
        }
        Status::from(Failure::RequestTooLarge {
            limit: self.max_request_bytes,
        })
        .into_http()
    }
}

#[cfg(test)]
mod tests;
