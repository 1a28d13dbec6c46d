//! The TOML file of `--config`: top-level keys named as the flags.
//!
//! It must never show the text around an error, which may hold a secret.

use std::fs;

use toml::{Table, Value};

use super::layers::{Layered, Takes};
use super::refusal::{one_line, quoted};

/// The option that names the file; the one option that is no key of it.
pub(super) const OPTION: &str = "config";

#[derive(Debug)]
pub(super) struct File {
    pub(super) path: String,
    keys: Table,
}

impl File {
    /// Reads the file at `path`, which `origin` (a flag or a variable) asked for.
    pub(super) fn read(path: &str, origin: &str) -> Result<Self, String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("{origin} {}: cannot be read: {error}", quoted(path)))?;
        let path = one_line(path);
        let keys = text.parse::<Table>().map_err(|error| {
            let before = error
                .span()
                .and_then(|span| text.as_bytes().get(..span.start))
                .unwrap_or_default();
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            format!("{path}: line {line}: {}", one_line(error.message()))
        })?;
        Ok(Self { path, keys })
    }

    /// Every key with the option among `known` that it means and its value. Refuses a key that means none.
    pub(super) fn options<'a>(
        &'a self,
        known: &'a [Layered],
    ) -> Result<Vec<(&'a str, &'a Layered, Given<'a>)>, String> {
        let mut options: Vec<(&str, &Layered, Given)> = Vec::new();
        for (key, value) in &self.keys {
            let name = key.replace('_', "-");
            if name == OPTION {
                return Err(self.refused(key, "not taken from a file".to_owned()));
            }
            let Some(option) = known.iter().find(|option| option.name == name) else {
                return Err(self.refused(key, unknown(&name, known)));
            };
            if options.iter().any(|(_, other, _)| other.name == option.name) {
                return Err(self.refused(key, "given twice (with - and with _)".to_owned()));
            }
            options.push((key, option, Given(value)));
        }
        Ok(options)
    }

    pub(super) fn refused(&self, key: &str, reason: String) -> String {
        format!("{}: key {}: {reason}", self.path, quoted(key))
    }
}

/// A key's value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a>(&'a Value);

impl Given<'_> {
    /// The arguments that say the same; `None` is a switch turned on.
    pub(super) fn taken_by(self, takes: Takes) -> Result<Vec<Option<String>>, String> {
        match (takes, self.0) {
            (Takes::Nothing, Value::Boolean(true)) => Ok(vec![None]),
            (Takes::Nothing, Value::Boolean(false)) => Ok(Vec::new()),
            (Takes::Nothing, _) => Err("expected true or false".to_owned()),
            (Takes::Values, Value::Array(values)) => {
                values.iter().map(|value| scalar(value).map(Some)).collect()
            }
            (Takes::OneValue, Value::Array(_)) => Err("expected one value, not an array".to_owned()),
            (Takes::Values | Takes::OneValue, value) => Ok(vec![Some(scalar(value)?)]),
        }
    }
}

fn scalar(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(truth) => Ok(truth.to_string()),
        Value::Datetime(_) => Err("expected a string, not a date".to_owned()),
        Value::Array(_) => Err("expected a list of single values".to_owned()),
        Value::Table(_) => Err("expected a value, not a table".to_owned()),
    }
}

fn unknown(name: &str, known: &[Layered]) -> String {
    let nearest = known
        .iter()
        .map(|option| (distance(name, &option.name), &option.name))
        .min();
    match nearest {
        Some((distance, suggested)) if distance <= 1 + name.len() / 5 => {
            format!("unknown option, did you mean {}?", quoted(suggested))
        }
        _ => "unknown option".to_owned(),
    }
}

/// Levenshtein's: insertions, removals and substitutions.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_edits() {
        let pairs = [
            ("", "", 0),
            ("grpc-adr", "grpc-addr", 1),
            ("kitten", "sitting", 3),
            ("", "abc", 3),
        ];
        for (a, b, edits) in pairs {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }
}
