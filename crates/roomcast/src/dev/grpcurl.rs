//! How grpcurl calls the control plane of `dev`.

use serde::Serialize;

/// The parts of a grpcurl command line that depend on the configuration.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Grpcurl {
    /// The options for TLS and authentication, in shell syntax, before the request.
    pub(super) options: String,
    /// `HOST:PORT`, after the request.
    pub(super) address: String,
}

/// Quotes the text, if necessary, so that a shell reads it as one argument.
pub(super) fn shell_quoted(text: &str) -> String {
    let needs_no_quotes = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@".contains(&byte);
    if !text.is_empty() && text.bytes().all(needs_no_quotes) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_one_argument_of_a_shell() {
        assert_eq!(shell_quoted("/etc/ca.pem"), "/etc/ca.pem");
        assert_eq!(shell_quoted("my ca.pem"), "'my ca.pem'");
        assert_eq!(shell_quoted("it's"), r"'it'\''s'");
        assert_eq!(shell_quoted(""), "''");
    }
}
