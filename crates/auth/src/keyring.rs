//! All keys of a verifier, and the search among them for the one that signed a token.

use std::sync::Arc;

use jsonwebtoken::AlgorithmFamily;

use crate::clock::Clock;
use crate::error::{Reason, TokenError};
use crate::jwks::{Jwks, Seen};
use crate::key::Key;
use crate::source::{KeyError, KeySource, Source};
use crate::token::SignedToken;

#[derive(Debug)]
pub(crate) struct Keyring {
    fixed: Vec<Key>,
    sets: Vec<Arc<Jwks>>,
}

/// What one source makes of a token. Of several verdicts the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    WrongAlgorithm,
    UnknownKey,
    WrongKey,
    KeysUnavailable,
    Signed,
}

impl Keyring {
    pub(crate) fn new(sources: impl IntoIterator<Item = KeySource>) -> Result<Self, KeyError> {
        let (mut fixed, mut sets) = (Vec::new(), Vec::new());
        for KeySource(source) in sources {
            match source {
                Source::Fixed(keys) => fixed.extend(keys),
                Source::File { location, first } => sets.push(Arc::new(Jwks::new(location, Some(first)))),
                Source::Url(location) => sets.push(Arc::new(Jwks::new(location, None))),
            }
        }
        if fixed.is_empty() && sets.is_empty() {
            Err(KeyError::NoSource)
        } else {
            Ok(Self { fixed, sets })
        }
    }

    /// Whether every source has been read at least once.
    pub(crate) fn is_complete(&self) -> bool {
        self.sets.iter().all(|set| set.seen().keys.is_some())
    }

    /// Fetches every JWKS again; true where all were got.
    pub(crate) async fn refresh(&self, clock: &Clock) -> bool {
        for set in &self.sets {
            set.refresh(clock).await;
        }
        self.sets.iter().all(|set| !set.seen().stale)
    }

    /// Whether one of the keys signed the token. Keys at hand are tried before any fetch.
    pub(crate) async fn check(&self, token: &SignedToken<'_>, clock: &Clock) -> Result<(), TokenError> {
        let shared_secret = token.algorithm.family() == AlgorithmFamily::Hmac;
        let sets = self
            .sets
            .iter()
            .filter(|set| set.holds_secrets() || !shared_secret);
        let sets: Vec<_> = sets.map(|set| (set, set.seen())).collect();
        let mut verdict = of_fixed(&self.fixed, token);
        if sets
            .iter()
            .any(|(_, seen)| of_set(seen, token) == Verdict::Signed)
        {
            verdict = Verdict::Signed;
        }
        for (set, seen) in &sets {
            if verdict == Verdict::Signed {
                break;
            }
            if !names(seen, token) {
                set.refresh(clock).await;
            }
            verdict = verdict.max(of_set(&set.seen(), token));
        }
        match verdict {
            Verdict::Signed => Ok(()),
            Verdict::KeysUnavailable => Err(TokenError::KeysUnavailable),
            Verdict::WrongKey => Err(TokenError::Invalid(Reason::WrongKey)),
            Verdict::UnknownKey => Err(TokenError::Invalid(Reason::UnknownKey)),
            Verdict::WrongAlgorithm => Err(TokenError::Invalid(Reason::WrongAlgorithm)),
        }
    }
}

/// Configured keys have no `kid`; a token's is of no interest to them.
fn of_fixed(keys: &[Key], token: &SignedToken<'_>) -> Verdict {
    of_candidates(
        &keys.iter().filter(|key| key.is_for(token)).collect::<Vec<_>>(),
        token,
    )
    .unwrap_or(Verdict::WrongAlgorithm)
}

/// In a JWKS a token's `kid` picks the key; a token without one must leave no choice.
fn of_set(seen: &Seen, token: &SignedToken<'_>) -> Verdict {
    let Some(keys) = &seen.keys else {
        return Verdict::KeysUnavailable;
    };
    let fitting: Vec<&Key> = keys.iter().filter(|key| key.is_for(token)).collect();
    if fitting.is_empty() {
        return Verdict::WrongAlgorithm;
    }
    let meant: Vec<&Key> = match &token.kid {
        Some(kid) => fitting
            .into_iter()
            .filter(|key| key.kid.as_ref() == Some(kid))
            .collect(),
        None if fitting.len() == 1 => fitting,
        None => Vec::new(),
    };
    of_candidates(&meant, token).unwrap_or(Verdict::UnknownKey)
}

fn of_candidates(keys: &[&Key], token: &SignedToken<'_>) -> Option<Verdict> {
    if keys.is_empty() {
        return None;
    }
    Some(if keys.iter().any(|key| key.signed(token)) {
        Verdict::Signed
    } else {
        Verdict::WrongKey
    })
}

/// Whether the set has the very key that the token names. Where it has not, the issuer may have put in a new
/// one.
fn names(seen: &Seen, token: &SignedToken<'_>) -> bool {
    let keys = seen.keys.as_deref().unwrap_or_default();
    token.kid.is_some() && keys.iter().any(|key| key.kid == token.kid)
}
