//! Verifies tokens: who may open a socket, and who may call the control plane.
//!
//! A [`Verifier`] holds the keys for one audience (users or services) and turns a JWT into an [`Identity`] or a
//! [`TokenError`]. Keys are configured as [`KeySource`]s: a shared secret, public keys in PEM, or a JWKS in a file or at
//! a URL, which is cached and fetched again.
//!
//! This crate must never choose an algorithm from the token alone (the type of the key decides), accept a token of one
//! audience for the other, log or `Debug`-print a token or a key, or depend on gRPC or Socket.IO. Each task that it
//! starts is one fetch, which ends within 5 s.

mod clock;
mod jwks;
mod jwks_cache;
mod jwks_location;
mod key;
mod key_error;
mod key_source;
mod keyring;
mod mint;
mod policy;
mod signed_token;
mod token_error;
mod verifier;

pub use clock::Clock;
pub use jwks_cache::MIN_FETCH_INTERVAL;
pub use jwks_location::MAX_JWKS_BYTES;
pub use key_error::KeyError;
pub use key_source::KeySource;
pub use mint::{DEV_SECRET, MintClaims, is_dev_secret, mint};
pub use policy::{Identity, MAX_TIME, SERVICE_AUDIENCE, UserTokens};
pub use signed_token::MAX_TOKEN_BYTES;
pub use token_error::{Reason, TokenError};
pub use verifier::{REFRESH_INTERVAL, Verifier, bearer};
