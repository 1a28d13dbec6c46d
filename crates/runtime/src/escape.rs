//! Makes untrusted text safe for a line of output.

/// The text with its control characters escaped, so that it stays on one line and cannot control a terminal.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// The text in double quotes, with quotes and control characters escaped.
pub(crate) fn quoted(text: &str) -> String {
    format!("{text:?}")
}
