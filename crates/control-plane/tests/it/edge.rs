//! An actor: an edge, which speaks the link's protocol.

use roomcast_core::{Position, RoomId};
use roomcast_proto::{
    link::{FromEdge, ToEdge},
    v1::{self, edge_service_client::EdgeServiceClient},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Status, Streaming,
    transport::{Channel, Endpoint},
};

use crate::harness::TestServer;

/// The edge's end of a link.
pub(crate) struct Edge {
    requests: mpsc::Sender<v1::AttachRequest>,
    responses: Streaming<v1::AttachResponse>,
}

impl Edge {
    /// Opens a link and sends `first`, which should be `Hello`.
    pub(crate) async fn attach(server: &TestServer, first: FromEdge) -> Result<Self, Status> {
        Self::attach_with(server.edge(), first).await
    }

    /// Opens a link whose HTTP/2 window is small, so that updates that the edge does not take wait in the control plane.
    /// The `Welcome` is not taken.
    pub(crate) async fn attach_with_small_window(server: &TestServer) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{}", server.addr)).unwrap();
        let channel = endpoint.initial_stream_window_size(65_535).connect_lazy();
        Self::attach_with(EdgeServiceClient::new(channel), hello())
            .await
            .unwrap()
    }

    async fn attach_with(mut client: EdgeServiceClient<Channel>, first: FromEdge) -> Result<Self, Status> {
        let (requests, receiver) = mpsc::channel(64);
        requests.send(first.into()).await.unwrap();
        let responses = client.attach(ReceiverStream::new(receiver)).await?.into_inner();
        Ok(Self { requests, responses })
    }

    /// Opens a link and takes the `Welcome`.
    pub(crate) async fn start(server: &TestServer) -> Self {
        let mut edge = Self::attach(server, hello()).await.unwrap();
        assert!(matches!(
            edge.receive().await.unwrap(),
            Some(ToEdge::Welcome { .. })
        ));
        edge
    }

    pub(crate) async fn send(&self, message: FromEdge) {
        self.send_unchecked(message.into()).await;
    }

    /// Sends a message that may be invalid.
    pub(crate) async fn send_unchecked(&self, message: v1::AttachRequest) {
        self.requests.send(message).await.unwrap();
    }

    pub(crate) async fn receive(&mut self) -> Result<Option<ToEdge>, Status> {
        let message = self.responses.message().await?;
        Ok(message.map(|message| message.try_into().unwrap()))
    }

    /// The offsets of the next message, which must contain entries.
    pub(crate) async fn receive_offsets(&mut self) -> Vec<u64> {
        match self.receive().await.unwrap() {
            Some(ToEdge::Entries { entries, .. }) => {
                entries.iter().map(|entry| entry.position.offset.0).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    /// Takes the next message, which must be a snapshot.
    pub(crate) async fn receive_snapshot(&mut self) {
        let message = self.receive().await.unwrap();
        assert!(matches!(message, Some(ToEdge::Snapshot { .. })), "{message:?}");
    }

    /// Ends the edge's side of the stream, and waits for the end of the other side.
    pub(crate) async fn detach(mut self) -> Result<(), Status> {
        drop(self.requests);
        while self.responses.message().await?.is_some() {}
        Ok(())
    }
}

pub(crate) fn hello() -> FromEdge {
    FromEdge::Hello {
        edge: "edge-1".into(),
        version: "0.1.0".into(),
    }
}

pub(crate) fn room(name: &str) -> RoomId {
    name.parse().unwrap()
}

pub(crate) fn interest(name: &str, after: Option<Position>) -> FromEdge {
    FromEdge::Interest {
        room: room(name),
        after,
    }
}
