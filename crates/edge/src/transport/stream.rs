//! The byte stream that socketioxide gets for a WebSocket. What socketioxide writes enters the wire's queue as complete
//! frames, with a `pid` in CONNECT. In what it reads, escapes in event names are replaced. Reads fail once the transport is
//! killed.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, tcp::OwnedReadHalf},
};

use super::Transport;
use crate::{direct::frame_splitter::FrameSplitter, packet::event_name::FrameRewriter};

/// A TCP stream after its upgrade to WebSocket. In a box, because socketioxide moves it often.
pub(crate) struct SocketStream(Box<Inner>);

struct Inner {
    tcp: OwnedReadHalf,
    /// Bytes that were read after the upgrade request.
    read_ahead: Bytes,
    transport: Arc<Transport>,
    rewriter: FrameRewriter,
    /// Whether the WebSocket is to replace polling, and the browser has not completed the upgrade yet.
    is_upgrading: bool,
    splitter: FrameSplitter,
}

impl SocketStream {
    /// The stream of a transport. `greeting` is written before everything else. `is_upgrading`: whether the transport
    /// began as polling.
    pub(crate) fn new(
        tcp: TcpStream,
        read_ahead: Bytes,
        greeting: Bytes,
        transport: Arc<Transport>,
        is_upgrading: bool,
    ) -> Self {
        let (tcp, write_half) = tcp.into_split();
        transport.attach(write_half, greeting);
        Self(Box::new(Inner {
            tcp,
            read_ahead,
            transport,
            rewriter: FrameRewriter::default(),
            is_upgrading,
            splitter: FrameSplitter::default(),
        }))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.transport.close_wire();
        if self.is_upgrading {
            self.transport.fail_upgrade();
        }
    }
}

impl AsyncRead for SocketStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let inner = &mut *self.0;
        if inner.transport.is_killed() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buf.filled().len();
        if inner.read_ahead.has_remaining() {
            let length = inner.read_ahead.len().min(buf.remaining());
            buf.put_slice(&inner.read_ahead.split_to(length));
        } else {
            ready!(Pin::new(&mut inner.tcp).poll_read(cx, buf))?;
        }
        inner.rewriter.rewrite(&mut buf.filled_mut()[before..]);
        if inner.is_upgrading && inner.rewriter.has_upgraded() {
            inner.is_upgrading = false;
            inner.transport.complete_upgrade();
        }
        Poll::Ready(Ok(()))
    }
}

/// Accepts a whole buffer, once the wire has space.
impl AsyncWrite for SocketStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Inner {
            splitter, transport, ..
        } = &mut *self.0;
        ready!(transport.poll_ready(cx));
        if let Err(error) = splitter.split(buf, |frame| transport.enqueue(&frame)) {
            // socketioxide treats the error as one lost packet and would continue with the next one.
            transport.kill();
            return Poll::Ready(Err(error));
        }
        transport.request_flush();
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
