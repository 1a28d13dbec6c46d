//! One edge's link: what the edge says goes to the hub, what the hub feeds goes to the edge.
//!
//! The stream is driven by the connection's window: an edge that takes nothing is read from no more, and what the
//! hub has for it waits in a queue with a cap, which ends the link when it is full.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use roomcast_core::{Entry, RoomId, hub::Update};
use roomcast_proto::{
    Failure, Invalid,
    link::{ControlPlaneLoad, FromEdge, Load, ToEdge},
    v1::{AttachRequest, AttachResponse},
};
use tokio::{sync::watch, time::timeout};
use tonic::{Code, Status, Streaming};
use tracing::info;

use crate::{
    config::HELLO_DEADLINE,
    follower::{Fed, Follower, HubHandle},
    metrics::Metrics,
    portion,
};

/// What links share.
#[derive(Debug, Clone)]
pub(crate) struct Attaching {
    pub(crate) hub: HubHandle,
    pub(crate) store_reachable: watch::Receiver<bool>,
    pub(crate) metrics: Metrics,
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) max_request_bytes: usize,
}

struct Link {
    edge: String,
    said: Streaming<AttachRequest>,
    fed: Follower,
    shared: Attaching,
    /// What is left of an item that is too large for one answer.
    rest: Option<(RoomId, Vec<Arc<Entry>>)>,
    leaving: bool,
}

/// Waits for the edge's hello and begins to feed it.
///
/// # Errors
/// The edge does not say hello first, or not in time, or what it says is not valid.
pub(crate) async fn start(
    shared: Attaching,
    mut said: Streaming<AttachRequest>,
) -> Result<impl Stream<Item = Result<AttachResponse, Status>>, Status> {
    let late = |_| {
        Invalid::one(
            "hello",
            format_args!("must come within {}", seconds(HELLO_DEADLINE)),
        )
    };
    let first = timeout(HELLO_DEADLINE, said.message()).await.map_err(late)?;
    let first = first
        .map_err(|status| shared.corrected(status))?
        .map(FromEdge::try_from)
        .transpose()?;
    let Some(FromEdge::Hello { edge, version }) = first else {
        return Err(Invalid::one("hello", "must come first").into());
    };
    info!(edge.id = edge, edge.version = version, "edge attached");
    let fed = shared.hub.follow().await?;
    shared.metrics.edges.inc();
    let welcome = ToEdge::Welcome {
        control_plane: shared.id.clone(),
        version: shared.version.clone(),
        load: shared.load(),
    };
    let link = Link {
        edge,
        said,
        fed,
        shared,
        rest: None,
        leaving: false,
    };
    let rest = stream::unfold(Some(link), |link| async {
        let mut link = link?;
        match link.next().await {
            Ok(Some(item)) => Some((Ok(item.into()), Some(link))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    });
    Ok(stream::StreamExt::chain(stream::iter([Ok(welcome.into())]), rest))
}

impl Link {
    /// The next thing to tell the edge; `None` where the edge has ended the link.
    async fn next(&mut self) -> Result<Option<ToEdge>, Status> {
        if let Some((room, entries)) = self.rest.take() {
            return Ok(Some(self.entries(room, entries)));
        }
        loop {
            // Not biased: neither a busy room nor an edge with many rooms keeps the other waiting.
            tokio::select! {
                () = self.shared.hub.draining(), if !self.leaving => {
                    self.leaving = true;
                    return Ok(Some(ToEdge::GoAway));
                }
                said = self.said.message() => match said.map_err(|status| self.shared.corrected(status))? {
                    None => return Ok(None),
                    Some(said) => if let Some(answer) = self.hear(said.try_into()?).await? {
                        return Ok(Some(answer));
                    },
                },
                fed = self.fed.next() => {
                    let Fed { room, item, .. } = fed?;
                    return Ok(Some(self.item(room, item)));
                }
            }
        }
    }

    async fn hear(&mut self, said: FromEdge) -> Result<Option<ToEdge>, Status> {
        match said {
            FromEdge::Hello { .. } => return Err(Invalid::one("hello", "must come once, and first").into()),
            FromEdge::Interest { room, after } => self.fed.interest(room, after),
            FromEdge::EndInterest { room } => self.fed.forget(room).await?,
            FromEdge::Ping { nonce } => {
                let load = self.shared.load();
                return Ok(Some(ToEdge::Pong { nonce, load }));
            }
        }
        Ok(None)
    }
}

impl Link {
    fn item(&mut self, room: RoomId, item: Update) -> ToEdge {
        match item {
            Update::Snapshot { snapshot, reset } => ToEdge::Snapshot {
                room,
                snapshot: (*snapshot).clone(),
                reset,
            },
            Update::Entries(entries) => self.entries(room, entries),
            Update::SessionNotFound => ToEdge::SessionNotFound { room },
        }
    }

    fn entries(&mut self, room: RoomId, mut entries: Vec<Arc<Entry>>) -> ToEdge {
        let rest = entries.split_off(portion::of(&entries).min(entries.len()));
        self.rest = (!rest.is_empty()).then(|| (room.clone(), rest));
        ToEdge::Entries { room, entries }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.metrics.edges.dec();
        info!(edge.id = self.edge, "edge detached");
    }
}

impl Attaching {
    /// This control plane and its load, for edges that look for a less busy one.
    pub(crate) fn control_plane_load(&self) -> ControlPlaneLoad {
        ControlPlaneLoad {
            control_plane: self.id.clone(),
            load: self.load(),
        }
    }

    /// What edges choose by.
    fn load(&self) -> Load {
        Load {
            store_unreachable: !*self.store_reachable.borrow(),
            edges: u32::try_from(self.metrics.edges.get()).unwrap_or(0),
        }
    }

    /// In a stream, tonic's OUT_OF_RANGE for what is too large comes through here.
    fn corrected(&self, status: Status) -> Status {
        if status.code() == Code::OutOfRange {
            return Failure::RequestTooLarge {
                limit: self.max_request_bytes,
            }
            .into();
        }
        status
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}
