//! The world of a test: an edge, its control planes and its browsers.

use std::{net::SocketAddr, time::Duration};

use prometheus_client::encoding::text::encode;
use roomcast_auth::{Clock, KeySource, MintClaims, UserTokens, Verifier, mint};
use roomcast_core::{Event, RoomId, Session};
use roomcast_edge::{ClientTls, Config, Drain, Limits, Origins, Process};
use roomcast_runtime::{
    admin::Readiness,
    lifecycle::{Shutdown, Tasks},
    metrics::{Registry, registry},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::Instant};
use tracing::Level;

use crate::{
    browser::Browser,
    control_plane::{Call, ControlPlane},
    log_lines::LogLines,
    logs::{Logs, creation},
    time::{StoppedTime, eventually},
};

/// The interval of the edge's pings to its control plane, which is the step of time.
pub(crate) const STEP: Duration = Duration::from_millis(500);
/// The id of the edge.
pub(crate) const EDGE: &str = "edge-under-test";
/// How often the other tasks make progress before more time passes, where nothing can be waited for.
const PROGRESS: usize = 100;
const SECRET: &[u8] = b"a-secret-of-thirty-two-bytes-long";
/// The time of day at which a test begins, in seconds since the Unix epoch.
const BEGIN: i64 = 1_746_667_200;

/// An edge with its control planes. The edge's clock begins at [`BEGIN`] and passes with the paused time.
pub(crate) struct World {
    pub(crate) edge: SocketAddr,
    pub(crate) control_planes: Vec<ControlPlane>,
    pub(crate) logs: Logs,
    pub(crate) shutdown: Shutdown,
    pub(crate) readiness: Readiness,
    pub(crate) log_lines: LogLines,
    pub(crate) tasks: Tasks,
    registry: Registry,
    began: Instant,
    _stopped_time: StoppedTime,
}

impl World {
    /// An edge that is attached to one of this many control planes.
    pub(crate) async fn start(control_planes: usize) -> Self {
        Self::with(control_planes, |_| {}).await
    }

    /// The same with another configuration.
    pub(crate) async fn with(control_planes: usize, configure: impl FnOnce(&mut Config)) -> Self {
        let world = Self::not_attached(control_planes, |_| {}, configure).await;
        eventually("the first attachment", || world.readiness.check().ok()).await;
        world
    }

    /// An edge whose control planes are scripted before it starts. It may not be attached.
    pub(crate) async fn not_attached(
        control_planes: usize,
        script: impl Fn(&ControlPlane),
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let stopped_time = StoppedTime::begin();
        let log_lines = LogLines::capture();
        let (logs, began) = (Logs::default(), Instant::now());
        let mut started = Vec::new();
        for number in 0..control_planes {
            let control_plane = ControlPlane::start(&format!("control-plane-{number}"), &logs).await;
            script(&control_plane);
            started.push(control_plane);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let edge = listener.local_addr().unwrap();
        let (shutdown, mut registry) = (Shutdown::new(), registry("test", &[], BEGIN * 1_000));
        let (tasks, readiness) = (Tasks::new(shutdown.clone()), Readiness::new(shutdown.clone()));
        let mut config = config(&started, began);
        configure(&mut config);
        let process = Process {
            tasks: &tasks,
            shutdown: &shutdown,
            readiness: &readiness,
            registry: &mut registry,
        };
        roomcast_edge::serve(config, listener, process);
        Self {
            edge,
            control_planes: started,
            logs,
            shutdown,
            readiness,
            log_lines,
            tasks,
            registry,
            began,
            _stopped_time: stopped_time,
        }
    }

    /// The indexes of the control plane that feeds the edge, and of another one.
    pub(crate) fn current_and_other(&self) -> (usize, usize) {
        let is_attached = |at: &usize| self.control_planes[*at].is_attached();
        let current = (0..self.control_planes.len()).find(is_attached).unwrap();
        (current, (current + 1) % self.control_planes.len())
    }

    /// Lets one [`STEP`] of time pass, and waits until the control plane that feeds the edge has received the ping that
    /// is due then.
    pub(crate) async fn step(&self) {
        let attached = self.control_planes.iter().find(|it| it.is_attached());
        let pings = attached.map(|it| it.count(&Call::Ping));
        tokio::time::advance(STEP).await;
        if let (Some(control_plane), Some(pings)) = (attached, pings) {
            control_plane.called(&Call::Ping, pings + 1).await;
        }
    }

    /// Lets time pass in steps.
    pub(crate) async fn pass(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.step().await;
        }
    }

    /// Lets time pass until `check` returns a value, and returns how long that took. The other tasks and the connections make
    /// progress before each step, but more time may pass than is needed.
    pub(crate) async fn pass_until<T>(&self, mut check: impl FnMut() -> Option<T>) -> Duration {
        let started = Instant::now();
        while check().is_none() {
            assert!(started.elapsed() < Duration::from_secs(3_600), "nothing happens");
            self.step().await;
            for _ in 0..PROGRESS {
                tokio::task::yield_now().await;
            }
        }
        started.elapsed()
    }

    /// A token of this user that expires after this time.
    pub(crate) fn token(&self, user: &str, ttl: Duration) -> String {
        let claims = MintClaims {
            subject: user.to_owned(),
            audience: None,
            issuer: None,
            issued_at: BEGIN + i64::try_from(self.began.elapsed().as_secs()).unwrap(),
            ttl,
        };
        mint(SECRET, &claims)
    }

    /// The `auth` of this user, with a token that lasts longer than a test.
    pub(crate) fn auth(&self, user: &str) -> Value {
        json!({ "token": self.token(user, Duration::from_secs(3_600)) })
    }

    /// A connected browser of this user.
    pub(crate) async fn browser(&self, user: &str) -> Browser {
        let browser = Browser::open(user, self.edge).await;
        browser.connect(&self.auth(user)).await;
        browser
    }

    /// A browser of this user that has sent CONNECT.
    pub(crate) async fn start_connecting(&self, user: &str) -> Browser {
        let browser = Browser::open(user, self.edge).await;
        browser.send_connect(&self.auth(user));
        browser
    }

    /// A connected browser of this user that has joined a session.
    pub(crate) async fn member(&self, user: &str, session: &str) -> Browser {
        let mut browser = self.browser(user).await;
        browser.join(session).await;
        browser
    }

    /// The same with a small receive buffer.
    pub(crate) async fn slow_member(&self, user: &str, session: &str) -> Browser {
        let mut browser = Browser::open_slow(user, self.edge).await;
        browser.connect(&self.auth(user)).await;
        browser.join(session).await;
        browser
    }

    /// Appends an event to a room's log, and lets the control planes feed it.
    pub(crate) fn publish(&self, room: &RoomId, event: Event) {
        let entry = self.logs.append(room, event);
        for control_plane in &self.control_planes {
            control_plane.deliver(room, &entry);
        }
    }

    /// Creates a session whose participants are observers.
    pub(crate) fn create_session(&self, id: &str, users: &[&str]) {
        self.publish(&session_room(id), creation(id, users));
    }

    /// Sets the status of a session.
    pub(crate) fn set_status(&self, id: &str, status: &str) {
        let session = Session {
            status: status.into(),
            ..Session::clone(&self.logs.session(&id.parse().unwrap()).unwrap())
        };
        let event = Event::SessionUpdated {
            session: session.into(),
            removed: Vec::new(),
        };
        self.publish(&session_room(id), event);
    }

    /// The value of a metric of the edge, such as `sockets`.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let prefix = format!("roomcast_edge_{name} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&prefix));
        value
            .unwrap_or_else(|| panic!("no {name}: {text}"))
            .parse()
            .unwrap()
    }

    /// Waits until a metric has this value.
    pub(crate) async fn metric_is(&self, name: &str, value: u64) {
        eventually(&format!("{name} to be {value}"), || {
            (self.metric(name) == value).then_some(())
        })
        .await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.log_lines.at(Level::ERROR), [""; 0], "no error may be logged");
        }
    }
}

fn config(control_planes: &[ControlPlane], began: Instant) -> Config {
    let clock = Clock::new(move || BEGIN * 1_000 + i64::try_from(began.elapsed().as_millis()).unwrap());
    let key = KeySource::secret(SECRET).unwrap();
    let address = |control_plane: &ControlPlane| format!("http://{}", control_plane.address).parse().unwrap();
    Config {
        edge_id: EDGE.parse().unwrap(),
        control_planes: control_planes.iter().map(address).collect(),
        rebalance: Duration::MAX,
        api_token: None,
        tls: ClientTls::default(),
        origins: Origins::Any,
        verifier: Verifier::users([key], UserTokens::default(), clock).unwrap(),
        page: None,
        limits: Limits::DEFAULT,
        drain: Drain::default(),
    }
}

pub(crate) fn session_room(id: &str) -> RoomId {
    RoomId::Session(id.parse().unwrap())
}

pub(crate) fn user_room(id: &str) -> RoomId {
    RoomId::User(id.parse().unwrap())
}
