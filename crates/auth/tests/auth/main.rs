//! Tokens against verifiers, as edges and control planes use them: the time is virtual, the keys are real,
//! the JWKS server is a real HTTP server.

mod claims;
mod garbage;
mod issuer;
mod jwks;
mod rotation;
mod server;
mod sources;
mod tokens;
