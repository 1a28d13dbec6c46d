//! A Redis, two control planes and two edges, with a proxy on every connection between them, and their faults.

use std::{net::SocketAddr, time::Duration};

use rand::{RngExt, rngs::StdRng};
use roomcast_tests::{Backend, Process, Proxy, Redis, session};
use tokio::time::sleep;

const EACH: usize = 2;

pub(crate) struct Deployment {
    redis: Redis,
    planes: Vec<Process>,
    edges: Vec<Process>,
    /// The proxies from each control plane to Redis.
    to_redis: Vec<Proxy>,
    /// The proxies from each edge to each control plane.
    links: Vec<Vec<Proxy>>,
    /// The proxies from pages to each edge, in place of a load balancer.
    balancers: Vec<Proxy>,
}

impl Deployment {
    pub(crate) async fn start() -> Self {
        let redis = Redis::durable().await;
        let mut it = Self {
            redis,
            planes: vec![],
            edges: vec![],
            to_redis: vec![],
            links: vec![],
            balancers: vec![],
        };
        for _ in 0..EACH {
            let to_redis = Proxy::start(it.redis.addr()).await;
            let url = format!("redis://{}", to_redis.addr());
            it.planes.push(Process::control_plane(&url, &[]).await);
            it.to_redis.push(to_redis);
        }
        for _ in 0..EACH {
            let mut links = Vec::new();
            for plane in &it.planes {
                links.push(Proxy::start(plane.addr("grpc")).await);
            }
            let control_planes: Vec<_> = links.iter().map(Proxy::addr).collect();
            let edge = Process::edge(&control_planes, &["--rebalance-interval", "5s"]).await;
            it.balancers.push(Proxy::start(edge.addr("http")).await);
            it.edges.push(edge);
            it.links.push(links);
        }
        for process in it.planes.iter_mut().chain(&mut it.edges) {
            process.expect_errors();
            process.ready().await;
        }
        it
    }

    /// The addresses for backends.
    pub(crate) fn grpc(&self) -> Vec<SocketAddr> {
        self.planes.iter().map(|plane| plane.addr("grpc")).collect()
    }

    /// The URL for this page.
    pub(crate) fn url(&self, page: usize) -> String {
        format!("http://{}", self.balancers[page % EACH].addr())
    }

    pub(crate) async fn create(&self, id: &str, participants: &str) {
        let mut backend = Backend::connect(self.planes[0].addr("grpc")).await;
        backend.publish(session(id, "1", participants)).await;
    }

    /// Restarts an edge while its pages connect to the other one, where they stay.
    async fn restart_edge(&mut self, n: usize, signal: &str) {
        let other = self.edges[(n + 1) % EACH].addr("http");
        for balancer in &self.balancers {
            balancer.redirect_new(other);
        }
        self.edges[n].restart(signal).await;
        self.edges[n].ready().await;
        self.balancers[n].redirect_new(self.edges[n].addr("http"));
    }

    /// Restarts every process, one after the other.
    pub(crate) async fn rolling_restart(&mut self) {
        for n in 0..EACH {
            self.planes[n].restart("TERM").await;
            self.planes[n].ready().await;
        }
        for n in 0..EACH {
            self.restart_edge(n, "TERM").await;
        }
    }

    /// Injects one fault, and ends it.
    pub(crate) async fn inject(&mut self, fault: Fault, random: &mut StdRng) {
        let (n, m) = (random.random_range(0..EACH), random.random_range(0..EACH));
        let pause = Duration::from_millis(random.random_range(200..5_000));
        match fault {
            Fault::EdgeKilled => self.restart_edge(n, "KILL").await,
            Fault::EdgeKilledAlone => self.edges[n].restart("KILL").await,
            Fault::EdgeStopped => {
                self.edges[n].signal("STOP");
                sleep(pause).await;
                self.edges[n].signal("CONT");
            }
            Fault::PlaneKilled => self.planes[n].restart("KILL").await,
            Fault::PlaneStopped => {
                self.planes[n].signal("STOP");
                sleep(pause).await;
                self.planes[n].signal("CONT");
            }
            Fault::PlaneRestarted => self.planes[n].restart("TERM").await,
            Fault::LinkCut => {
                self.links[n][m].cut();
                sleep(pause).await;
                self.links[n][m].restore();
            }
            Fault::RedisCutOff => {
                self.to_redis[n].cut();
                sleep(pause).await;
                self.to_redis[n].restore();
            }
            Fault::PagesCutOff => {
                self.balancers[n].cut();
                sleep(pause).await;
                self.balancers[n].restore();
            }
            Fault::PagesMoved => {
                let other = self.edges[(n + 1) % EACH].addr("http");
                self.balancers[n].redirect(other);
            }
            Fault::RedisKilled => {
                self.redis.kill().await;
                sleep(pause / 2).await;
                self.redis.restart().await;
            }
            Fault::RedisStopped => {
                self.redis.signal("STOP");
                sleep(pause / 2).await;
                self.redis.signal("CONT");
            }
            Fault::RedisPaused => {
                let command = format!("CLIENT PAUSE {} ALL", pause.as_millis() / 2);
                self.redis.command(&command).await;
                sleep(pause / 2).await;
            }
            Fault::RedisClosesConnections => {
                for kind in ["normal", "pubsub"] {
                    self.redis.command(&format!("CLIENT KILL TYPE {kind}")).await;
                }
            }
            Fault::AllRestarted => self.rolling_restart().await,
        }
    }
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    EdgeKilled,
    EdgeKilledAlone,
    EdgeStopped,
    PlaneKilled,
    PlaneStopped,
    PlaneRestarted,
    LinkCut,
    RedisCutOff,
    PagesCutOff,
    PagesMoved,
    RedisKilled,
    RedisStopped,
    RedisPaused,
    RedisClosesConnections,
    AllRestarted,
}

impl Fault {
    pub(crate) fn random_kind(random: &mut StdRng) -> Self {
        let each = [
            (Self::EdgeKilled, 3),
            (Self::EdgeKilledAlone, 1),
            (Self::EdgeStopped, 2),
            (Self::PlaneKilled, 3),
            (Self::PlaneStopped, 2),
            (Self::PlaneRestarted, 1),
            (Self::LinkCut, 3),
            (Self::RedisCutOff, 2),
            (Self::PagesCutOff, 1),
            (Self::PagesMoved, 1),
            (Self::RedisKilled, 1),
            (Self::RedisStopped, 1),
            (Self::RedisPaused, 1),
            (Self::RedisClosesConnections, 1),
            (Self::AllRestarted, 1),
        ];
        let all: u32 = each.iter().map(|(_, weight)| weight).sum();
        let mut left = random.random_range(0..all);
        for (fault, weight) in each {
            if left < weight {
                return fault;
            }
            left -= weight;
        }
        unreachable!("the number is less than the sum of the weights")
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::EdgeKilled => "an edge is killed, its pages go to the other",
            Self::EdgeKilledAlone => "an edge is killed, its pages wait for its restart",
            Self::EdgeStopped => "an edge is stopped for up to 5 s",
            Self::PlaneKilled => "a control plane is killed",
            Self::PlaneStopped => "a control plane is stopped for up to 5 s",
            Self::PlaneRestarted => "a control plane is restarted",
            Self::LinkCut => "a link is cut for up to 5 s",
            Self::RedisCutOff => "a control plane is cut off from Redis for up to 5 s",
            Self::PagesCutOff => "pages are cut off from their edge for up to 5 s",
            Self::PagesMoved => "pages are moved to the other edge",
            Self::RedisKilled => "Redis is killed for up to 2.5 s, and restarted with its data",
            Self::RedisStopped => "Redis is stopped for up to 2.5 s",
            Self::RedisPaused => "Redis pauses its clients for up to 2.5 s",
            Self::RedisClosesConnections => "Redis closes every connection",
            Self::AllRestarted => "every process is restarted, one after the other",
        }
    }
}
