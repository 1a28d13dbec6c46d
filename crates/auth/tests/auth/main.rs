//! Verifies tokens as edges and control planes do. The time is virtual, the keys are real, and the JWKS server is a real
//! HTTP server.

mod claims;
mod garbage;
mod issuer;
mod jwks;
mod rotation;
mod server;
mod sources;
mod tokens;
