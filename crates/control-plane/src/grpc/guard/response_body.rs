//! The answer's body: it is ended from our side where it has to be, and the call's code is counted when it ends.

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
    End,
    method::{Kind, Method},
};
use crate::metrics::Metrics;

/// Counts one call when it is dropped: with the code that it ended with, or as cancelled by its caller.
#[derive(Debug)]
pub(super) struct Record {
    method: Method,
    started: Instant,
    code: Code,
    metrics: Metrics,
}

impl Record {
    pub(super) fn new(method: Method, metrics: Metrics) -> Self {
        Self {
            method,
            started: Instant::now(),
            code: Code::Cancelled,
            metrics,
        }
    }

    /// The answer of a call that failed before its method saw it.
    pub(super) fn failed(mut self, failure: Failure) -> Response<Body> {
        let status = Status::from(failure);
        self.code = status.code();
        status.into_http()
    }

    fn saw(&mut self, headers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(headers) {
            self.code = status.code();
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.metrics.call(self.method.name, self.code);
        if self.method.kind == Kind::Unary {
            self.metrics.call_took(self.method.name, self.started.elapsed());
        }
    }
}

/// A body that ends when `end` says so, with that failure's status.
pub(super) struct Ended {
    /// `None` once it was ended from our side.
    inner: Option<Body>,
    end: End,
    record: Record,
}

impl Ended {
    /// The body of a response with these headers, which hold the status already where there is no body.
    pub(super) fn new(headers: &HeaderMap, inner: Body, end: End, mut record: Record) -> Self {
        record.saw(headers);
        Self {
            inner: Some(inner),
            end,
            record,
        }
    }
}

impl HttpBody for Ended {
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
        // First, since a stream that always has something to say has to end too.
        if let Poll::Ready(failure) = this.end.as_mut().poll(cx) {
            this.inner = None;
            let status = Status::from(failure);
            this.record.code = status.code();
            let mut trailers = HeaderMap::new();
            // It only fails on a text that is no header, and ours are.
            let _ = status.add_header(&mut trailers);
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        let frame = std::task::ready!(Pin::new(inner).poll_frame(cx));
        if let Some(trailers) = frame
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.trailers_ref())
        {
            this.record.saw(trailers);
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
