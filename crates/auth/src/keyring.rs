//! All keys of a verifier, and the search for the key that verifies a token.

use std::sync::Arc;

use jsonwebtoken::AlgorithmFamily;

use crate::clock::Clock;
use crate::jwks_cache::{JwksCache, JwksContent};
use crate::key::Key;
use crate::key_error::KeyError;
use crate::key_source::{KeySource, Source};
use crate::signed_token::SignedToken;
use crate::token_error::{Reason, TokenError};

#[derive(Debug)]
pub(crate) struct Keyring {
    fixed: Vec<Key>,
    jwks: Vec<Arc<JwksCache>>,
}

/// The result of a search for the token's key. If several sources are searched, the greatest result counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum KeySearch {
    WrongAlgorithm,
    UnknownKey,
    WrongKey,
    KeysUnavailable,
    Verified,
}

impl Keyring {
    pub(crate) fn new(sources: impl IntoIterator<Item = KeySource>) -> Result<Self, KeyError> {
        let (mut fixed, mut jwks) = (Vec::new(), Vec::new());
        for KeySource(source) in sources {
            match source {
                Source::Fixed(keys) => fixed.extend(keys),
                Source::File { location, keys } => jwks.push(Arc::new(JwksCache::new(location, Some(keys)))),
                Source::Url(location) => jwks.push(Arc::new(JwksCache::new(location, None))),
            }
        }
        if fixed.is_empty() && jwks.is_empty() {
            Err(KeyError::NoSource)
        } else {
            Ok(Self { fixed, jwks })
        }
    }

    /// Fetches every JWKS again and returns whether the last fetch of each succeeded.
    pub(crate) async fn refresh(&self, clock: &Clock) -> bool {
        for jwks in &self.jwks {
            jwks.refresh(clock).await;
        }
        self.jwks.iter().all(|jwks| !jwks.content().stale)
    }

    /// Checks that one of the keys verifies the token. All cached keys are tried before anything is fetched.
    pub(crate) async fn verify(&self, token: &SignedToken<'_>, clock: &Clock) -> Result<(), TokenError> {
        let is_shared_secret = token.algorithm.family() == AlgorithmFamily::Hmac;
        let candidates: Vec<_> = self
            .jwks
            .iter()
            .filter(|jwks| jwks.allows_shared_secrets() || !is_shared_secret)
            .map(|jwks| (jwks, jwks.content()))
            .collect();
        let mut result = search_fixed(&self.fixed, token);
        if candidates
            .iter()
            .any(|(_, content)| search_jwks(content, token) == KeySearch::Verified)
        {
            result = KeySearch::Verified;
        }
        for (jwks, content) in &candidates {
            if result == KeySearch::Verified {
                break;
            }
            if !contains_key_of(content, token) {
                jwks.refresh(clock).await;
            }
            result = result.max(search_jwks(&jwks.content(), token));
        }
        match result {
            KeySearch::Verified => Ok(()),
            KeySearch::KeysUnavailable => Err(TokenError::KeysUnavailable),
            KeySearch::WrongKey => Err(TokenError::Invalid(Reason::WrongKey)),
            KeySearch::UnknownKey => Err(TokenError::Invalid(Reason::UnknownKey)),
            KeySearch::WrongAlgorithm => Err(TokenError::Invalid(Reason::WrongAlgorithm)),
        }
    }
}

/// Configured keys have no `kid`, so the token's `kid` is ignored.
fn search_fixed(keys: &[Key], token: &SignedToken<'_>) -> KeySearch {
    let keys: Vec<&Key> = keys.iter().filter(|key| key.allows_algorithm_of(token)).collect();
    try_keys(&keys, token).unwrap_or(KeySearch::WrongAlgorithm)
}

/// In a JWKS, the token's `kid` selects the key. A token without a `kid` is accepted only if exactly one key is possible.
fn search_jwks(content: &JwksContent, token: &SignedToken<'_>) -> KeySearch {
    let Some(keys) = &content.keys else {
        return KeySearch::KeysUnavailable;
    };
    let possible: Vec<&Key> = keys.iter().filter(|key| key.allows_algorithm_of(token)).collect();
    if possible.is_empty() {
        return KeySearch::WrongAlgorithm;
    }
    let selected: Vec<&Key> = match &token.kid {
        Some(kid) => possible
            .into_iter()
            .filter(|key| key.kid.as_ref() == Some(kid))
            .collect(),
        None if possible.len() == 1 => possible,
        None => Vec::new(),
    };
    try_keys(&selected, token).unwrap_or(KeySearch::UnknownKey)
}

/// `None` if there is no key to try.
fn try_keys(keys: &[&Key], token: &SignedToken<'_>) -> Option<KeySearch> {
    if keys.is_empty() {
        return None;
    }
    Some(if keys.iter().any(|key| key.verifies(token)) {
        KeySearch::Verified
    } else {
        KeySearch::WrongKey
    })
}

/// Whether the JWKS contains a key with the token's `kid`. If not, the issuer may have added a key since the last fetch.
fn contains_key_of(content: &JwksContent, token: &SignedToken<'_>) -> bool {
    let keys = content.keys.as_deref().unwrap_or_default();
    token.kid.is_some() && keys.iter().any(|key| key.kid == token.kid)
}
