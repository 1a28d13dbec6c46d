//! The control plane: gRPC for backends and edges, over a store.
//!
//! Layers, from the top: `grpc` (the server and what all calls have in common), `backends` and `edges` (the two
//! services), `hub` (one feed for each room of interest), `use_cases`, then `response_size`, `metrics`, `tasks` and
//! `limits`. A file imports only from its own folder or from a lower layer.
//!
//! This crate contains no rules of its own: the core and the store decide. It must never depend on the edge, on
//! Socket.IO, or on a particular store.

mod backends;
mod edges;
mod grpc;
mod hub;
mod limits;
mod metrics;
mod response_size;
mod tasks;
mod use_cases;

pub use grpc::{ApiTokens, Config, ControlPlane, ServeError, Tls, TlsError};
