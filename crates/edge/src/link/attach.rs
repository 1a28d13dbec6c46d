//! Keeps the edge attached: to another control plane if the current one fails, and from time to time to one that feeds
//! fewer edges.

use std::{sync::Arc, time::Duration};

use roomcast_core::{Backoff, rooms::Input};
use roomcast_proto::link::{FromEdge, Load, ToEdge};
use roomcast_runtime::{admin::Gate, lifecycle::Shutdown};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinSet,
    time::{Instant, interval, sleep_until},
};
use tracing::{debug, info, warn};

use super::{
    ControlPlaneChannel,
    calls::or_log_panic,
    end::LinkEnd,
    open::{OpenLink, Opener},
    outage::Outage,
};
use crate::{
    inbox::{AttachmentId, LinkInput},
    metrics::Metrics,
};

/// How often the edge pings the control plane.
const PING_INTERVAL: Duration = Duration::from_millis(500);
/// A control plane from which the edge receives nothing for this long has failed.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest pause between two searches for a less busy control plane.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);
const BACKOFF_BASE: Duration = Duration::from_millis(100);
const BACKOFF_LIMIT: Duration = Duration::from_secs(2);

/// The task that keeps the edge attached.
pub(crate) struct Attacher {
    pub(super) opener: Arc<Opener>,
    /// How often, on average, the edge looks for a control plane with fewer edges.
    pub(super) rebalance: Duration,
    pub(super) interests: mpsc::Receiver<(AttachmentId, FromEdge)>,
    pub(super) inputs: mpsc::Sender<LinkInput>,
    /// The current control plane, for calls.
    pub(super) channel: watch::Sender<Option<ControlPlaneChannel>>,
    /// Notified when interests were lost, because their queue was full.
    pub(super) overrun: Arc<Notify>,
    /// Open while the edge is attached.
    pub(super) gate: Gate,
    pub(super) metrics: Metrics,
}

impl Attacher {
    /// Keeps the edge attached until the task is dropped, also while the process drains, because the remaining sockets
    /// still receive events.
    pub(crate) async fn run(mut self, shutdown: Shutdown) {
        let mut backoff = Backoff::new(BACKOFF_BASE, BACKOFF_LIMIT);
        let mut attachment = AttachmentId::default();
        let addresses = self.opener.control_planes.len();
        // At random, so that edges that start together spread over the control planes.
        let mut address = rand::random_range(0..addresses);
        let (mut replacement, mut outage) = (None, None);
        loop {
            attachment.0 += 1;
            let opened = match replacement.take() {
                Some(open) => Ok(open),
                None => self.opener.open(address).await,
            };
            let (end, was_attached) = match opened {
                Ok(open) => {
                    backoff.reset();
                    address = open.address;
                    self.log_attached(&open, outage.take());
                    match self.serve(attachment, open).await {
                        Ok(open) => {
                            self.log_move(address, &open);
                            replacement = Some(open);
                            continue;
                        }
                        Err(end) => (end, true),
                    }
                }
                Err(end) => (end, false),
            };
            self.channel.send_replace(None);
            self.metrics.attached.set(0);
            self.gate.close(&end.to_string());
            if matches!(end, LinkEnd::RoomsTaskEnded) {
                return;
            }
            self.log_end(address, &end, was_attached, shutdown.is_draining(), &mut outage);
            address = (address + 1) % addresses;
            // The next control plane is tried at once; the edge waits after it has tried each of them.
            if !was_attached && backoff.attempts() as usize + 1 >= addresses || addresses == 1 {
                tokio::time::sleep(backoff.next(rand::random::<f64>)).await;
            } else {
                backoff.next(|| 0.0);
            }
        }
    }

    /// Serves a link until it ends. Returns the link to another control plane that replaces it, or why it ended.
    async fn serve(&mut self, attachment: AttachmentId, open: OpenLink) -> Result<OpenLink, LinkEnd> {
        let OpenLink {
            control_plane_id,
            mut load,
            channel,
            sender,
            mut stream,
            ..
        } = open;
        self.channel.send_replace(Some(channel));
        self.metrics.attached.set(1);
        self.metrics.attachments.inc();
        self.gate.open();
        self.send(LinkInput::Attached(attachment)).await?;
        let (mut pings, mut nonce, mut last_received) = (interval(PING_INTERVAL), 0, Instant::now());
        // At most one search at a time.
        let (mut search, mut next_search) = (JoinSet::new(), Instant::now() + self.search_pause());
        loop {
            tokio::select! {
                // Messages of the control plane are handled first, because they show that it is alive.
                biased;
                item = stream.message() => {
                    last_received = Instant::now();
                    let item = ToEdge::try_from(item?.ok_or(LinkEnd::Closed)?)?;
                    if let Some(reported) = self.receive(item).await? {
                        load = reported;
                        if load.store_unreachable {
                            next_search = next_search.min(Instant::now() + PING_INTERVAL);
                        }
                    }
                }
                _ = pings.tick() => {
                    if last_received.elapsed() > SILENCE_TIMEOUT {
                        return Err(LinkEnd::Silent);
                    }
                    nonce += 1;
                    let _ = sender.try_send(FromEdge::Ping { nonce }.into()); // A full stream becomes silent.
                }
                () = self.overrun.notified() => return Err(LinkEnd::Overrun),
                Some(found) = search.join_next() => {
                    if let Some(Some(open)) = or_log_panic("find a less busy control plane", found) {
                        return Ok(open);
                    }
                }
                () = sleep_until(next_search), if search.is_empty() => {
                    next_search = Instant::now() + self.search_pause();
                    // If this is the only edge of the control plane, a move would not balance the load.
                    if load.store_unreachable || load.edges > 1 {
                        search.spawn(self.opener.clone().find_less_busy(control_plane_id.clone(), load));
                    }
                }
                // The last slot in the queue is for pings, so that an edge with many interests is not silent.
                Some((requested_on, interest)) = self.interests.recv(), if sender.capacity() > 1 => {
                    if requested_on == attachment {
                        sender.try_send(interest.into()).map_err(|_| LinkEnd::Closed)?;
                    }
                }
            }
        }
    }

    /// Passes an item of the control plane on. Returns the control plane's load if the item reports it.
    async fn receive(&self, item: ToEdge) -> Result<Option<Load>, LinkEnd> {
        let input = match item {
            ToEdge::Snapshot {
                room,
                snapshot,
                reset: false,
            } => Input::Snapshot(room, snapshot),
            ToEdge::Snapshot {
                room,
                snapshot,
                reset: true,
            } => Input::Reset(room, snapshot),
            ToEdge::Entries { room, entries } => Input::Entries(room, entries),
            ToEdge::SessionNotFound { room } => Input::SessionNotFound(room),
            ToEdge::GoAway => return Err(LinkEnd::GoAway),
            ToEdge::Pong { load, .. } => return Ok(Some(load)),
            ToEdge::Welcome { .. } => return Ok(None),
        };
        self.send(LinkInput::Rooms(input)).await?;
        Ok(None)
    }

    async fn send(&self, input: LinkInput) -> Result<(), LinkEnd> {
        self.inputs.send(input).await.map_err(|_| LinkEnd::RoomsTaskEnded)
    }

    /// Half to one and a half of the interval, so that edges do not move together.
    fn search_pause(&self) -> Duration {
        self.rebalance
            .min(LONGEST_PAUSE)
            .mul_f64(0.5 + rand::random::<f64>())
    }

    fn log_attached(&self, open: &OpenLink, outage: Option<Outage>) {
        let address = &self.opener.control_planes[open.address];
        let (outage_seconds, failed_attempts) = outage.map_or((0, 0), |outage| {
            let report = outage.report(Instant::now());
            (report.lasted.as_secs(), report.attempts)
        });
        info!(
            edge.id = %self.opener.edge_id,
            control_plane.id = open.control_plane_id,
            control_plane.address = %address,
            outage_seconds,
            failed_attempts,
            "attached to a control plane"
        );
    }

    fn log_move(&self, from: usize, to: &OpenLink) {
        info!(
            edge.id = %self.opener.edge_id,
            from = %self.opener.control_planes[from],
            to = %self.opener.control_planes[to.address],
            "moving the link to a control plane that serves fewer edges or that reaches the store"
        );
    }

    /// Logs the end of a link, and the beginning of an outage; then only at intervals that double.
    fn log_end(
        &self,
        address: usize,
        reason: &LinkEnd,
        was_attached: bool,
        is_draining: bool,
        outage: &mut Option<Outage>,
    ) {
        let address = &self.opener.control_planes[address];
        let now = Instant::now();
        let begins = outage.is_none();
        let outage = outage.get_or_insert_with(|| Outage::new(now));
        let report = if was_attached {
            None
        } else {
            outage.attempt_failed(now)
        };
        let edge_id = &self.opener.edge_id;
        if was_attached {
            warn!(edge.id = %edge_id, control_plane.address = %address, %reason, "lost the link to the control plane; attaching again");
        } else if is_draining {
            debug!(control_plane.address = %address, %reason, "could not attach to a control plane while draining");
        } else if begins {
            warn!(edge.id = %edge_id, control_plane.address = %address, %reason, "could not attach to a control plane; retrying");
        } else if let Some(report) = report {
            let (seconds, attempts) = (report.lasted.as_secs(), report.attempts);
            warn!(
                edge.id = %edge_id, control_plane.address = %address, %reason,
                "still no control plane after {seconds} s, {attempts} attempts"
            );
        } else {
            debug!(control_plane.address = %address, %reason, "could not attach to a control plane");
        }
    }
}
