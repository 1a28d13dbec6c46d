//! A TCP proxy between two processes, which can hold up all data or connect to another target.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

/// A proxy in front of one address.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    /// The target of new connections, and a number whose change ends the open ones.
    target: watch::Sender<(SocketAddr, u64)>,
    cut: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy that forwards everything.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let (target, targets) = watch::channel((target, 0));
        let (cut, cuts) = watch::channel(false);
        let task = tokio::spawn(serve(listener, targets, cuts));
        Self {
            addr,
            target,
            cut,
            task,
        }
    }

    /// The address on which it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Holds up all data in both directions and closes nothing, as a cut cable does.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Forwards again, first the data that was held up.
    pub fn restore(&self) {
        self.cut.send_replace(false);
    }

    /// Ends every connection, and connects new ones to this target.
    pub fn redirect(&self, target: SocketAddr) {
        self.target.send_modify(|it| *it = (target, it.1 + 1));
    }

    /// Connects new connections to this target; open ones stay.
    pub fn redirect_new(&self, target: SocketAddr) {
        self.target.send_modify(|it| it.0 = target);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    listener: TcpListener,
    targets: watch::Receiver<(SocketAddr, u64)>,
    cuts: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    while let Ok((from, _)) = listener.accept().await {
        connections.spawn(pass(from, targets.clone(), cuts.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn pass(
    from: TcpStream,
    mut targets: watch::Receiver<(SocketAddr, u64)>,
    mut cuts: watch::Receiver<bool>,
) {
    if cuts.wait_for(|cut| !cut).await.is_err() {
        return;
    }
    let (target, number) = *targets.borrow_and_update();
    let Ok(to) = TcpStream::connect(target).await else {
        return;
    };
    let _ = (from.set_nodelay(true), to.set_nodelay(true)); // only latency depends on it
    let ((from_read, from_write), (to_read, to_write)) = (from.into_split(), to.into_split());
    tokio::select! {
        () = async { tokio::join!(copy(from_read, to_write, cuts.clone()), copy(to_read, from_write, cuts.clone())); } => {}
        _ = targets.wait_for(|(_, now)| *now != number) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut cuts: watch::Receiver<bool>) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        // Data that was read before the cut is held up, too.
        let read = from.read(&mut bytes).await;
        if cuts.wait_for(|cut| !cut).await.is_err() {
            return;
        }
        match read {
            Ok(n) if n > 0 => {
                if to.write_all(&bytes[..n]).await.is_err() {
                    return;
                }
            }
            Ok(_) | Err(_) => {
                let _ = to.shutdown().await; // the other side may be closed already
                return;
            }
        }
    }
}
