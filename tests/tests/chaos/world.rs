//! A Redis, two control planes, two edges, and a proxy on every way between them, and what happens to all of that.

use std::{net::SocketAddr, time::Duration};

use rand::{RngExt, rngs::StdRng};
use roomcast_tests::{Backend, Process, Proxy, Redis, session};
use tokio::time::sleep;

const EACH: usize = 2;

pub(crate) struct World {
    redis: Redis,
    planes: Vec<Process>,
    edges: Vec<Process>,
    /// From each control plane to Redis.
    to_redis: Vec<Proxy>,
    /// From each edge to each control plane.
    links: Vec<Vec<Proxy>>,
    /// From pages to each edge: what a load balancer is.
    balancers: Vec<Proxy>,
}

impl World {
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
            let ways: Vec<_> = links.iter().map(Proxy::addr).collect();
            let edge = Process::edge(&ways, &["--rebalance-interval", "5s"]).await;
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

    /// Where backends go.
    pub(crate) fn grpc(&self) -> Vec<SocketAddr> {
        self.planes.iter().map(|plane| plane.addr("grpc")).collect()
    }

    /// Where a page goes.
    pub(crate) fn url(&self, page: usize) -> String {
        format!("http://{}", self.balancers[page % EACH].addr())
    }

    pub(crate) async fn create(&self, id: &str, people: &str) {
        let mut backend = Backend::connect(self.planes[0].addr("grpc")).await;
        backend.publish(session(id, "1", people)).await;
    }

    /// Sends an edge's pages to the other one, where they stay until it is the other's turn.
    async fn without_edge(&mut self, n: usize, signal: &str) {
        let other = self.edges[(n + 1) % EACH].addr("http");
        for balancer in &self.balancers {
            balancer.lead_new_to(other);
        }
        self.edges[n].restart(signal).await;
        self.edges[n].ready().await;
        self.balancers[n].lead_new_to(self.edges[n].addr("http"));
    }

    /// Restarts every process, one after the other.
    pub(crate) async fn roll(&mut self) {
        for n in 0..EACH {
            self.planes[n].restart("TERM").await;
            self.planes[n].ready().await;
        }
        for n in 0..EACH {
            self.without_edge(n, "TERM").await;
        }
    }

    /// Does one thing, and what mends it.
    pub(crate) async fn suffer(&mut self, fault: Fault, random: &mut StdRng) {
        let (n, m) = (random.random_range(0..EACH), random.random_range(0..EACH));
        let pause = Duration::from_millis(random.random_range(200..5_000));
        match fault {
            Fault::EdgeKilled => self.without_edge(n, "KILL").await,
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
            Fault::PlaneRolled => self.planes[n].restart("TERM").await,
            Fault::LinkCut => {
                self.links[n][m].cut();
                sleep(pause).await;
                self.links[n][m].mend();
            }
            Fault::RedisCutOff => {
                self.to_redis[n].cut();
                sleep(pause).await;
                self.to_redis[n].mend();
            }
            Fault::PagesCutOff => {
                self.balancers[n].cut();
                sleep(pause).await;
                self.balancers[n].mend();
            }
            Fault::PagesMoved => {
                let other = self.edges[(n + 1) % EACH].addr("http");
                self.balancers[n].lead_to(other);
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
                let words = format!("CLIENT PAUSE {} ALL", pause.as_millis() / 2);
                self.redis.tell(&words).await;
                sleep(pause / 2).await;
            }
            Fault::RedisHangsUp => {
                for kind in ["normal", "pubsub"] {
                    self.redis.tell(&format!("CLIENT KILL TYPE {kind}")).await;
                }
            }
            Fault::AllRolled => self.roll().await,
        }
    }
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    EdgeKilled,
    EdgeKilledAlone,
    EdgeStopped,
    PlaneKilled,
    PlaneStopped,
    PlaneRolled,
    LinkCut,
    RedisCutOff,
    PagesCutOff,
    PagesMoved,
    RedisKilled,
    RedisStopped,
    RedisPaused,
    RedisHangsUp,
    AllRolled,
}

impl Fault {
    pub(crate) fn by_chance(random: &mut StdRng) -> Self {
        let each = [
            (Self::EdgeKilled, 3),
            (Self::EdgeKilledAlone, 1),
            (Self::EdgeStopped, 2),
            (Self::PlaneKilled, 3),
            (Self::PlaneStopped, 2),
            (Self::PlaneRolled, 1),
            (Self::LinkCut, 3),
            (Self::RedisCutOff, 2),
            (Self::PagesCutOff, 1),
            (Self::PagesMoved, 1),
            (Self::RedisKilled, 1),
            (Self::RedisStopped, 1),
            (Self::RedisPaused, 1),
            (Self::RedisHangsUp, 1),
            (Self::AllRolled, 1),
        ];
        let all: u32 = each.iter().map(|(_, weight)| weight).sum();
        let mut left = random.random_range(0..all);
        for (fault, weight) in each {
            if left < weight {
                return fault;
            }
            left -= weight;
        }
        unreachable!("less than all of them")
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::EdgeKilled => "an edge is killed, its pages go to the other",
            Self::EdgeKilledAlone => "an edge is killed, its pages wait for it",
            Self::EdgeStopped => "an edge is stopped for up to 5 s",
            Self::PlaneKilled => "a control plane is killed",
            Self::PlaneStopped => "a control plane is stopped for up to 5 s",
            Self::PlaneRolled => "a control plane is rolled",
            Self::LinkCut => "a link is cut without a word for up to 5 s",
            Self::RedisCutOff => "a control plane is cut off from Redis for up to 5 s",
            Self::PagesCutOff => "pages are cut off from their edge for up to 5 s",
            Self::PagesMoved => "pages are moved to the other edge",
            Self::RedisKilled => "Redis is killed for up to 2.5 s, and comes back with its data",
            Self::RedisStopped => "Redis is stopped for up to 2.5 s",
            Self::RedisPaused => "Redis pauses its clients for up to 2.5 s",
            Self::RedisHangsUp => "Redis ends every connection",
            Self::AllRolled => "every process is rolled, one after the other",
        }
    }
}
