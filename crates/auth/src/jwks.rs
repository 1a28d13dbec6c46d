//! Parses a JWKS document (RFC 7517).

use serde::Deserialize as _;
use serde_json::Value;
use tracing::debug;

use crate::key::{Jwk, Key};

/// The usable keys of a JWKS document, in its order. A key that cannot be used is skipped (RFC 7517, section 5).
///
/// `shared_secrets`: whether `oct` keys are accepted.
///
/// # Errors
/// The document is not a JWKS; the text is the reason.
pub(crate) fn parse(json: &[u8], shared_secrets: bool) -> Result<Vec<Key>, &'static str> {
    let document: Value = serde_json::from_slice(json).map_err(|_| "not JSON")?;
    let keys = document
        .get("keys")
        .and_then(Value::as_array)
        .ok_or("it has no array `keys`")?;
    let mut usable = Vec::new();
    for (index, value) in keys.iter().enumerate() {
        let key = Jwk::deserialize(value)
            .map_err(|_| "not a JWK")
            .and_then(|jwk| Key::from_jwk(&jwk, shared_secrets));
        match key {
            Ok(key) => usable.push(key),
            Err(reason) => debug!(index, reason, "skipped a key of the JWKS"),
        }
    }
    Ok(usable)
}
