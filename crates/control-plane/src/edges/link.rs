//! One edge's link: the edge's interests go to the hub, and the hub's updates go to the edge.
//!
//! HTTP/2 flow control drives the stream: while an edge takes nothing, its requests are not read, and its updates wait
//! in the follower's bounded queue, which closes the link when it is full.

use std::sync::Arc;

use futures_util::{Stream, StreamExt as _, stream};
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
    hub::{Follower, HubHandle, RoomUpdate},
    limits::HELLO_DEADLINE,
    metrics::Metrics,
    response_size::entries_that_fit,
};

/// What all links share.
#[derive(Debug, Clone)]
pub(crate) struct LinkContext {
    pub(crate) hub: HubHandle,
    pub(crate) store_reachable: watch::Receiver<bool>,
    pub(crate) metrics: Metrics,
    /// This control plane's id.
    pub(crate) id: String,
    /// This control plane's version.
    pub(crate) version: String,
    pub(crate) max_request_bytes: usize,
}

struct EdgeLink {
    attachment: Attachment,
    requests: Streaming<AttachRequest>,
    follower: Follower,
    /// The entries of an update that did not fit into the last response.
    unsent_entries: Option<(RoomId, Vec<Arc<Entry>>)>,
    go_away_sent: bool,
}

/// Counts and logs one attached edge, from its creation to its drop.
struct Attachment {
    edge_id: String,
    context: LinkContext,
}

/// Waits for the edge's `Hello`, and then serves the link.
///
/// # Errors
/// The first message is not a `Hello`, is not valid, or does not arrive in time; or the control plane ends.
pub(crate) async fn attach(
    context: LinkContext,
    mut requests: Streaming<AttachRequest>,
) -> Result<impl Stream<Item = Result<AttachResponse, Status>>, Status> {
    let (edge_id, edge_version) = receive_hello(&context, &mut requests).await?;
    let follower = context.hub.follow().await?;
    let attachment = Attachment::new(edge_id, &edge_version, context);
    let welcome = attachment.welcome();
    let link = EdgeLink {
        attachment,
        requests,
        follower,
        unsent_entries: None,
        go_away_sent: false,
    };
    let updates = stream::unfold(Some(link), |link| async {
        let mut link = link?;
        match link.next_response().await {
            Ok(Some(response)) => Some((Ok(response.into()), Some(link))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    });
    Ok(stream::iter([Ok(welcome.into())]).chain(updates))
}

async fn receive_hello(
    context: &LinkContext,
    requests: &mut Streaming<AttachRequest>,
) -> Result<(String, String), Status> {
    let first = timeout(HELLO_DEADLINE, requests.message()).await.map_err(|_| {
        let seconds = HELLO_DEADLINE.as_secs();
        Invalid::one("hello", format_args!("must be received within {seconds} s"))
    })?;
    let first = first.map_err(|status| context.size_error_as_invalid(status))?;
    match first.map(FromEdge::try_from).transpose()? {
        Some(FromEdge::Hello { edge, version }) => Ok((edge, version)),
        Some(FromEdge::Interest { .. } | FromEdge::EndInterest { .. } | FromEdge::Ping { .. }) | None => {
            Err(Invalid::one("hello", "must be the first message").into())
        }
    }
}

impl EdgeLink {
    /// The next message to the edge; `None` when the edge has ended the link.
    async fn next_response(&mut self) -> Result<Option<ToEdge>, Status> {
        if let Some((room, entries)) = self.unsent_entries.take() {
            return Ok(Some(self.entries_response(room, entries)));
        }
        loop {
            let context = &self.attachment.context;
            // Not biased: neither a busy room nor an edge with many rooms delays the other arms.
            tokio::select! {
                () = context.hub.draining(), if !self.go_away_sent => {
                    self.go_away_sent = true;
                    return Ok(Some(ToEdge::GoAway));
                }
                request = self.requests.message() => {
                    let Some(request) = request.map_err(|status| context.size_error_as_invalid(status))? else {
                        return Ok(None);
                    };
                    if let Some(response) = self.handle_request(request.try_into()?).await? {
                        return Ok(Some(response));
                    }
                }
                update = self.follower.next() => {
                    let RoomUpdate { room, update, .. } = update?;
                    return Ok(Some(self.update_response(room, update)));
                }
            }
        }
    }

    async fn handle_request(&mut self, request: FromEdge) -> Result<Option<ToEdge>, Status> {
        match request {
            FromEdge::Hello { .. } => {
                return Err(Invalid::one("hello", "must be sent once, as the first message").into());
            }
            FromEdge::Interest { room, after } => self.follower.interest(room, after),
            FromEdge::EndInterest { room } => self.follower.end_interest(room).await?,
            FromEdge::Ping { nonce } => {
                let load = self.attachment.context.load();
                return Ok(Some(ToEdge::Pong { nonce, load }));
            }
        }
        Ok(None)
    }

    fn update_response(&mut self, room: RoomId, update: Update) -> ToEdge {
        match update {
            Update::Snapshot { snapshot, reset } => ToEdge::Snapshot {
                room,
                snapshot: (*snapshot).clone(),
                reset,
            },
            Update::Entries(entries) => self.entries_response(room, entries),
            Update::SessionNotFound => ToEdge::SessionNotFound { room },
        }
    }

    /// As many of the entries as fit into one response; the others stay in `unsent_entries`.
    fn entries_response(&mut self, room: RoomId, mut entries: Vec<Arc<Entry>>) -> ToEdge {
        let unsent = entries.split_off(entries_that_fit(&entries).min(entries.len()));
        self.unsent_entries = (!unsent.is_empty()).then(|| (room.clone(), unsent));
        ToEdge::Entries { room, entries }
    }
}

impl Attachment {
    fn new(edge_id: String, edge_version: &str, context: LinkContext) -> Self {
        context.metrics.edges.inc();
        info!(
            edge.id = edge_id,
            edge.version = edge_version,
            control_plane.id = context.id,
            "edge attached"
        );
        Self { edge_id, context }
    }

    fn welcome(&self) -> ToEdge {
        ToEdge::Welcome {
            control_plane: self.context.id.clone(),
            version: self.context.version.clone(),
            load: self.context.load(),
        }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.context.metrics.edges.dec();
        info!(
            edge.id = self.edge_id,
            control_plane.id = self.context.id,
            "edge detached"
        );
    }
}

impl LinkContext {
    /// The response to an edge that looks for a less busy control plane. Such an edge is not attached.
    pub(crate) fn control_plane_load(&self) -> ControlPlaneLoad {
        ControlPlaneLoad {
            control_plane: self.id.clone(),
            load: self.load(),
        }
    }

    /// The numbers by which edges choose a control plane.
    fn load(&self) -> Load {
        Load {
            store_unreachable: !*self.store_reachable.borrow(),
            edges: u32::try_from(self.metrics.edges.get()).unwrap_or(0),
        }
    }

    /// In a stream, a message that is too large arrives here as tonic's OUT_OF_RANGE. No method of ours returns that code.
    fn size_error_as_invalid(&self, status: Status) -> Status {
        if status.code() != Code::OutOfRange {
            return status;
        }
        Failure::RequestTooLarge {
            limit: self.max_request_bytes,
        }
        .into()
    }
}
