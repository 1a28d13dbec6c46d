//! Opens links, and looks for control planes that are less busy.

use std::{sync::Arc, time::Duration};

use roomcast_proto::{
    Invalid,
    link::{ControlPlaneLoad, FromEdge, Load, ToEdge},
    v1::{AttachRequest, AttachResponse, GetLoadRequest, edge_service_client::EdgeServiceClient},
};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tracing::debug;

use super::{ControlPlaneChannel, Dialer, calls::with_deadline, end::LinkEnd};
use crate::config::EdgeId;

/// How long opening a link may take, after the connection is made.
const ATTACH_TIMEOUT: Duration = Duration::from_secs(2);
/// The most requests on their way to the control plane. Beyond it, requests wait in the link's own queue.
const IN_FLIGHT: usize = 256;

/// A link that is open but not in use yet.
#[derive(Debug)]
pub(super) struct OpenLink {
    /// The index of the address.
    pub(super) address: usize,
    pub(super) control_plane_id: String,
    /// The load of the control plane, with this edge.
    pub(super) load: Load,
    pub(super) channel: ControlPlaneChannel,
    pub(super) sender: mpsc::Sender<AttachRequest>,
    pub(super) stream: Streaming<AttachResponse>,
}

/// Opens links.
pub(super) struct Opener {
    pub(super) edge_id: EdgeId,
    pub(super) control_planes: Vec<http::Uri>,
    pub(super) dialer: Dialer,
}

impl Opener {
    /// Opens a link to the control plane at this address.
    pub(super) async fn open(&self, address: usize) -> Result<OpenLink, LinkEnd> {
        let channel = self.dialer.dial(&self.control_planes[address]).await?;
        self.attach(address, channel).await
    }

    async fn attach(&self, address: usize, channel: ControlPlaneChannel) -> Result<OpenLink, LinkEnd> {
        let (sender, requests) = mpsc::channel(IN_FLIGHT);
        let hello = FromEdge::Hello {
            edge: self.edge_id.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        sender.send(hello.into()).await.map_err(|_| LinkEnd::Closed)?;
        let mut client = EdgeServiceClient::new(channel.clone()).max_decoding_message_size(usize::MAX);
        let attached = async {
            let mut stream = client.attach(ReceiverStream::new(requests)).await?.into_inner();
            let first = stream.message().await?.ok_or(LinkEnd::Closed)?;
            match ToEdge::try_from(first)? {
                ToEdge::Welcome {
                    control_plane, load, ..
                } => Ok((stream, control_plane, load)),
                ToEdge::GoAway => Err(LinkEnd::GoAway),
                ToEdge::Snapshot { .. }
                | ToEdge::Entries { .. }
                | ToEdge::SessionNotFound { .. }
                | ToEdge::Pong { .. } => Err(LinkEnd::Invalid(Invalid::one(
                    "item",
                    "the first one must be welcome",
                ))),
            }
        };
        let (stream, control_plane_id, load) = timeout(ATTACH_TIMEOUT, attached)
            .await
            .map_err(|_| LinkEnd::Silent)??;
        Ok(OpenLink {
            address,
            control_plane_id,
            load,
            channel,
            sender,
            stream,
        })
    }

    /// Reads the load of one control plane, chosen at random. Opens a link to it if its load with this edge is lower than
    /// the load of the current control plane. The read is a unary call: neither side counts or logs it as an attachment.
    pub(super) async fn find_less_busy(
        self: Arc<Self>,
        current_id: String,
        current: Load,
    ) -> Option<OpenLink> {
        let address = rand::random_range(0..self.control_planes.len());
        let found = self.open_if_less_busy(address, &current_id, current).await;
        found.unwrap_or_else(|error| {
            debug!(control_plane.address = %self.control_planes[address], %error, "could not read the load of a control plane");
            None
        })
    }

    async fn open_if_less_busy(
        &self,
        address: usize,
        current_id: &str,
        current: Load,
    ) -> Result<Option<OpenLink>, LinkEnd> {
        let channel = self.dialer.dial(&self.control_planes[address]).await?;
        let request = with_deadline(GetLoadRequest {});
        let response = timeout(
            ATTACH_TIMEOUT,
            EdgeServiceClient::new(channel.clone()).get_load(request),
        )
        .await
        .map_err(|_| LinkEnd::Silent)??;
        let candidate = ControlPlaneLoad::try_from(response.into_inner())?;
        let with_this_edge = Load {
            edges: candidate.load.edges.saturating_add(1),
            ..candidate.load
        };
        if candidate.control_plane == current_id || with_this_edge >= current {
            return Ok(None);
        }
        let open = self.attach(address, channel).await?;
        // Other edges may have moved there at the same time.
        Ok((open.control_plane_id != current_id && open.load < current).then_some(open))
    }
}
