//! Describes clap's errors in one line: the name of the option, its value, the reason.
//!
//! It never shows the value of a secret option or the credentials of a URL.

use std::error::Error as _;
use std::ffi::OsString;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::layers::Layers;
use super::redact::{HIDDEN, is_secret, redacted_reason, redacted_value};
use crate::escape::quoted;

const UNEXPECTED: &str = "unexpected argument (options have the form --name value)";

/// The line for clap's error about the arguments `given`.
pub(super) fn describe(error: &Error, layers: &Layers, given: &[OsString]) -> String {
    let description = Description { error, layers };
    let kind = error.kind();
    if kind == ErrorKind::ValueValidation || kind == ErrorKind::InvalidValue {
        return description.invalid_value();
    }
    if kind == ErrorKind::UnknownArgument {
        return description.unknown_argument(given);
    }
    if kind == ErrorKind::MissingRequiredArgument {
        return description.missing_options();
    }
    if kind == ErrorKind::ArgumentConflict {
        return description.conflict();
    }
    if kind == ErrorKind::InvalidSubcommand {
        let command = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
        let suggestion = description.suggestion(ContextKind::SuggestedSubcommand);
        return format!("{}: unknown command{suggestion}", quoted(command));
    }
    if kind == ErrorKind::MissingSubcommand || kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "no command (see --help)".to_owned();
    }
    // The context of the other kinds contains values, so only the name of the kind is shown.
    let reason = kind.as_str().unwrap_or("invalid command line");
    match description.arg() {
        arg if arg.is_empty() => reason.to_owned(),
        arg => format!("{}: {reason}", layers.origin(option_name(&arg))),
    }
}

struct Description<'a> {
    error: &'a Error,
    layers: &'a Layers,
}

impl Description<'_> {
    /// The argument of the error as clap names it; empty if there is none.
    fn arg(&self) -> String {
        let args = names(self.error, ContextKind::InvalidArg);
        args.into_iter().next().unwrap_or_default()
    }

    fn suggestion(&self, kind: ContextKind) -> String {
        match names(self.error, kind).first() {
            Some(suggestion) => format!(", did you mean {suggestion}?"),
            None => String::new(),
        }
    }

    fn invalid_value(&self) -> String {
        let arg = self.arg();
        let name = option_name(&arg);
        let origin = self.layers.origin(name);
        let value = text(self.error, ContextKind::InvalidValue).unwrap_or_default();
        let shown = redacted_value(name, value);
        if self.error.kind() == ErrorKind::ValueValidation {
            let reason = self.error.source().map(ToString::to_string);
            let reason = reason.unwrap_or_else(|| "invalid value".to_owned());
            return format!("{origin} {shown}: {}", redacted_reason(name, value, &reason));
        }
        if value.is_empty() {
            return format!("{origin}: a value is required");
        }
        let expected = names(self.error, ContextKind::ValidValue).join(", ");
        format!("{origin} {shown}: expected one of {expected}")
    }

    fn unknown_argument(&self, given: &[OsString]) -> String {
        let arg = self.arg();
        if may_be_part_of_secret(&arg, given) {
            return format!("argument {HIDDEN}: {UNEXPECTED}");
        }
        if arg.starts_with("--") {
            let suggestion = self.suggestion(ContextKind::SuggestedArg);
            return format!("{arg}: unknown option{suggestion}");
        }
        format!("argument {}: {UNEXPECTED}", quoted(&arg))
    }

    fn missing_options(&self) -> String {
        let required = |arg: &String| match self.layers.option(option_name(arg)) {
            Some(option) => {
                let (name, variable) = (&option.name, &option.variable);
                format!(
                    "--{name}: required (flag --{name}, variable {variable} or, in the --config file, key {name})"
                )
            }
            None => format!("{arg}: required"),
        };
        let args = names(self.error, ContextKind::InvalidArg);
        args.iter().map(required).collect::<Vec<_>>().join("; ")
    }

    fn conflict(&self) -> String {
        let arg = self.arg();
        let origin = self.layers.origin(option_name(&arg));
        let others = names(self.error, ContextKind::PriorArg);
        if others.contains(&arg) {
            return format!("{origin}: set more than once");
        }
        let others = others.iter().map(|other| self.layers.origin(option_name(other)));
        let others = others.collect::<Vec<_>>().join(", ");
        format!("{origin}: cannot be used with {others}")
    }
}

fn option_name(arg: &str) -> &str {
    arg.trim_start_matches('-')
}

/// Whether clap's unknown `arg` may be part of a secret: an argument behind the value of a secret option, as an unquoted
/// shell variable leaves it, or text that starts with a dash where the value is expected.
fn may_be_part_of_secret(arg: &str, given: &[OsString]) -> bool {
    let given: Vec<&str> = given.iter().filter_map(|given| given.to_str()).collect();
    let Some(index) = given.iter().position(|given| given.starts_with(arg)) else {
        return true;
    };
    let before = &given[..index];
    let option = if arg.starts_with('-') {
        before.last()
    } else {
        before.iter().rfind(|arg| arg.starts_with('-'))
    };
    option.is_some_and(|option| option.starts_with("--") && is_secret(option))
}

fn text(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    }
}

/// The names in clap's context, without the placeholders of their values.
fn names(error: &Error, kind: ContextKind) -> Vec<String> {
    let bare = |text: &String| match text.starts_with("--") {
        true => text
            .split([' ', '=', '['])
            .next()
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_owned(),
        false => text.clone(),
    };
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![bare(text)],
        Some(ContextValue::Strings(texts)) => texts.iter().map(bare).collect(),
        _ => Vec::new(),
    }
}
