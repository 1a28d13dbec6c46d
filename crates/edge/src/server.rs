//! The edge's HTTP side: accepts connections, tells WebSocket upgrades from polling and from the page, and closes
//! what is left at a pace when the process drains.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use axum::{Router, body::Body};
use http::{HeaderValue, Request, Response, StatusCode, header, request::Parts};
use hyper::{body::Incoming, server::conn::http1, upgrade::OnUpgrade};
use hyper_util::rt::{TokioIo, TokioTimer};
use roomcast_auth::{Clock, REFRESH_INTERVAL};
use roomcast_runtime::{
    admin::Readiness,
    lifecycle::{Shutdown, Tasks},
    metrics::Registry,
};
use socketioxide::{SocketIo, service::SocketIoService};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc, watch},
};
use tower::ServiceExt;
use tracing::{debug, info, warn};

use crate::{
    config::{Config, Drain, Origins},
    http::{
        cors as origin, polling,
        response::answer,
        upgrade::{self, Upgrade},
    },
    link::{self, Dialer, Link, Opener, keep_attached},
    metrics::Metrics,
    rate_limit::RateLimit,
    rooms_task::{Board, QUESTIONS, Switch},
    sockets::{self, Sockets},
    transport::Transports,
};

/// The path of Socket.IO.
const PATH: &str = "/socket.io";
/// The largest packet that a browser may send, in bytes; a larger one ends its connection.
pub(crate) const MAX_PACKET: usize = 128 * 1024;
/// What every WebSocket keeps for what its browser sends, in bytes: mostly a join, with where it goes on from.
const READ_BUFFER: usize = 128;
/// How long a browser may take to ask for the namespace after it opened a transport, and to come with a good token.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request's head may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// After this long without an acknowledgement by the browser's kernel a connection is dead.
const USER_TIMEOUT: Duration = Duration::from_secs(30);
/// What the link brings and the switch did not take yet; beyond it the link waits.
const FED: usize = 1_024;

/// The process that an edge is a part of.
pub struct Process<'a> {
    /// Its tasks.
    pub tasks: &'a Tasks,
    /// When it drains.
    pub shutdown: &'a Shutdown,
    /// Whether it can do its work.
    pub readiness: &'a Readiness,
    /// What it counts.
    pub registry: &'a mut Registry,
}

/// What serves a connection.
#[derive(Clone)]
struct Front {
    service: SocketIoService<Router>,
    page: Router,
    transports: Transports,
    origins: Arc<Origins>,
    connects: Arc<RateLimit>,
    metrics: Metrics,
}

/// Starts an edge: its tasks live until the process drains.
///
/// # Panics
/// Without any control plane in the configuration.
pub fn serve(config: Config, listener: TcpListener, process: Process<'_>) {
    assert!(!config.control_planes.is_empty(), "an edge needs a control plane");
    let metrics = Metrics::register(process.registry);
    let transports = Transports::new(metrics.transports.clone(), config.limits);
    for flusher in transports.flushers().tasks() {
        process.tasks.spawn_through_drain("flusher", flusher);
    }
    let (questions, told) = mpsc::channel(QUESTIONS);
    let switch = Switch(questions);

    let (requests, asked) = mpsc::channel(link::REQUESTS);
    let (plane, planes) = watch::channel(None);
    let (feed, fed) = mpsc::channel(FED);
    let renew = Arc::new(Notify::new());
    let attacher = link::Attacher {
        opener: Arc::new(Opener {
            control_planes: config.control_planes,
            dialer: Dialer::new(config.api_token, config.tls),
        }),
        rebalance: config.rebalance,
        requests: asked,
        fed: feed,
        plane,
        renew: renew.clone(),
        gate: process.readiness.register("link"),
        metrics: metrics.clone(),
    };
    process
        .tasks
        .spawn_through_drain("link", keep_attached(attacher, process.shutdown.clone()));
    let (link, asking) = Link::new(requests, planes, renew, switch.clone());
    process.tasks.spawn_through_drain("joins", asking);
    let board = Board::new(
        config.limits.sessions_per_socket,
        Clock::system(),
        transports.flushers().count(),
        link,
        metrics.clone(),
    );
    process.tasks.spawn_through_drain("switch", board.run(told, fed));

    let keys = config.verifier.clone();
    process
        .tasks
        .spawn_through_drain("keys", async move { keys.keep_fresh(REFRESH_INTERVAL).await });
    let page = config.page.unwrap_or_default();
    let (service, io) = SocketIo::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .ping_interval(config.limits.ping_interval)
        .ping_timeout(config.limits.ping_timeout)
        .max_payload(MAX_PACKET as u64)
        .ws_max_message_size(MAX_PACKET)
        .ws_max_frame_size(MAX_PACKET)
        .ws_read_buffer_size(READ_BUFFER)
        .build_with_inner_svc(page.clone());
    let sockets = Sockets {
        verifier: config.verifier,
        switch,
        limits: config.limits,
        metrics: metrics.clone(),
        transports: transports.clone(),
        next: AtomicU64::new(1),
    };
    sockets::serve(&io, Arc::new(sockets));
    let front = Front {
        service,
        page,
        transports: transports.clone(),
        origins: Arc::new(config.origins),
        connects: Arc::new(RateLimit::new(
            config.limits.connect_rate,
            config.limits.connect_rate,
            Instant::now(),
        )),
        metrics,
    };
    process
        .tasks
        .spawn("accept", accept(listener, front, process.shutdown.clone()));
    process
        .tasks
        .spawn("drain", drain(transports, config.drain, process.shutdown.clone()));
}

/// Accepts connections until the process drains.
async fn accept(listener: TcpListener, front: Front, shutdown: Shutdown) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.draining() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, _)) => {
                prepare(&tcp);
                tokio::spawn(connection(tcp, front.clone(), shutdown.clone()));
            }
            Err(error) => {
                // Out of file descriptors, most likely: some have to be closed first.
                warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn prepare(tcp: &TcpStream) {
    let socket = socket2::SockRef::from(tcp);
    let prepared = tcp
        .set_nodelay(true)
        .and_then(|()| socket.set_tcp_user_timeout(Some(USER_TIMEOUT)));
    if let Err(error) = prepared {
        debug!(%error, "could not prepare a connection");
    }
}

async fn connection(tcp: TcpStream, front: Front, shutdown: Shutdown) {
    let tcp = tokio::select! {
        biased;
        left = front.upgrade_at_once(tcp) => match left {
            Some(tcp) => tcp,
            None => return,
        },
        () = shutdown.draining() => return,
    };
    // In a box, so that connections that did not get here do not have its size.
    Box::pin(by_http(tcp, front, shutdown)).await;
}

async fn by_http(tcp: TcpStream, front: Front, shutdown: Shutdown) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let front = front.clone();
        async move { Ok::<_, Infallible>(front.serve(request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(tcp), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.draining() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended");
    }
}

impl Front {
    /// Whether this is a new connection (what belongs to one names it by its `sid`), and one too many.
    fn is_surplus(&self, request: &Parts) -> bool {
        polling::query(&request.uri, "sid").is_none() && !self.connects.take(Instant::now())
    }

    /// Takes a connection that begins with an upgrade to WebSocket; gives it back where that is not for here.
    async fn upgrade_at_once(&self, tcp: TcpStream) -> Option<TcpStream> {
        let Some((request, length)) = upgrade::peek(&tcp, HEAD_TIMEOUT).await else {
            return Some(tcp);
        };
        let is_taken = is_socket_io(request.uri.path())
            && upgrade::is_wanted(&request)
            && self.origins.allow(&request.headers)
            && !self.is_surplus(&request);
        if !is_taken {
            return Some(tcp);
        }
        let Ok(upgrade) = Upgrade::of(&request, &self.transports) else {
            return Some(tcp);
        };
        // What was looked at is there to be read.
        match tcp.try_read(&mut vec![0; length]) {
            Ok(read) if read == length => upgrade.at_once(tcp, self.service.clone()).await,
            Ok(_) | Err(_) => upgrade.fail(),
        }
        None
    }

    fn upgrade_by_http(self, mut request: Parts) -> Response<Body> {
        let Some(upgraded) = request.extensions.remove::<OnUpgrade>() else {
            return upgrade::bad_request("this connection can't be upgraded");
        };
        match Upgrade::of(&request, &self.transports) {
            Ok(upgrade) => upgrade.by_http(upgraded, self.service),
            Err(text) => upgrade::bad_request(text),
        }
    }

    async fn serve(self, request: Request<Body>) -> Response<Body> {
        if !is_socket_io(request.uri().path()) {
            return match self.page.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
        }
        if !self.origins.allow(request.headers()) {
            return origin::refused();
        }
        let origin = request.headers().get(header::ORIGIN).cloned();
        let (parts, body) = request.into_parts();
        let mut response = if let Some(preflight) = origin::preflight(&parts.method, &parts.headers) {
            preflight
        } else if self.is_surplus(&parts) {
            self.metrics.surplus_connections.inc();
            turned_away()
        } else if upgrade::is_wanted(&parts) {
            return self.upgrade_by_http(parts);
        } else {
            polling::serve(Request::from_parts(parts, body), &self.transports, self.service).await
        };
        origin::expose(origin, &mut response);
        response
    }
}

fn is_socket_io(path: &str) -> bool {
    path == PATH || path.starts_with("/socket.io/")
}

/// The answer to a connection for which there is no room at this moment. It is no CONNECT_ERROR, which would end a stock
/// client's attempts, but the failure of a transport, after which it tries again by itself, later each time.
fn turned_away() -> Response<Body> {
    let text = "too many connections at once: try again\n";
    let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, text);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Once the process drains: closes every transport, at a pace, by the deadline.
async fn drain(transports: Transports, drain: Drain, shutdown: Shutdown) {
    shutdown.draining().await;
    let open = transports.all();
    let by_rate = Duration::from_secs_f64(open.len() as f64 / f64::from(drain.sockets_per_second.max(1)));
    let whole = by_rate.min(drain.deadline);
    info!(
        sockets = open.len(),
        seconds = whole.as_secs_f64(),
        "closing all sockets"
    );
    let started = tokio::time::Instant::now();
    for (number, transport) in open.iter().enumerate() {
        if let Some(transport) = transport.upgrade() {
            transport.kill();
        }
        tokio::time::sleep_until(started + whole.mul_f64((number + 1) as f64 / open.len() as f64)).await;
    }
    // Those that came in while the others were closed.
    for transport in transports.all() {
        if let Some(transport) = transport.upgrade() {
            transport.kill();
        }
    }
}
