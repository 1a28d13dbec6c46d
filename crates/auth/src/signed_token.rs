//! A JWT in compact form (RFC 7515, section 7.1), parsed but not verified.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::token_error::{Reason, TokenError};

/// The length limit of a token, in bytes. A longer token is invalid and is not parsed.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The members of the header that are used. References to keys (`jku`, `jwk`, `x5u`, `x5c`) are deliberately ignored:
/// the sender must not choose the key.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// A token with a valid header. Its `Debug` shows nothing of the token.
pub(crate) struct SignedToken<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    /// The text that is signed: header, dot, payload.
    pub(crate) signed_part: &'a [u8],
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
        let (signed_part, signature) = token
            .rsplit_once('.')
            .ok_or(TokenError::Invalid(Reason::Malformed))?;
        let (header, payload) = signed_part
            .split_once('.')
            .ok_or(TokenError::Invalid(Reason::Malformed))?;
        let Header { alg, kid, crit } = decode(header)?;
        if crit.is_some() {
            return Err(TokenError::Invalid(Reason::CriticalHeader));
        }
        let algorithm = alg
            .parse()
            .map_err(|_| TokenError::Invalid(Reason::WrongAlgorithm))?;
        Ok(Self {
            algorithm,
            kid,
            signed_part: signed_part.as_bytes(),
            signature,
            payload,
        })
    }

    pub(crate) fn claims(&self) -> Result<Map<String, Value>, TokenError> {
        decode(self.payload)
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, TokenError> {
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
