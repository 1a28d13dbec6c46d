//! The error for a value that is invalid for a reason that the command line parser cannot detect.

use std::fmt::Display;

use super::redact::{redacted_reason, redacted_value};

/// An option with an unusable value, as one line: `--flag "value": reason`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag} {value}: {reason}")]
pub struct ConfigError {
    flag: String,
    /// The value, in which secrets are replaced.
    value: String,
    reason: String,
}

impl ConfigError {
    /// `flag` has its dashes, as in `--grpc-addr`.
    ///
    /// The value is not stored if the name of the option contains `secret`, `token`, `key` or `password`; the
    /// credentials of a URL are never stored.
    pub fn new(flag: &str, value: impl Display, reason: impl Display) -> Self {
        let (value, reason) = (value.to_string(), reason.to_string());
        Self {
            flag: flag.to_owned(),
            reason: redacted_reason(flag, &value, &reason),
            value: redacted_value(flag, &value),
        }
    }
}
