//! The control plane: gRPC for backends and edges, over a store.
//!
//! Use cases decide nothing that the core or the store decides; the hub feeds edges and watchers. This crate
//! must never know the edge or Socket.IO, nor which store it runs on.

mod backends;
mod edges;
mod grpc;
mod hub;
mod limits;
mod metrics;
mod response_size;
mod use_cases;

pub use grpc::{ApiTokens, Config, ControlPlane, ServeError, Tls, TlsError};
