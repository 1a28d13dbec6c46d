//! The invalid fields of a message, each with its path.

use std::fmt::{self, Display};

/// The most violations that one error names. They travel in HTTP/2 trailers, whose size clients limit.
const MAX_VIOLATIONS: usize = 16;
/// The most bytes of a violation's field, and of its description. Longer texts are truncated.
const MAX_TEXT_BYTES: usize = 160;

/// One invalid field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path from the request, such as `session.participants.list[1].role`; empty: the request itself.
    pub field: String,
    /// Why the field is invalid, and what is valid.
    pub description: String,
}

/// A message is invalid. Contains 1 to 16 violations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(Vec<Violation>);

impl Invalid {
    /// A message with one invalid field.
    pub fn one(field: impl Display, description: impl Display) -> Self {
        let mut fields = Fields::default();
        fields.add(field, description);
        Self(fields.0)
    }

    /// Checks the length of a list against a limit. `elements` is the plural noun for its elements.
    ///
    /// # Errors
    /// The list is longer than the limit.
    pub fn check_length(field: &str, elements: &str, length: usize, limit: usize) -> Result<(), Self> {
        if length <= limit {
            return Ok(());
        }
        let description = format_args!("has {length} {elements}: at most {limit} are allowed");
        Err(Self::one(field, description))
    }

    /// The invalid fields.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0
    }
}

impl Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.field.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.field, self.description)
    }
}

impl Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("; "))
    }
}

impl std::error::Error for Invalid {}

/// Collects violations while the fields of a message are parsed, so that the caller learns of all of them at once.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<Violation>);

impl Fields {
    pub(crate) fn add(&mut self, field: impl Display, description: impl Display) {
        if self.0.len() < MAX_VIOLATIONS {
            let field = truncate(field.to_string());
            let description = truncate(description.to_string());
            self.0.push(Violation { field, description });
        }
    }

    /// The parsed value, or `None` after adding a violation of the field.
    pub(crate) fn check<T, E: Display>(&mut self, field: impl Display, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.add(field, error)).ok()
    }

    /// The message that was built from the fields, if there are no violations.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Invalid> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            Some(_) | None => {
                if self.0.is_empty() {
                    self.add("", "is not complete");
                }
                Err(Invalid(self.0))
            }
        }
    }
}

/// Limits the length of a text, because callers choose the names of a Struct's fields.
fn truncate(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        text.push('…');
    }
    text
}
