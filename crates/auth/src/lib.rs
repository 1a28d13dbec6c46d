//! Tokens in, identities out: who may open a socket, and who may call the control plane.
//!
//! A [`Verifier`] holds the keys of one audience (users, or services) and turns a JWT into an [`Identity`] or
//! a [`TokenError`]. Keys come from [`KeySource`]s: a shared secret, PEM public keys, or a JWKS in a file or
//! at a URL, which is cached and refreshed.
//!
//! What it must never do: take an algorithm from a token alone (the key's type decides), let one audience's
//! token pass for the other's, log or `Debug`-print a token or a key, or know of gRPC and Socket.IO. It
//! starts no task that outlives one bounded fetch.

mod claims;
mod clock;
mod error;
mod fetch;
mod jwks;
mod key;
mod keyring;
mod mint;
mod source;
mod token;
mod verifier;

pub use claims::{Identity, MAX_TIME, NOT_BEFORE_LEEWAY, SERVICE_AUDIENCE, UserTokens};
pub use clock::Clock;
pub use error::{Reason, TokenError};
pub use fetch::{FETCH_TIMEOUT, MAX_JWKS_BYTES};
pub use jwks::REFRESH_GAP;
pub use key::GOOD_SECRET_BYTES;
pub use mint::{DEV_SECRET, MintClaims, is_dev_secret, mint};
pub use source::{KeyError, KeySource};
pub use token::MAX_TOKEN_BYTES;
pub use verifier::{REFRESH_INTERVAL, Verifier, bearer};
