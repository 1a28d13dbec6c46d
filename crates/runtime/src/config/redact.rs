//! Removes secrets from values and error texts before they are printed.
//!
//! Secrets are the values of options whose name contains `secret`, `token`, `key` or `password`, and the text before the
//! `@` of a URL.

use crate::escape::{one_line, quoted};

/// Printed instead of a secret.
pub(super) const HIDDEN: &str = "<hidden>";

/// The value of `option`, quoted on one line and without secrets.
pub(super) fn redacted_value(option: &str, value: &str) -> String {
    if is_secret(option) {
        return HIDDEN.to_owned();
    }
    quoted(&without_credentials(option, value))
}

/// The reason on one line, without the secrets of `value`, which it may contain.
pub(super) fn redacted_reason(option: &str, value: &str, reason: &str) -> String {
    let safe = if is_secret(option) {
        HIDDEN.to_owned()
    } else {
        without_credentials(option, value)
    };
    if value.is_empty() || safe == value {
        return one_line(reason);
    }
    one_line(&reason.replace(value, &safe))
}

/// Whether the value of `option` is a secret.
pub(super) fn is_secret(option: &str) -> bool {
    ["secret", "token", "key", "password"]
        .iter()
        .any(|part| option.contains(part))
}

fn without_credentials(option: &str, value: &str) -> String {
    let authority = value.find("://").map(|scheme_end| scheme_end + 3);
    match (authority, value.rfind('@')) {
        (Some(start), Some(at)) if start <= at => format!("{}{HIDDEN}{}", &value[..start], &value[at..]),
        (_, Some(at)) if option.contains("url") => format!("{HIDDEN}{}", &value[at..]),
        _ => value.to_owned(),
    }
}
