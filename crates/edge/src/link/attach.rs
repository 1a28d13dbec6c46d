//! Attaches to a control plane, to another when that one is gone, and now and then to one that has less to do.

use std::{sync::Arc, time::Duration};

use roomcast_proto::{
    link::{FromEdge, Load, ToEdge},
    v1::{AttachRequest, AttachResponse, edge_service_client::EdgeServiceClient},
};
use roomcast_runtime::{admin::Gate, backoff::Backoff, lifecycle::Shutdown};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinSet,
    time::{Instant, interval, sleep_until, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tracing::{debug, info, warn};

use super::{Dialer, Generation, Plane};
use crate::{metrics::Metrics, switch::Fed};

/// How often the edge asks whether the control plane is still there.
const PING_INTERVAL: Duration = Duration::from_millis(500);
/// A control plane that said nothing for this long is gone.
const SILENCE: Duration = Duration::from_secs(2);
/// How long an attachment may take.
const ATTACH_TIMEOUT: Duration = Duration::from_secs(2);
/// A longer interval between looks at other control planes would be none.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);
const BACKOFF_BASE: Duration = Duration::from_millis(100);
const BACKOFF_CAP: Duration = Duration::from_secs(2);
/// Requests on their way to the control plane at most; beyond it they wait in the link's own queue.
const IN_FLIGHT: usize = 256;

/// What the link's task needs.
pub(crate) struct Attacher {
    pub(crate) opener: Arc<Opener>,
    /// How often the edge looks whether another control plane has fewer edges, on average.
    pub(crate) rebalance: Duration,
    pub(crate) requests: mpsc::Receiver<(Generation, FromEdge)>,
    pub(crate) fed: mpsc::Sender<Fed>,
    pub(crate) plane: watch::Sender<Option<Plane>>,
    pub(crate) renew: Arc<Notify>,
    pub(crate) gate: Gate,
    pub(crate) metrics: Metrics,
}

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Dial(#[from] super::dial::DialError),
    #[error("the control plane ended it: {}: {}", .0.code(), .0.message())]
    Refused(#[from] tonic::Status),
    #[error("the control plane ended it")]
    Closed,
    #[error("the control plane did not answer in time")]
    Silent,
    #[error("the control plane is going away")]
    GoAway,
    #[error("the control plane sent something that can't be read: {0}")]
    Invalid(#[from] roomcast_proto::Invalid),
    #[error("more interests waited than the link takes")]
    Overrun,
    #[error("another control plane has less to do")]
    Moved(Box<Open>),
    #[error("the edge is ending")]
    Edge,
}

/// A link that is open and not used yet.
#[derive(Debug)]
struct Open {
    /// Which of the configured addresses it leads to.
    which: usize,
    control_plane: String,
    load: Load,
    plane: Plane,
    sender: mpsc::Sender<AttachRequest>,
    stream: Streaming<AttachResponse>,
}

/// Keeps the edge attached until the process drains and then until the task is dropped: sockets that are still
/// there are fed to the end.
pub(crate) async fn keep_attached(mut it: Attacher, shutdown: Shutdown) {
    let mut backoff = Backoff::new(BACKOFF_BASE, BACKOFF_CAP);
    let mut generation = Generation::default();
    let addresses = it.opener.control_planes.len();
    // Edges that start together spread over the control planes.
    let mut next = rand::random_range(0..addresses);
    let mut moved = None;
    loop {
        generation.0 += 1;
        let opened = match moved.take() {
            Some(open) => Ok(open),
            None => it.opener.open(next).await,
        };
        let (ended, was_attached) = match opened {
            Ok(open) => {
                backoff.reset();
                next = open.which;
                let Err(ended) = it.serve(generation, open).await;
                (ended, true)
            }
            Err(ended) => (ended, false),
        };
        let address = &it.opener.control_planes[next];
        if let Ended::Moved(open) = ended {
            let to = &it.opener.control_planes[open.which];
            info!(from = %address, %to, "going to a control plane that has less to do, or that reaches the store");
            moved = Some(*open);
            continue;
        }
        it.plane.send_replace(None);
        it.metrics.attached.set(0);
        if shutdown.is_draining() && !was_attached {
            debug!(address = %address, reason = %ended, "not attached while draining");
        } else {
            warn!(address = %address, reason = %ended, "no link to a control plane; attaching anew");
        }
        it.gate.close(&ended.to_string());
        if matches!(ended, Ended::Edge) {
            return;
        }
        next = (next + 1) % addresses;
        // Straight on to another one; only after each was tried does the edge wait.
        if !was_attached && backoff.attempts() as usize + 1 >= addresses || addresses == 1 {
            tokio::time::sleep(backoff.next(rand::random::<f64>)).await;
        } else {
            backoff.next(|| 0.0);
        }
    }
}

/// Opens links.
pub(crate) struct Opener {
    pub(crate) control_planes: Vec<http::Uri>,
    pub(crate) dialer: Dialer,
}

impl Opener {
    async fn open(&self, which: usize) -> Result<Open, Ended> {
        let plane = self.dialer.dial(&self.control_planes[which]).await?;
        let (sender, requests) = mpsc::channel(IN_FLIGHT);
        let edge = format!("{:08x}", std::process::id() ^ rand::random::<u32>());
        let hello = FromEdge::Hello {
            edge,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        sender.send(hello.into()).await.map_err(|_| Ended::Closed)?;
        let mut client = EdgeServiceClient::new(plane.clone()).max_decoding_message_size(usize::MAX);
        let attached = async {
            let mut stream = client.attach(ReceiverStream::new(requests)).await?.into_inner();
            let first = stream.message().await?.ok_or(Ended::Closed)?;
            match ToEdge::try_from(first)? {
                ToEdge::Welcome {
                    control_plane, load, ..
                } => Ok((stream, control_plane, load)),
                ToEdge::GoAway => Err(Ended::GoAway),
                ToEdge::Snapshot { .. }
                | ToEdge::Entries { .. }
                | ToEdge::SessionNotFound { .. }
                | ToEdge::Pong { .. } => Err(Ended::Invalid(roomcast_proto::Invalid::one(
                    "item",
                    "the first one must be welcome",
                ))),
            }
        };
        let (stream, control_plane, load) = timeout(ATTACH_TIMEOUT, attached)
            .await
            .map_err(|_| Ended::Silent)??;
        Ok(Open {
            which,
            control_plane,
            load,
            plane,
            sender,
            stream,
        })
    }

    /// A link to a control plane, by chance, that has less to do than this one, also with this edge, or that reaches the
    /// store where this one does not.
    async fn better(self: Arc<Self>, than: String, load: Load) -> Option<Open> {
        let open = self
            .open(rand::random_range(0..self.control_planes.len()))
            .await
            .ok()?;
        (open.control_plane != than && open.load < load).then_some(open)
    }
}

impl Attacher {
    /// Serves a link until it ends. Says why.
    async fn serve(&mut self, generation: Generation, open: Open) -> Result<std::convert::Infallible, Ended> {
        let Open {
            which,
            control_plane,
            mut load,
            plane,
            sender,
            mut stream,
        } = open;
        info!(address = %self.opener.control_planes[which], "attached to a control plane");
        self.plane.send_replace(Some(plane));
        self.metrics.attached.set(1);
        self.metrics.attachments.inc();
        self.gate.open();
        self.feed(Fed::Attached(generation)).await?;
        let (mut pings, mut nonce, mut heard) = (interval(PING_INTERVAL), 0, Instant::now());
        // At most one search at a time.
        let (mut search, mut searches) = (JoinSet::new(), Instant::now() + self.pause());
        loop {
            tokio::select! {
                // The feed before everything: it shows that the control plane lives.
                biased;
                item = stream.message() => {
                    heard = Instant::now();
                    let item = ToEdge::try_from(item?.ok_or(Ended::Closed)?)?;
                    match item {
                        ToEdge::Snapshot { room, snapshot, reset: false } => self.feed(Fed::Snapshot(room, snapshot)).await?,
                        ToEdge::Snapshot { room, snapshot, reset: true } => self.feed(Fed::Reset(room, snapshot)).await?,
                        ToEdge::Entries { room, entries } => self.feed(Fed::Entries(room, entries)).await?,
                        ToEdge::SessionNotFound { room } => self.feed(Fed::SessionNotFound(room)).await?,
                        ToEdge::GoAway => return Err(Ended::GoAway),
                        ToEdge::Pong { load: told, .. } => {
                            load = told;
                            if load.store_unreachable {
                                searches = searches.min(Instant::now() + PING_INTERVAL);
                            }
                        }
                        ToEdge::Welcome { .. } => {}
                    }
                }
                _ = pings.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Err(Ended::Silent);
                    }
                    nonce += 1;
                    // A full stream will be found silent.
                    let _ = sender.try_send(FromEdge::Ping { nonce }.into());
                }
                () = self.renew.notified() => return Err(Ended::Overrun),
                Some(found) = search.join_next() => if let Ok(Some(open)) = found {
                    return Err(Ended::Moved(Box::new(open)));
                },
                () = sleep_until(searches), if search.is_empty() => {
                    searches = Instant::now() + self.pause();
                    // An edge that is alone where it is moves nothing by moving.
                    if load.store_unreachable || load.edges > 1 {
                        search.spawn(self.opener.clone().better(control_plane.clone(), load));
                    }
                }
                // The last place is for pings: an edge that asks for many rooms is not silent.
                Some((asked_on, request)) = self.requests.recv(), if sender.capacity() > 1 => {
                    if asked_on == generation {
                        sender.try_send(request.into()).map_err(|_| Ended::Closed)?;
                    }
                }
            }
        }
    }

    /// Half to one and a half of the interval, so that edges do not move together.
    fn pause(&self) -> Duration {
        self.rebalance
            .min(LONGEST_PAUSE)
            .mul_f64(0.5 + rand::random::<f64>())
    }

    async fn feed(&self, fed: Fed) -> Result<(), Ended> {
        self.fed.send(fed).await.map_err(|_| Ended::Edge)
    }
}
