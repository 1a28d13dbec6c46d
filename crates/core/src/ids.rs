//! Identifiers, parsed once at the boundary. The alphabet has no character that is special in a log line, a
//! Redis key or a cursor, so an id is used in each of them without escaping.

use std::{fmt, sync::Arc};

/// The maximum length of an id, in characters (all ASCII, so also in bytes).
pub const MAX_ID_LENGTH: usize = 128;

/// Why a text is not a valid id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("must not be empty: 1 to 128 characters of A-Z a-z 0-9 . _ ~ @ : + -")]
    Empty,
    /// The text is longer than [`MAX_ID_LENGTH`].
    #[error("has {0} bytes: at most 128 characters are allowed")]
    TooLong(usize),
    /// The text has a character outside the alphabet, at this byte index.
    #[error("has a character that is not allowed at byte {0}: use A-Z a-z 0-9 . _ ~ @ : + -")]
    Character(usize),
}

fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > MAX_ID_LENGTH {
        return Err(IdError::TooLong(text.len()));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~@:+-".contains(&byte);
    match text.bytes().position(|byte| !allowed(byte)) {
        Some(at) => Err(IdError::Character(at)),
        None => Ok(()),
    }
}

macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check(text).map(|()| Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                check(&text).map(|()| Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// The id of a session of the domain (an interview), never of a connection.
    SessionId
);
id!(
    /// The id of a user: the verified identity of a socket.
    UserId
);
id!(
    /// The id of a feedback form.
    FeedbackId
);

/// A caller-chosen idempotency key: any text of 1 to 128 bytes. Unlike an id it may contain any character, so a store
/// receives only its digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a valid request id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("has {0} bytes: 1 to 128 bytes are allowed")]
pub struct RequestIdError(usize);

impl TryFrom<String> for RequestId {
    type Error = RequestIdError;
    fn try_from(text: String) -> Result<Self, RequestIdError> {
        match text.len() {
            1..=MAX_ID_LENGTH => Ok(Self(text)),
            other => Err(RequestIdError(other)),
        }
    }
}

/// An idempotency key and the request for which it was first used. It is valid within one session: the same key may be
/// used for another session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller's idempotency key.
    pub id: RequestId,
    /// SHA-256 of the method's name and of the request without its request id.
    pub fingerprint: [u8; 32],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_alphabet_is_allowed() {
        let text = "AZaz09._~@:+-";
        assert_eq!(text.parse::<SessionId>().unwrap().as_str(), text);
        assert!("x".repeat(128).parse::<UserId>().is_ok());
    }

    #[test]
    fn an_error_has_the_reason() {
        assert_eq!("".parse::<UserId>(), Err(IdError::Empty));
        assert_eq!("x".repeat(129).parse::<UserId>(), Err(IdError::TooLong(129)));
        assert_eq!("a b".parse::<UserId>(), Err(IdError::Character(1)));
        assert_eq!("ü".parse::<UserId>(), Err(IdError::Character(0)));
        for bad in ["a\n", "a{b}", "a;b", "a,b", "a/b", "a\0"] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad:?}");
        }
    }
}
