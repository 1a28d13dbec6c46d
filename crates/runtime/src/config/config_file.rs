//! The TOML file of `--config`. Its top-level keys have the names of the flags.
//!
//! An error never shows the text of the file, which may contain a secret.

use std::fs;

use toml::{Table, Value};

use super::layered_option::{Arity, LayeredOption};
use crate::escape::{one_line, quoted};

/// The option that names the file; the only option that is not allowed in it.
pub(super) const OPTION: &str = "config";

#[derive(Debug)]
pub(super) struct ConfigFile {
    pub(super) path: String,
    keys: Table,
}

impl ConfigFile {
    /// Reads the file at `path`. `origin` is the flag or the variable that names it.
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

    /// Each key with its option among `options` and its value.
    ///
    /// # Errors
    /// A key that is not the name of one of the `options`, or two keys for one option.
    pub(super) fn entries<'a>(
        &'a self,
        options: &'a [LayeredOption],
    ) -> Result<Vec<(&'a str, &'a LayeredOption, FileValue<'a>)>, String> {
        let mut entries: Vec<(&str, &LayeredOption, FileValue)> = Vec::new();
        for (key, value) in &self.keys {
            let name = key.replace('_', "-");
            if name == OPTION {
                return Err(self.key_error(key, "not allowed in a file".to_owned()));
            }
            let Some(option) = options.iter().find(|option| option.name == name) else {
                return Err(self.key_error(key, unknown_option(&name, options)));
            };
            if entries.iter().any(|(_, other, _)| other.name == option.name) {
                return Err(self.key_error(key, "set twice (with - and with _)".to_owned()));
            }
            entries.push((key, option, FileValue(value)));
        }
        Ok(entries)
    }

    pub(super) fn key_error(&self, key: &str, reason: String) -> String {
        format!("{}: key {}: {reason}", self.path, quoted(key))
    }
}

/// The value of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileValue<'a>(&'a Value);

impl FileValue<'_> {
    /// The values for the equivalent flags, one for each flag; `None` is a switch that is on.
    pub(super) fn flag_values(self, arity: Arity) -> Result<Vec<Option<String>>, String> {
        match (arity, self.0) {
            (Arity::Switch, Value::Boolean(true)) => Ok(vec![None]),
            (Arity::Switch, Value::Boolean(false)) => Ok(Vec::new()),
            (Arity::Switch, _) => Err("expected true or false".to_owned()),
            (Arity::Many, Value::Array(values)) => {
                values.iter().map(|value| scalar(value).map(Some)).collect()
            }
            (Arity::One, Value::Array(_)) => Err("expected one value, not an array".to_owned()),
            (Arity::Many | Arity::One, value) => Ok(vec![Some(scalar(value)?)]),
        }
    }
}

fn scalar(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(boolean) => Ok(boolean.to_string()),
        Value::Datetime(_) => Err("expected a string, not a date".to_owned()),
        Value::Array(_) => Err("expected an array of single values".to_owned()),
        Value::Table(_) => Err("expected a value, not a table".to_owned()),
    }
}

fn unknown_option(name: &str, options: &[LayeredOption]) -> String {
    let nearest = options
        .iter()
        .map(|option| (edit_distance(name, &option.name), &option.name))
        .min();
    match nearest {
        Some((distance, suggestion)) if distance <= 1 + name.len() / 5 => {
            format!("unknown option, did you mean {}?", quoted(suggestion))
        }
        _ => "unknown option".to_owned(),
    }
}

/// The Levenshtein distance: the number of insertions, removals and substitutions of characters.
fn edit_distance(a: &str, b: &str) -> usize {
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
    fn the_edit_distance_counts_edits() {
        let pairs = [
            ("", "", 0),
            ("grpc-adr", "grpc-addr", 1),
            ("kitten", "sitting", 3),
            ("", "abc", 3),
        ];
        for (a, b, edits) in pairs {
            assert_eq!(edit_distance(a, b), edits, "{a} {b}");
        }
    }
}
