//! The body of a guarded response: it ends when the guard ends the call, and the call's code is counted when it is
//! dropped.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use roomcast_proto::Failure;
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};

use super::{
    call_end::CallEnd,
    method::{CallKind, Method},
};
use crate::metrics::Metrics;

/// Counts one call when it is dropped, with the code with which the call ended. A call that is dropped without a status
/// was cancelled by its caller.
#[derive(Debug)]
pub(super) struct CallRecord {
    method: Method,
    started: Instant,
    code: Code,
    metrics: Metrics,
}

impl CallRecord {
    pub(super) fn new(method: Method, metrics: Metrics) -> Self {
        Self {
            method,
            started: Instant::now(),
            code: Code::Cancelled,
            metrics,
        }
    }

    /// The response of a call that failed before its method returned a response.
    pub(super) fn failed(mut self, failure: Failure) -> Response<Body> {
        let status = Status::from(failure);
        self.code = status.code();
        status.into_http()
    }

    /// Takes the call's code from headers or trailers, if they contain a status.
    fn read_code(&mut self, headers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(headers) {
            self.code = status.code();
        }
    }
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        self.metrics.call_ended(self.method.name, self.code);
        if self.method.kind == CallKind::Unary {
            self.metrics
                .call_duration(self.method.name, self.started.elapsed());
        }
    }
}

/// A body that is ended by `end`, with that failure's status.
pub(super) struct GuardedBody {
    /// `None` after `end` has ended the body.
    inner: Option<Body>,
    end: CallEnd,
    record: CallRecord,
}

impl GuardedBody {
    /// `headers` are the response's; they already contain the status if there is no body.
    pub(super) fn new(headers: &HeaderMap, inner: Body, end: CallEnd, mut record: CallRecord) -> Self {
        record.read_code(headers);
        Self {
            inner: Some(inner),
            end,
            record,
        }
    }
}

impl HttpBody for GuardedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        // Polled first, so that a stream that always has a frame ready ends too.
        if let Poll::Ready(failure) = this.end.as_mut().poll(cx) {
            this.inner = None;
            let status = Status::from(failure);
            this.record.code = status.code();
            let mut trailers = HeaderMap::new();
            let _ = status.add_header(&mut trailers); // fails only for texts that are not valid in a header
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        let frame = std::task::ready!(Pin::new(inner).poll_frame(cx));
        if let Some(trailers) = frame
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.trailers_ref())
        {
            this.record.read_code(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}
