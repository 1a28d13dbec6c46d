//! The byte stream below a WebSocket: it can be killed, it ends when a reader stalls, it tells its transport which
//! frames the kernel took, it puts `pid` into CONNECT, and it spares the crate event names with escapes.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::{
    connect_packet::ConnectFrames, event_names::FrameNames, frames::FrameScanner, transport::Transport,
};

/// A TCP stream after its upgrade to WebSocket.
pub(crate) struct SocketStream {
    tcp: TcpStream,
    /// What was read beyond the upgrade request.
    ahead: Bytes,
    transport: Arc<Transport>,
    killed: Pin<Box<WaitForCancellationFutureOwned>>,
    frames: FrameScanner,
    names: FrameNames,
    /// Tried in place of polling, and not taken yet.
    probing: bool,
    write_stall: Duration,
    /// Holds what leaves until CONNECT did, and then what the kernel did not take of that.
    connect: Option<ConnectFrames>,
    held: BytesMut,
    /// Runs while the kernel takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl SocketStream {
    /// The stream of a transport; `probing`: it began with polling.
    pub(crate) fn new(
        tcp: TcpStream,
        ahead: Bytes,
        transport: Arc<Transport>,
        write_stall: Duration,
        probing: bool,
    ) -> Self {
        let killed = Box::pin(transport.killed().clone().cancelled_owned());
        let connect = (!transport.is_connected()).then(ConnectFrames::default);
        Self {
            tcp,
            ahead,
            transport,
            killed,
            frames: FrameScanner::default(),
            names: FrameNames::default(),
            probing,
            write_stall,
            connect,
            held: BytesMut::new(),
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

impl Drop for SocketStream {
    fn drop(&mut self) {
        if self.probing {
            self.transport.upgrade_failed();
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
        if self.probing && self.names.has_upgraded() {
            self.probing = false;
            self.transport.upgraded();
        }
        Poll::Ready(Ok(()))
    }
}

impl SocketStream {
    /// Hands bytes to the kernel, and gives up where it takes none for too long.
    fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // Reads register the waker that a kill wakes; a write only looks.
        if self.transport.killed().is_cancelled() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        match Pin::new(&mut self.tcp).poll_write(cx, bytes) {
            Poll::Ready(Ok(written)) => {
                self.stalled = None;
                let events = self.frames.scan(&bytes[..written]);
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

    /// Hands to the kernel what is held.
    fn poll_send_held(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let mut held = self.held.split();
            let sent = self.poll_send(cx, &held);
            if let Poll::Ready(Ok(written)) = sent {
                held.advance(written);
            }
            self.held = held;
            ready!(sent)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what leaves before CONNECT did. Frames that come before it are small and few: OPEN, and pings.
    fn hold(&mut self, bytes: &[u8]) {
        let Some(frames) = &mut self.connect else { return };
        let (whole, is_connect) = frames.take(bytes, self.transport.pending_pid().unwrap_or_default());
        self.held.extend_from_slice(&whole);
        if is_connect || self.transport.is_connected() {
            self.transport.connected();
            self.held.extend_from_slice(&frames.rest());
            self.connect = None;
        }
    }
}

impl AsyncWrite for SocketStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_send_held(cx))?;
        if self.connect.is_none() {
            return self.poll_send(cx, buf);
        }
        self.hold(buf);
        // What the kernel does not take at once is sent by the next write, or the flush that follows each.
        if let Poll::Ready(sent) = self.poll_send_held(cx) {
            sent?;
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send_held(cx))?;
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send_held(cx))?;
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
