//! `SessionService` with a size limit for each kind of message: a batch may be larger than a request, but tonic has one
//! limit for a whole service.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use http::{Request, Response};
use roomcast_proto::v1::session_service_server::{self, SessionServiceServer};
use tonic::{body::Body, server::NamedService};
use tower::Service;

use crate::backends::SessionServiceImpl;

/// Two servers of the same service, which differ only in their size limit.
#[derive(Clone)]
pub(crate) struct SizeLimitedSessionService {
    /// Serves `StreamCommands`.
    batches: SessionServiceServer<SessionServiceImpl>,
    /// Serves all other methods.
    requests: SessionServiceServer<SessionServiceImpl>,
}

impl SizeLimitedSessionService {
    pub(crate) fn new(service: SessionServiceImpl, max_request_bytes: usize, max_batch_bytes: usize) -> Self {
        Self {
            batches: SessionServiceServer::new(service.clone()).max_decoding_message_size(max_batch_bytes),
            requests: SessionServiceServer::new(service).max_decoding_message_size(max_request_bytes),
        }
    }
}

impl NamedService for SizeLimitedSessionService {
    const NAME: &'static str = session_service_server::SERVICE_NAME;
}

impl Service<Request<Body>> for SizeLimitedSessionService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <SessionServiceServer<SessionServiceImpl> as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(())) // both servers are always ready
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match request.uri().path().ends_with("/StreamCommands") {
            true => self.batches.call(request),
            false => self.requests.call(request),
        }
    }
}
