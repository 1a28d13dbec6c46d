//! The byte stream that the crate gets of a WebSocket: what it writes goes into the wire's queue as whole frames, with
//! `pid` put into CONNECT; what it reads is spared event names with escapes. It ends when its transport is killed.

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
use crate::{direct::frame_splitter::Cutter, packet::event_name::FrameNames};

/// A TCP stream after its upgrade to WebSocket. The crate moves it about a lot, so it is small.
pub(crate) struct SocketStream(Box<Inner>);

struct Inner {
    tcp: OwnedReadHalf,
    /// What was read beyond the upgrade request.
    ahead: Bytes,
    transport: Arc<Transport>,
    names: FrameNames,
    /// Tried in place of polling, and not taken yet.
    probing: bool,
    cutter: Cutter,
}

impl SocketStream {
    /// The stream of a transport. `greeting`: what has to leave before everything else; `probing`: it began with polling.
    pub(crate) fn new(
        tcp: TcpStream,
        ahead: Bytes,
        greeting: Bytes,
        transport: Arc<Transport>,
        probing: bool,
    ) -> Self {
        let (tcp, writes) = tcp.into_split();
        transport.attach(writes, greeting);
        Self(Box::new(Inner {
            tcp,
            ahead,
            transport,
            names: FrameNames::default(),
            probing,
            cutter: Cutter::default(),
        }))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.transport.stream_ended();
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
        let inner = &mut *self.0;
        if inner.transport.is_killed() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buf.filled().len();
        if inner.ahead.has_remaining() {
            let take = inner.ahead.len().min(buf.remaining());
            buf.put_slice(&inner.ahead.split_to(take));
        } else {
            ready!(Pin::new(&mut inner.tcp).poll_read(cx, buf))?;
        }
        inner.names.rewrite(&mut buf.filled_mut()[before..]);
        if inner.probing && inner.names.has_upgraded() {
            inner.probing = false;
            inner.transport.upgraded();
        }
        Poll::Ready(Ok(()))
    }
}

/// Takes all that it is given, once the wire has room.
impl AsyncWrite for SocketStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Inner {
            cutter, transport, ..
        } = &mut *self.0;
        ready!(transport.poll_room(cx));
        if let Err(error) = cutter.take(buf, |cut| transport.enter(&cut)) {
            // The crate takes this for a lost packet, and would go on with the next.
            transport.kill();
            return Poll::Ready(Err(error));
        }
        transport.list();
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
