//! The edge's HTTP side: accepts connections and routes their requests to a WebSocket upgrade, to polling, or to the page.

mod cors;
mod polling;
mod query;
mod response;
mod upgrade;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use http::{HeaderValue, Request, Response, StatusCode, header, request::Parts};
use hyper::{body::Incoming, server::conn::http1, upgrade::OnUpgrade};
use hyper_util::rt::{TokioIo, TokioTimer};
use roomcast_runtime::lifecycle::{Shutdown, Spawner, TaskGroup};
use socketioxide::service::SocketIoService;
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tower::ServiceExt;
use tracing::{debug, warn};

use crate::{
    config::Origins, metrics::Metrics, packet::is_socket_io_path, rate_limit::RateLimit,
    transport::Transports,
};
use response::response;
use upgrade::Upgrade;

/// How long a browser may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection is dead when the browser's kernel acknowledges nothing for this long.
const USER_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after a connection could not be accepted. Mostly the process has too many open files, and some have to be
/// closed first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What serves the requests of all connections.
#[derive(Clone)]
pub(crate) struct HttpService {
    pub(crate) socket_io: SocketIoService<Router>,
    pub(crate) page: Router,
    pub(crate) transports: Transports,
    pub(crate) origins: Arc<Origins>,
    /// Limits new connections.
    pub(crate) connect_rate: Arc<RateLimit>,
    pub(crate) metrics: Metrics,
}

/// Accepts connections until the process drains, and then serves those that are open until this task is dropped.
pub(crate) async fn serve(service: HttpService, listener: TcpListener, shutdown: Shutdown) {
    let connections = TaskGroup::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.draining() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, _)) => {
                configure(&tcp);
                let connection = Connection {
                    service: service.clone(),
                    tasks: connections.spawner().clone(),
                };
                let serving = connection.serve(tcp, shutdown.clone());
                connections.spawner().spawn("connection", serving);
            }
            Err(error) => {
                warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    std::future::pending().await
}

fn configure(tcp: &TcpStream) {
    let socket = socket2::SockRef::from(tcp);
    let configured = tcp
        .set_nodelay(true)
        .and_then(|()| socket.set_tcp_user_timeout(Some(USER_TIMEOUT)));
    if let Err(error) = configured {
        debug!(%error, "could not configure a connection");
    }
}

/// Serves one connection.
#[derive(Clone)]
struct Connection {
    service: HttpService,
    /// For tasks that outlive a request or the HTTP connection.
    tasks: Spawner,
}

impl Connection {
    async fn serve(self, tcp: TcpStream, shutdown: Shutdown) {
        let tcp = tokio::select! {
            biased;
            returned = self.upgrade_at_once(tcp) => match returned {
                Some(tcp) => tcp,
                None => return,
            },
            () = shutdown.draining() => return,
        };
        // In a box, so that a connection that is upgraded at once does not need the memory.
        Box::pin(self.serve_http(tcp, shutdown)).await;
    }

    async fn serve_http(self, tcp: TcpStream, shutdown: Shutdown) {
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let connection = self.clone();
            async move { Ok::<_, Infallible>(connection.respond(request.map(Body::new)).await) }
        });
        let http = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(tcp), service)
            .with_upgrades();
        tokio::pin!(http);
        let ended = tokio::select! {
            ended = http.as_mut() => ended,
            () = shutdown.draining() => {
                http.as_mut().graceful_shutdown();
                http.await
            }
        };
        if let Err(error) = ended {
            debug!(%error, "a connection ended");
        }
    }

    /// Serves a connection that begins with an upgrade to WebSocket. Returns any other connection unread.
    async fn upgrade_at_once(&self, tcp: TcpStream) -> Option<TcpStream> {
        let Some((request, length)) = upgrade::peek(&tcp, HEAD_TIMEOUT).await else {
            return Some(tcp);
        };
        let is_allowed = is_socket_io_path(request.uri.path())
            && upgrade::is_requested(&request)
            && self.service.origins.allow(&request.headers)
            && !self.service.is_rate_limited(&request);
        if !is_allowed {
            return Some(tcp);
        }
        let Ok(upgrade) = Upgrade::of(&request, &self.service.transports) else {
            return Some(tcp);
        };
        // The peeked bytes are in the kernel's buffer, so the read returns at once.
        match tcp.try_read(&mut vec![0; length]) {
            Ok(read) if read == length => upgrade.at_once(tcp, self.service.socket_io.clone()).await,
            Ok(_) | Err(_) => upgrade.fail(),
        }
        None
    }

    fn upgrade_by_http(self, mut request: Parts) -> Response<Body> {
        let Some(upgraded) = request.extensions.remove::<OnUpgrade>() else {
            return upgrade::bad_request("this connection cannot be upgraded");
        };
        match Upgrade::of(&request, &self.service.transports) {
            Ok(upgrade) => upgrade.by_http(upgraded, self.service.socket_io, &self.tasks),
            Err(reason) => upgrade::bad_request(reason),
        }
    }

    async fn respond(self, request: Request<Body>) -> Response<Body> {
        let service = &self.service;
        if !is_socket_io_path(request.uri().path()) {
            return match self.service.page.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
        }
        if !service.origins.allow(request.headers()) {
            return cors::denied();
        }
        let origin = request.headers().get(header::ORIGIN).cloned();
        let (parts, body) = request.into_parts();
        let mut response = if let Some(preflight) = cors::preflight(&parts.method, &parts.headers) {
            preflight
        } else if service.is_rate_limited(&parts) {
            service.metrics.rate_limited_connections.inc();
            rate_limited()
        } else if upgrade::is_requested(&parts) {
            return self.upgrade_by_http(parts);
        } else {
            let request = Request::from_parts(parts, body);
            let Self {
                service:
                    HttpService {
                        transports,
                        socket_io,
                        ..
                    },
                tasks,
            } = self;
            polling::serve(request, &transports, socket_io, &tasks).await
        };
        cors::expose(origin, &mut response);
        response
    }
}

impl HttpService {
    /// Whether the request opens a connection beyond the limit. Later requests of a connection contain its `sid`.
    fn is_rate_limited(&self, request: &Parts) -> bool {
        query::value(&request.uri, "sid").is_none() && !self.connect_rate.take(Instant::now())
    }
}

/// The response to a connection beyond the limit. It makes the transport fail, because a stock client then retries with
/// increasing delays; after a CONNECT_ERROR, it would not retry.
fn rate_limited() -> Response<Body> {
    let text = "too many connections at once: try again\n";
    let mut response = response(StatusCode::SERVICE_UNAVAILABLE, text);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
