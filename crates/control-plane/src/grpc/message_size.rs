//! `SessionService` twice, since a batch may be larger than a request and tonic's cap holds for a whole service.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use http::{Request, Response};
use roomcast_proto::v1::session_service_server::{self, SessionServiceServer};
use tonic::{body::Body, server::NamedService};
use tower::Service;

use crate::backends::Sessions;

/// What the service is made of.
pub(crate) struct BySize {
    pub(crate) sessions: Sessions,
    /// The largest request, in bytes.
    pub(crate) request_bytes: usize,
    /// The largest batch, in bytes.
    pub(crate) batch_bytes: usize,
}

impl BySize {
    pub(crate) fn service(self) -> Sized {
        let Self {
            sessions,
            request_bytes,
            batch_bytes,
        } = self;
        Sized {
            batches: SessionServiceServer::new(sessions.clone()).max_decoding_message_size(batch_bytes),
            requests: SessionServiceServer::new(sessions).max_decoding_message_size(request_bytes),
        }
    }
}

/// The service, with a cap for each size.
#[derive(Clone)]
pub(crate) struct Sized {
    requests: SessionServiceServer<Sessions>,
    batches: SessionServiceServer<Sessions>,
}

impl NamedService for Sized {
    const NAME: &'static str = session_service_server::SERVICE_NAME;
}

impl Service<Request<Body>> for Sized {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <SessionServiceServer<Sessions> as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(())) // as both are
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match request.uri().path().ends_with("/StreamCommands") {
            true => self.batches.call(request),
            false => self.requests.call(request),
        }
    }
}
