//! Control planes and edges over one Redis.

use crate::{Backend, Process, Redis};

/// Processes that are deployed together.
#[derive(Debug)]
pub struct Cluster {
    /// The store of the control planes.
    pub redis: Redis,
    /// All of them are connected to `redis`.
    pub control_planes: Vec<Process>,
    /// Edge n prefers control plane n. Each edge has the addresses of all control planes.
    pub edges: Vec<Process>,
}

impl Cluster {
    /// Starts these numbers of processes over a Redis without persistence, and waits until they are ready.
    pub async fn start(control_planes: usize, edges: usize) -> Self {
        Self::over(Redis::start().await, control_planes, edges).await
    }

    /// Starts these numbers of processes over a Redis, and waits until they are ready.
    pub async fn over(redis: Redis, control_planes: usize, edges: usize) -> Self {
        let mut it = Self {
            redis,
            control_planes: vec![],
            edges: vec![],
        };
        for _ in 0..control_planes {
            it.control_planes
                .push(Process::control_plane(&it.redis.url(), &[]).await);
        }
        let addrs: Vec<_> = it.control_planes.iter().map(|it| it.addr("grpc")).collect();
        for n in 0..edges {
            let mut addrs = addrs.clone();
            addrs.rotate_left(n % control_planes);
            it.edges.push(Process::edge(&addrs, &[]).await);
        }
        for process in it.control_planes.iter().chain(&it.edges) {
            process.ready().await;
        }
        it
    }

    /// Connects a backend to the control plane of this index.
    pub async fn backend(&self, control_plane: usize) -> Backend {
        Backend::connect(self.control_planes[control_plane].addr("grpc")).await
    }
}
