//! A fake control plane: a gRPC server whose behaviour a test scripts, and which records all calls.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use roomcast_core::{Entry, Position, RoomId};
use roomcast_proto::{
    join::{Join, Joins},
    link::{ControlPlaneLoad, FromEdge, Load, ReadLog, ToEdge},
    v1::{
        self,
        edge_service_server::{EdgeService, EdgeServiceServer},
    },
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming, transport::Server};

// Unit tests of the link include this file, too.
use super::{logs::Logs, time::eventually};

/// The most messages that wait for an edge; far more than a test sends.
const QUEUE_LIMIT: usize = 16_384;

/// What an edge called or sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    /// An edge with this id began to attach.
    Attach(String),
    Interest(RoomId, Option<Position>),
    EndInterest(RoomId),
    Ping,
    /// The edge ended its link.
    Detach,
    GetLoad,
    AuthorizeJoins(Vec<Join>),
    ReadLog(RoomId, u64),
}

/// How the control plane behaves.
pub(crate) struct Script {
    /// The load that it reports. `edges` is the number without an edge that attaches.
    pub(crate) load: Load,
    /// It responds to nothing on the link, and sends nothing.
    pub(crate) is_silent: bool,
    /// Attachments and calls fail.
    pub(crate) is_unavailable: bool,
}

/// A control plane. Its server ends when the value is dropped.
pub(crate) struct ControlPlane {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    name: String,
    logs: Logs,
    script: Mutex<Script>,
    calls: Mutex<Vec<Call>>,
    links: Mutex<Vec<Link>>,
    /// Attachments wait while this is `true`.
    holds_welcome: watch::Sender<bool>,
}

/// The control plane's end of a link.
struct Link {
    id: usize,
    sender: mpsc::Sender<Result<v1::AttachResponse, Status>>,
    interests: BTreeSet<RoomId>,
}

impl ControlPlane {
    pub(crate) async fn start(name: &str, logs: &Logs) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Script {
            load: Load {
                store_unreachable: false,
                edges: 0,
            },
            is_silent: false,
            is_unavailable: false,
        };
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            logs: logs.clone(),
            script: Mutex::new(script),
            calls: Mutex::default(),
            links: Mutex::default(),
            holds_welcome: watch::Sender::new(false),
        });
        let service = EdgeServiceServer::new(Service(shared.clone()));
        let serving = Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener));
        let server = tokio::spawn(async move { serving.await.unwrap() });
        Self {
            address,
            shared,
            server,
        }
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script.lock().unwrap()
    }

    /// Whether an attachment waits for its response until this is called with `false`.
    pub(crate) fn hold_welcome(&self, hold: bool) {
        self.shared.holds_welcome.send_replace(hold);
    }

    /// The calls up to now, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, call: &Call) -> usize {
        self.shared
            .calls
            .lock()
            .unwrap()
            .iter()
            .filter(|other| *other == call)
            .count()
    }

    pub(crate) fn attachments(&self) -> usize {
        let is_attach = |call: &&Call| matches!(call, Call::Attach(_));
        self.shared.calls.lock().unwrap().iter().filter(is_attach).count()
    }

    /// Waits until there were at least this many such calls.
    pub(crate) async fn called(&self, call: &Call, times: usize) {
        let check = || (self.count(call) >= times).then_some(());
        eventually(&format!("{times} x {call:?} at {}", self.shared.name), check).await;
    }

    /// Waits until a join was to be authorized. Returns the call.
    pub(crate) async fn called_join(&self, user: &str, session: &str) -> Call {
        let join = Join {
            session: session.parse().unwrap(),
            user: user.parse().unwrap(),
        };
        let call = Call::AuthorizeJoins(vec![join]);
        self.called(&call, 1).await;
        call
    }

    pub(crate) fn is_attached(&self) -> bool {
        !self.links().is_empty()
    }

    /// Whether an edge is attached and has this interest.
    pub(crate) fn feeds(&self, room: &RoomId) -> bool {
        self.links().iter().any(|link| link.interests.contains(room))
    }

    fn links(&self) -> MutexGuard<'_, Vec<Link>> {
        self.shared.links.lock().unwrap()
    }

    /// Sends an entry to the edges that are interested in its room.
    pub(crate) fn deliver(&self, room: &RoomId, entry: &Arc<Entry>) {
        if self.script().is_silent {
            return;
        }
        for link in self.links().iter().filter(|link| link.interests.contains(room)) {
            link.send(ToEdge::Entries {
                room: room.clone(),
                entries: vec![entry.clone()],
            });
        }
    }

    /// Tells all edges that this control plane is shutting down.
    pub(crate) fn go_away(&self) {
        self.links().iter().for_each(|link| link.send(ToEdge::GoAway));
    }

    /// Ends all links without a notice.
    pub(crate) fn drop_links(&self) {
        self.links().clear();
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Link {
    fn send(&self, item: ToEdge) {
        let _ = self.sender.try_send(Ok(item.into())); // The edge may have ended the link.
    }
}

impl Shared {
    fn record(&self, call: Call) {
        self.calls.lock().unwrap().push(call);
    }

    fn check_available(&self) -> Result<(), Status> {
        match self.script.lock().unwrap().is_unavailable {
            true => Err(Status::unavailable("scripted by the test")),
            false => Ok(()),
        }
    }

    fn load_with(&self, another: u32) -> Load {
        let load = self.script.lock().unwrap().load;
        Load {
            edges: load.edges + another,
            ..load
        }
    }

    fn respond(&self, id: usize, item: FromEdge) {
        let mut links = self.links.lock().unwrap();
        let link = links.iter_mut().find(|link| link.id == id);
        let is_silent = self.script.lock().unwrap().is_silent;
        let (call, response) = match item {
            FromEdge::Hello { .. } => panic!("hello is the first message only"),
            FromEdge::Ping { nonce } => (
                Call::Ping,
                Some(ToEdge::Pong {
                    nonce,
                    load: self.load_with(1),
                }),
            ),
            FromEdge::EndInterest { room } => {
                let _ = link.map(|link| link.interests.remove(&room));
                self.record(Call::EndInterest(room));
                return;
            }
            FromEdge::Interest { room, after } => {
                let call = Call::Interest(room.clone(), after);
                (call, self.feed(room, after))
            }
        };
        if let (Some(link), false) = (link, is_silent) {
            if let Call::Interest(room, _) = &call {
                link.interests.insert(room.clone());
            }
            response.into_iter().for_each(|response| link.send(response));
        }
        self.record(call);
    }

    /// The first message about a room of an interest.
    fn feed(&self, room: RoomId, after: Option<Position>) -> Option<ToEdge> {
        match after {
            None => Some(match self.logs.snapshot(&room) {
                Some(snapshot) => ToEdge::Snapshot {
                    room,
                    snapshot,
                    reset: false,
                },
                None => ToEdge::SessionNotFound { room },
            }),
            Some(after) => {
                let entries = self.logs.after(&room, after.offset);
                (!entries.is_empty()).then_some(ToEdge::Entries { room, entries })
            }
        }
    }
}

struct Service(Arc<Shared>);

#[async_trait]
impl EdgeService for Service {
    type AttachStream = ReceiverStream<Result<v1::AttachResponse, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<v1::AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let shared = self.0.clone();
        let mut requests = request.into_inner();
        let first = requests.message().await?.unwrap();
        let FromEdge::Hello { edge, .. } = FromEdge::try_from(first).unwrap() else {
            panic!("hello is the first message")
        };
        let id = {
            let mut calls = shared.calls.lock().unwrap();
            calls.push(Call::Attach(edge));
            calls.len()
        };
        shared.check_available()?;
        let held = shared
            .holds_welcome
            .subscribe()
            .wait_for(|hold| !hold)
            .await
            .map(|_| ());
        held.unwrap();
        let (sender, responses) = mpsc::channel(QUEUE_LIMIT);
        let link = Link {
            id,
            sender,
            interests: BTreeSet::new(),
        };
        link.send(ToEdge::Welcome {
            control_plane: shared.name.clone(),
            version: "test".to_owned(),
            load: shared.load_with(1),
        });
        shared.links.lock().unwrap().push(link);
        drop(tokio::spawn(async move {
            while let Ok(Some(item)) = requests.message().await {
                shared.respond(id, item.try_into().unwrap());
            }
            shared.record(Call::Detach);
            shared.links.lock().unwrap().retain(|link| link.id != id);
        }));
        Ok(Response::new(ReceiverStream::new(responses)))
    }

    async fn authorize_joins(
        &self,
        request: Request<v1::AuthorizeJoinsRequest>,
    ) -> Result<Response<v1::AuthorizeJoinsResponse>, Status> {
        let Joins(joins) = request.into_inner().try_into().unwrap();
        self.0.record(Call::AuthorizeJoins(joins.clone()));
        self.0.check_available()?;
        let responses = joins
            .iter()
            .map(|join| self.0.logs.authorize(join).into())
            .collect();
        Ok(Response::new(v1::AuthorizeJoinsResponse { responses }))
    }

    async fn get_load(
        &self,
        _: Request<v1::GetLoadRequest>,
    ) -> Result<Response<v1::GetLoadResponse>, Status> {
        self.0.record(Call::GetLoad);
        self.0.check_available()?;
        let attached = self.0.links.lock().unwrap().len();
        let load = self.0.load_with(u32::try_from(attached).unwrap());
        let response = ControlPlaneLoad {
            control_plane: self.0.name.clone(),
            load,
        };
        Ok(Response::new(response.into()))
    }

    async fn read_log(
        &self,
        request: Request<v1::ReadLogRequest>,
    ) -> Result<Response<v1::ReadLogResponse>, Status> {
        let ReadLog { room, after } = request.into_inner().try_into().unwrap();
        self.0.record(Call::ReadLog(room.clone(), after.0));
        self.0.check_available()?;
        Ok(Response::new((&self.0.logs.slice(&room, after)).into()))
    }
}
