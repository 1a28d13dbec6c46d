//! Control planes and edges over one Redis.

use crate::{Backend, Process, Redis};

/// What is deployed together.
#[derive(Debug)]
pub struct Cluster {
    /// The store.
    pub redis: Redis,
    /// The control planes.
    pub control_planes: Vec<Process>,
    /// The edges.
    pub edges: Vec<Process>,
}

impl Cluster {
    /// Starts so many of each over a Redis that forgets everything when it ends, and waits until they are ready.
    pub async fn start(control_planes: usize, edges: usize) -> Self {
        Self::over(Redis::start().await, control_planes, edges).await
    }

    /// Starts so many of each over a Redis, and waits until they are ready.
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
            // Each edge prefers another control plane.
            let mut addrs = addrs.clone();
            addrs.rotate_left(n % control_planes);
            it.edges.push(Process::edge(&addrs, &[]).await);
        }
        for process in it.control_planes.iter().chain(&it.edges) {
            process.ready().await;
        }
        it
    }

    /// A backend of one of the control planes.
    pub async fn backend(&self, control_plane: usize) -> Backend {
        Backend::connect(self.control_planes[control_plane].addr("grpc")).await
    }
}
