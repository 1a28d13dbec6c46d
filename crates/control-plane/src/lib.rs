//! The control plane: gRPC for backends and edges, over a store.
//!
//! Use cases decide nothing that the core or the store decides; the hub feeds edges and watchers. This crate
//! must never know the edge or Socket.IO, nor which store it runs on.

mod attach;
mod by_size;
mod calls;
mod commands;
mod config;
mod edge_service;
mod follower;
mod health;
mod hub;
mod method;
mod metrics;
mod portion;
mod reads;
mod server;
mod session_service;
mod tls;
mod use_cases;
mod watch;

pub use config::{ApiTokens, Config};
pub use server::{ControlPlane, ServeError};
pub use tls::{Tls, TlsError};
