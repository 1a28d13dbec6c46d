//! A JWT in compact form (RFC 7515, section 7.1), taken apart but not yet believed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{Reason, TokenError};

/// The longest token that is looked at, in bytes. A longer one is refused before anything is parsed.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Header parts that matter. Hints at keys inside the token (`jku`, `jwk`, `x5u`, `x5c`) are deliberately not
/// read.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// The parts of a token whose header could be read. `Debug` shows nothing of them.
pub(crate) struct SignedToken<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    /// Header and payload as they were signed.
    pub(crate) signed: &'a [u8],
    pub(crate) signature: &'a str,
    payload: &'a str,
}

impl<'a> SignedToken<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.is_empty() {
            return Err(TokenError::Missing);
        }
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid(Reason::TooLong));
        }
        let (signed, signature) = token
            .rsplit_once('.')
            .ok_or(TokenError::Invalid(Reason::Malformed))?;
        let (header, payload) = signed
            .split_once('.')
            .ok_or(TokenError::Invalid(Reason::Malformed))?;
        let Header { alg, kid, crit } = decoded(header)?;
        if crit.is_some() {
            return Err(TokenError::Invalid(Reason::CriticalHeader));
        }
        let algorithm = alg
            .parse()
            .map_err(|_| TokenError::Invalid(Reason::WrongAlgorithm))?;
        Ok(Self {
            algorithm,
            kid,
            signed: signed.as_bytes(),
            signature,
            payload,
        })
    }

    pub(crate) fn claims(&self) -> Result<Map<String, Value>, TokenError> {
        decoded(self.payload)
    }
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, TokenError> {
    let json = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Invalid(Reason::Malformed))?;
    serde_json::from_slice(&json).map_err(|_| TokenError::Invalid(Reason::Malformed))
}

impl fmt::Debug for SignedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedToken")
    }
}
