//! What is wrong with a request: every field that is, by its path.

use std::fmt::{self, Display};

/// Violations that one error names at most. They travel in HTTP/2 trailers, whose size clients bound.
pub const MAX_VIOLATIONS: usize = 16;
/// Bytes that a violation's field and description have at most, each.
const MAX_TEXT_BYTES: usize = 160;

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its path from the request, such as `session.participants.list[1].role`; empty: the request itself.
    pub field: String,
    /// What is wrong with it and what is right.
    pub description: String,
}

/// The input is not what it has to be. At least one violation, [`MAX_VIOLATIONS`] at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(Vec<Violation>);

impl Invalid {
    /// One field that is wrong.
    pub fn one(field: impl Display, description: impl Display) -> Self {
        let mut fields = Fields::default();
        fields.add(field, description);
        Self(fields.0)
    }

    /// A list, whose members are called so, with more of them than are allowed.
    ///
    /// # Errors
    /// There are more.
    pub fn if_more(field: &str, members: &str, count: usize, most: usize) -> Result<(), Self> {
        if count <= most {
            return Ok(());
        }
        let description = format_args!("has {count} {members}: at most {most} are allowed");
        Err(Self::one(field, description))
    }

    /// The fields that are wrong.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0
    }

    /// The first violation, and how many there are beside it: short enough for a header.
    #[must_use]
    pub fn brief(&self) -> String {
        match &self.0[..] {
            [] => String::new(),
            [only] => only.to_string(),
            [first, others @ ..] => format!("{first} (and {} more)", others.len()),
        }
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

/// Collects violations while fields are parsed, so that a caller learns of all of them at once.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<Violation>);

impl Fields {
    pub(crate) fn add(&mut self, field: impl Display, description: impl Display) {
        if self.0.len() < MAX_VIOLATIONS {
            let (field, description) = (cut(field.to_string()), cut(description.to_string()));
            self.0.push(Violation { field, description });
        }
    }

    /// The value, or `None` and a violation of the field.
    pub(crate) fn check<T, E: Display>(&mut self, field: impl Display, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.add(field, error)).ok()
    }

    /// The value that was built while nothing was wrong.
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

/// Names of fields of a Struct are the caller's, as long as they like.
fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        text.push('…');
    }
    text
}
