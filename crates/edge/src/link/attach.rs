//! Attaches to a control plane, and to another when that one is gone.

use std::{sync::Arc, time::Duration};

use roomcast_proto::{
    link::{FromEdge, ToEdge},
    v1::{AttachRequest, AttachResponse, edge_service_client::EdgeServiceClient},
};
use roomcast_runtime::{admin::Gate, backoff::Backoff, lifecycle::Shutdown};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, interval, timeout},
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
const BACKOFF_BASE: Duration = Duration::from_millis(100);
const BACKOFF_CAP: Duration = Duration::from_secs(2);
/// Requests on their way to the control plane at most; beyond it they wait in the link's own queue.
const IN_FLIGHT: usize = 256;

/// What the link's task needs.
pub(crate) struct Attacher {
    pub(crate) control_planes: Vec<http::Uri>,
    pub(crate) dialer: Dialer,
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
    #[error("the edge is ending")]
    Edge,
}

/// Keeps the edge attached until the process drains and then until the task is dropped: sockets that are still
/// there are fed to the end.
pub(crate) async fn keep_attached(mut it: Attacher, shutdown: Shutdown) {
    let mut backoff = Backoff::new(BACKOFF_BASE, BACKOFF_CAP);
    let mut generation = Generation::default();
    // Edges that start together spread over the control planes.
    let mut next = rand::random_range(0..it.control_planes.len());
    loop {
        let address = it.control_planes[next % it.control_planes.len()].clone();
        generation.0 += 1;
        let (ended, was_attached) = it.attach(&address, generation, &mut backoff).await;
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
        next += 1;
        // Straight on to another one; only after each was tried does the edge wait.
        if !was_attached && backoff.attempts() as usize + 1 >= it.control_planes.len()
            || it.control_planes.len() == 1
        {
            tokio::time::sleep(backoff.next(rand::random::<f64>)).await;
        } else {
            backoff.next(|| 0.0);
        }
    }
}

impl Attacher {
    /// Attaches and serves the link until it ends. Says why, and whether it was attached.
    async fn attach(
        &mut self,
        address: &http::Uri,
        generation: Generation,
        backoff: &mut Backoff,
    ) -> (Ended, bool) {
        let (plane, sender, stream) = match self.open(address).await {
            Ok(open) => open,
            Err(ended) => return (ended, false),
        };
        backoff.reset();
        info!(address = %address, "attached to a control plane");
        self.plane.send_replace(Some(plane));
        self.metrics.attached.set(1);
        self.metrics.attachments.inc();
        self.gate.open();
        let Err(ended) = self.serve(generation, &sender, stream).await;
        (ended, true)
    }

    async fn open(
        &self,
        address: &http::Uri,
    ) -> Result<(Plane, mpsc::Sender<AttachRequest>, Streaming<AttachResponse>), Ended> {
        let plane = self.dialer.dial(address).await?;
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
                ToEdge::Welcome { .. } => Ok(stream),
                ToEdge::GoAway => Err(Ended::GoAway),
                ToEdge::Snapshot { .. }
                | ToEdge::Entries { .. }
                | ToEdge::Gone { .. }
                | ToEdge::Pong { .. } => Err(Ended::Invalid(roomcast_proto::Invalid::one(
                    "item",
                    "the first one must be welcome",
                ))),
            }
        };
        let stream = timeout(ATTACH_TIMEOUT, attached)
            .await
            .map_err(|_| Ended::Silent)??;
        Ok((plane, sender, stream))
    }

    async fn serve(
        &mut self,
        generation: Generation,
        sender: &mpsc::Sender<AttachRequest>,
        mut stream: Streaming<AttachResponse>,
    ) -> Result<std::convert::Infallible, Ended> {
        self.feed(Fed::Attached(generation)).await?;
        let (mut pings, mut nonce, mut heard) = (interval(PING_INTERVAL), 0, Instant::now());
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
                        ToEdge::Gone { room } => self.feed(Fed::Gone(room)).await?,
                        ToEdge::GoAway => return Err(Ended::GoAway),
                        ToEdge::Pong { .. } | ToEdge::Welcome { .. } => {}
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
                Some((asked_on, request)) = self.requests.recv(), if sender.capacity() > 0 => {
                    if asked_on == generation {
                        sender.try_send(request.into()).map_err(|_| Ended::Closed)?;
                    }
                }
            }
        }
    }

    async fn feed(&self, fed: Fed) -> Result<(), Ended> {
        self.fed.send(fed).await.map_err(|_| Ended::Edge)
    }
}
