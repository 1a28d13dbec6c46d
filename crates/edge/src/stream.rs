//! The byte stream below a WebSocket: it can be killed, it ends when a reader stalls, it tells its transport which
//! frames the kernel took, and it spares the crate event names with escapes.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::{event_names::FrameNames, frames::FrameScanner, transport::Transport};

/// A TCP stream after its upgrade to WebSocket.
pub(crate) struct SocketStream {
    tcp: TcpStream,
    /// What was read beyond the upgrade request.
    ahead: Bytes,
    transport: Arc<Transport>,
    killed: Pin<Box<WaitForCancellationFutureOwned>>,
    frames: FrameScanner,
    names: FrameNames,
    write_stall: Duration,
    /// Runs while the kernel takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl SocketStream {
    pub(crate) fn new(
        tcp: TcpStream,
        ahead: Bytes,
        transport: Arc<Transport>,
        write_stall: Duration,
    ) -> Self {
        let killed = Box::pin(transport.killed().clone().cancelled_owned());
        Self {
            tcp,
            ahead,
            transport,
            killed,
            frames: FrameScanner::default(),
            names: FrameNames::default(),
            write_stall,
            stalled: None,
        }
    }

    fn check_killed(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.killed.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for SocketStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_killed(cx)?;
        let before = buf.filled().len();
        let Self {
            ahead, tcp, names, ..
        } = &mut *self;
        if ahead.has_remaining() {
            let take = ahead.len().min(buf.remaining());
            buf.put_slice(&ahead.split_to(take));
        } else {
            ready!(Pin::new(tcp).poll_read(cx, buf))?;
        }
        names.rewrite(&mut buf.filled_mut()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SocketStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        // Reads register the waker that a kill wakes; a write only looks.
        if self.transport.killed().is_cancelled() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        match Pin::new(&mut self.tcp).poll_write(cx, buf) {
            Poll::Ready(Ok(written)) => {
                self.stalled = None;
                let events = self.frames.scan(&buf[..written]);
                self.transport.took(events);
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let write_stall = self.write_stall;
                let stalled = self
                    .stalled
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(write_stall)));
                ready!(stalled.as_mut().poll(cx));
                self.transport.kill();
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
