//! What every call goes through, whatever its method: token, deadline, drain, size, metrics.
//!
//! It never looks into a request.

mod body;
mod deadline;

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use roomcast_auth::TokenError;
use roomcast_proto::{Failure, TokenFault};
use roomcast_runtime::lifecycle::Shutdown;
use tokio::time::{Instant, sleep, sleep_until};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{info, warn};

use self::body::{Ended, Record};
use crate::{
    config::{ApiTokens, COMMANDS_GRACE, STREAM_GRACE, UNARY_DEADLINE},
    method::{Kind, Method},
    metrics::Metrics,
};

/// What ends a call from our side; it never ends otherwise.
type End = Pin<Box<dyn Future<Output = Failure> + Send>>;

/// The layer around every service.
#[derive(Debug, Clone)]
pub(crate) struct Calls(pub(crate) Arc<Rules>);

/// What holds for all calls.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) tokens: Option<ApiTokens>,
    pub(crate) max_request_bytes: usize,
    pub(crate) drain_grace: Duration,
    pub(crate) shutdown: Shutdown,
    pub(crate) metrics: Metrics,
}

impl<S> Layer<S> for Calls {
    type Service = Guarded<S>;
    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            rules: self.0.clone(),
            inner,
        }
    }
}

/// A service behind the rules.
#[derive(Debug, Clone)]
pub(crate) struct Guarded<S> {
    rules: Arc<Rules>,
    inner: S,
}

impl<S> Service<Request<Body>> for Guarded<S>
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
        // Taken before tonic's own timer starts: that one would end the call as CANCELLED.
        let now = Instant::now();
        // The clone that was polled ready takes the call.
        let fresh = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, fresh);
        let rules = self.rules.clone();
        Box::pin(async move {
            let method = Method::of(request.uri().path());
            let record = Record::new(method, rules.metrics.clone());
            let mut end = match rules.admit(method, request.headers(), now).await {
                Ok(end) => end,
                Err(failure) => return Ok(record.failed(failure)),
            };
            tokio::select! {
                biased; // an answer that is ready wins over a deadline
                response = ready.call(request) => {
                    let (head, body) = rules.corrected(response?).into_parts();
                    let body = Ended::new(&head.headers, body, end, record);
                    Ok(Response::from_parts(head, Body::new(body)))
                }
                failure = &mut end => Ok(record.failed(failure)),
            }
        })
    }
}

impl Rules {
    /// Checks the token, and tells what will end the call.
    async fn admit(&self, method: Method, headers: &HeaderMap, now: Instant) -> Result<End, Failure> {
        let asked = deadline::of(headers)?;
        let allowed = (method.kind == Kind::Unary).then_some(UNARY_DEADLINE);
        let deadline = asked.into_iter().chain(allowed).min().map(|time| now + time);
        let token_ends = match &self.tokens {
            Some(tokens) if !method.open => {
                tokio::select! {
                    biased;
                    left = token(tokens, headers) => Some(now + left?),
                    () = until(deadline) => return Err(Failure::DeadlineExceeded),
                }
            }
            Some(_) | None => None,
        };
        let shutdown = self.shutdown.clone();
        let grace = match method.kind {
            Kind::Unary => None,
            Kind::Stream => Some(STREAM_GRACE),
            Kind::Commands => Some(COMMANDS_GRACE),
            Kind::Link => Some(self.drain_grace),
        };
        Ok(Box::pin(async move {
            let drained = async {
                match grace {
                    None => std::future::pending().await,
                    Some(grace) => {
                        shutdown.draining().await;
                        sleep(grace).await;
                    }
                }
            };
            tokio::select! {
                biased; // a caller's own deadline explains more than ours
                () = until(deadline) => Failure::DeadlineExceeded,
                () = until(token_ends) => Failure::Token(TokenFault::Expired),
                () = drained => Failure::Draining,
            }
        }))
    }

    /// tonic calls a request that is too large OUT_OF_RANGE, which no method of ours answers.
    fn corrected(&self, response: Response<Body>) -> Response<Body> {
        let too_large =
            Status::from_header_map(response.headers()).is_some_and(|s| s.code() == Code::OutOfRange);
        if !too_large {
            return response;
        }
        Status::from(Failure::RequestTooLarge {
            limit: self.max_request_bytes,
        })
        .into_http()
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// How long the call's token is still good.
async fn token(tokens: &ApiTokens, headers: &HeaderMap) -> Result<Duration, Failure> {
    let value = headers
        .get(AUTHORIZATION)
        .ok_or(Failure::Token(TokenFault::Missing))?;
    let token = value
        .to_str()
        .ok()
        .and_then(roomcast_auth::bearer)
        .ok_or(Failure::Token(TokenFault::Invalid))?;
    match tokens.verifier.verify(token).await {
        Ok(identity) => {
            let left = identity.expires_at.saturating_sub(tokens.clock.now());
            // Longer than any process lives, and short enough for the timer.
            Ok(Duration::from_secs(
                u64::try_from(left).unwrap_or(0).min(366 * 24 * 3600),
            ))
        }
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: TokenError) -> Failure {
    match error {
        TokenError::KeysUnavailable => {
            warn!(%error, "could not check a service token");
            Failure::KeysUnavailable
        }
        TokenError::Missing => Failure::Token(TokenFault::Missing),
        TokenError::Expired => Failure::Token(TokenFault::Expired),
        TokenError::Invalid(reason) => {
            info!(%reason, "refused a service token");
            Failure::Token(TokenFault::Invalid)
        }
    }
}

#[cfg(test)]
mod tests;
