//! One line for each thing that can be wrong with the configuration: its name, its value, the reason.
//!
//! It must never show the value of a secret option, nor what stands before the `@` of a URL.

use std::error::Error as _;
use std::ffi::OsString;
use std::fmt::Display;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::layers::Layers;

const HIDDEN: &str = "<hidden>";
const NOT_TAKEN: &str = "not taken (options are given as --name value)";

/// An option's value that cannot be used, found after the parse: `--flag "value": reason`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag} {shown}: {reason}")]
pub struct ConfigError {
    flag: String,
    shown: String,
    reason: String,
}

impl ConfigError {
    /// `flag` as in `--grpc-addr`. The value of an option whose name has `secret`, `token`, `key` or `password` in it
    /// is not kept, nor are a URL's credentials.
    pub fn new(flag: &str, value: impl Display, reason: impl Display) -> Self {
        let (value, reason) = (value.to_string(), reason.to_string());
        let (shown, reason) = (shown(flag, &value), told(flag, &value, &reason));
        Self {
            flag: flag.to_owned(),
            shown,
            reason,
        }
    }
}

/// The line for clap's error about the arguments `given`.
pub(super) fn line(error: &Error, layers: &Layers, given: &[OsString]) -> String {
    let args = names(error, ContextKind::InvalidArg);
    let arg = args.first().map(String::as_str).unwrap_or_default();
    let name = arg.trim_start_matches('-');
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let suggested = |kind| match names(error, kind).first() {
        Some(suggested) => format!(", did you mean {suggested}?"),
        None => String::new(),
    };
    let kind = error.kind();
    if kind == ErrorKind::ValueValidation {
        let reason = error
            .source()
            .map(ToString::to_string)
            .unwrap_or_else(|| "invalid value".to_owned());
        return format!(
            "{} {}: {}",
            layers.origin(name),
            shown(name, value),
            told(name, value, &reason)
        );
    }
    if kind == ErrorKind::InvalidValue && value.is_empty() {
        return format!("{}: a value is required", layers.origin(name));
    }
    if kind == ErrorKind::InvalidValue {
        let expected = names(error, ContextKind::ValidValue).join(", ");
        return format!(
            "{} {}: expected one of {expected}",
            layers.origin(name),
            shown(name, value)
        );
    }
    if kind == ErrorKind::UnknownArgument {
        return match (is_part_of_secret(arg, given), arg.starts_with("--")) {
            (false, true) => format!("{arg}: unknown option{}", suggested(ContextKind::SuggestedArg)),
            (false, false) => format!("argument {}: {NOT_TAKEN}", quoted(arg)),
            (true, _) => format!("argument {HIDDEN}: {NOT_TAKEN}"),
        };
    }
    if kind == ErrorKind::MissingRequiredArgument {
        return args
            .iter()
            .map(|arg| required(arg, layers))
            .collect::<Vec<_>>()
            .join("; ");
    }
    if kind == ErrorKind::ArgumentConflict {
        let prior = names(error, ContextKind::PriorArg);
        let others = prior
            .iter()
            .map(|other| layers.origin(other.trim_start_matches('-')));
        let others = others.collect::<Vec<_>>().join(", ");
        return match prior.iter().any(|other| other == arg) {
            true => format!("{}: given more than once", layers.origin(name)),
            false => format!("{}: cannot be used with {others}", layers.origin(name)),
        };
    }
    if kind == ErrorKind::InvalidSubcommand {
        let command = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
        return format!(
            "{}: unknown command{}",
            quoted(command),
            suggested(ContextKind::SuggestedSubcommand)
        );
    }
    if [
        ErrorKind::MissingSubcommand,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
    ]
    .contains(&kind)
    {
        return "no command given (see --help)".to_owned();
    }
    // The kinds that are left say no more than their name without the values.
    let reason = kind.as_str().unwrap_or("cannot be used like this");
    if arg.is_empty() {
        reason.to_owned()
    } else {
        format!("{}: {reason}", layers.origin(name))
    }
}

fn required(arg: &str, layers: &Layers) -> String {
    match layers.option(arg.trim_start_matches('-')) {
        Some(option) => {
            let (name, variable) = (&option.name, &option.variable);
            format!(
                "--{name}: required (flag --{name}, variable {variable} or, in the --config file, key {name})"
            )
        }
        None => format!("{arg}: required"),
    }
}

/// The value as an error may show it: quoted on one line, without secrets.
pub(super) fn shown(option: &str, value: &str) -> String {
    if is_secret(option) {
        return HIDDEN.to_owned();
    }
    quoted(&without_credentials(option, value))
}

/// The reason on one line, without the secrets that it may repeat from the value.
fn told(option: &str, value: &str, reason: &str) -> String {
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

/// Whether clap's unknown `arg` may be a secret's text: a word behind a secret option's value, as an unquoted shell
/// variable leaves it, or what looks like a flag in the place of the value.
fn is_part_of_secret(arg: &str, given: &[OsString]) -> bool {
    let given: Vec<&str> = given.iter().filter_map(|given| given.to_str()).collect();
    let Some(place) = given.iter().position(|given| given.starts_with(arg)) else {
        return true;
    };
    let before = &given[..place];
    let option = if arg.starts_with('-') {
        before.last()
    } else {
        before.iter().rfind(|arg| arg.starts_with('-'))
    };
    option.is_some_and(|option| option.starts_with("--") && is_secret(option))
}

fn is_secret(option: &str) -> bool {
    ["secret", "token", "key", "password"]
        .iter()
        .any(|word| option.contains(word))
}

fn without_credentials(option: &str, value: &str) -> String {
    let start = value.find("://").map(|at| at + 3);
    match (start, value.rfind('@')) {
        (Some(start), Some(at)) if start <= at => format!("{}{HIDDEN}{}", &value[..start], &value[at..]),
        (_, Some(at)) if option.contains("url") => format!("{HIDDEN}{}", &value[at..]),
        _ => value.to_owned(),
    }
}

/// In double quotes, with what could break or steer the line escaped.
pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// With control characters escaped.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut line, c| {
            if c.is_control() {
                line.extend(c.escape_default())
            } else {
                line.push(c)
            }
            line
        })
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
