//! What the environment and the file add under the flags, and where each value came from.
//!
//! The environment and the file become arguments behind the given ones, so clap judges all sources alike.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory};

use super::file::{self, File};
use super::refusal::{quoted, shown};

/// An option that takes part in the layering.
#[derive(Debug, Clone)]
pub(super) struct Layered {
    /// The flag without dashes; also the file's key.
    pub(super) name: String,
    pub(super) variable: String,
    pub(super) takes: Takes,
    id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    OneValue,
    Values,
    /// Nothing: it is a switch.
    Nothing,
}

/// Where an option's value came from, as errors name it.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    Variable(String),
    Key { file: String, key: String },
}

/// The chosen command's options and what was found for them outside the flags.
#[derive(Debug, Default)]
pub(super) struct Layers {
    options: Vec<Layered>,
    origins: BTreeMap<String, Origin>,
    args: Vec<OsString>,
}

impl Layers {
    /// Looks up every option of the command at `path` that no flag of `given` sets.
    pub(super) fn gather(
        mut root: Command,
        path: &[String],
        given: &ArgMatches,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, String> {
        root.build();
        let command = path
            .iter()
            .try_fold(&root, |command, name| command.find_subcommand(name));
        let mut layers = Self {
            options: command.map(layered).unwrap_or_default(),
            ..Self::default()
        };
        for option in layers.options.clone() {
            if given.value_source(&option.id) == Some(ValueSource::CommandLine) {
                continue;
            }
            if let Some(value) = variable(&option.variable) {
                let name = &option.variable;
                let value = value
                    .into_string()
                    .map_err(|_| format!("{name}: not valid UTF-8"))?;
                layers.add_variable(&option, value)?;
            }
        }
        if let Some(file) = layers.file(given)? {
            layers.add_file(&file, &all_layered(&root), given)?;
        }
        Ok(layers)
    }

    /// What to append to the given arguments.
    pub(super) fn args(&self) -> impl Iterator<Item = OsString> {
        self.args.iter().cloned()
    }

    pub(super) fn option(&self, name: &str) -> Option<&Layered> {
        self.options.iter().find(|option| option.name == name)
    }

    /// The flag, variable or key that the value of the option `name` came from.
    pub(super) fn origin(&self, name: &str) -> String {
        match self.origins.get(name) {
            Some(Origin::Variable(variable)) => variable.clone(),
            Some(Origin::Key { file, key }) => format!("{file}: key {}", quoted(key)),
            None => format!("--{name}"),
        }
    }

    fn add_variable(&mut self, option: &Layered, value: String) -> Result<(), String> {
        let variable = option.variable.clone();
        match option.takes {
            Takes::OneValue | Takes::Values => self.push(option, Some(&value)),
            Takes::Nothing => match value.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => self.push(option, None),
                "false" | "0" | "no" | "off" | "" => {}
                _ => {
                    return Err(format!(
                        "{variable} {}: expected true or false",
                        shown(&option.name, &value)
                    ));
                }
            },
        }
        self.origins
            .insert(option.name.clone(), Origin::Variable(variable));
        Ok(())
    }

    fn file(&self, given: &ArgMatches) -> Result<Option<File>, String> {
        let Some(option) = self.option(file::OPTION) else {
            return Ok(None);
        };
        let flag = given
            .get_raw(&option.id)
            .and_then(|mut values| values.next_back());
        let variable = format!("--{}=", file::OPTION);
        let from_variable = self
            .args
            .iter()
            .find_map(|arg| arg.to_str()?.strip_prefix(&variable));
        match flag.and_then(|path| path.to_str()).or(from_variable) {
            Some(path) => File::read(path, &self.origin(file::OPTION)).map(Some),
            None => Ok(None),
        }
    }

    fn add_file(&mut self, file: &File, known: &[Layered], given: &ArgMatches) -> Result<(), String> {
        for (key, option, value) in file.options(known)? {
            let Some(option) = self.option(&option.name).cloned() else {
                continue;
            };
            let flagged = given.value_source(&option.id) == Some(ValueSource::CommandLine);
            let values = value
                .taken_by(option.takes)
                .map_err(|reason| file.refused(key, reason))?;
            if flagged || self.origins.contains_key(&option.name) {
                continue;
            }
            for value in &values {
                self.push(&option, value.as_deref());
            }
            let origin = Origin::Key {
                file: file.path.clone(),
                key: key.to_owned(),
            };
            self.origins.insert(option.name.clone(), origin);
        }
        Ok(())
    }

    fn push(&mut self, option: &Layered, value: Option<&str>) {
        let name = &option.name;
        self.args.push(match value {
            Some(value) => format!("--{name}={value}").into(),
            None => format!("--{name}").into(),
        });
    }
}

/// The innermost command that was chosen: the names that lead to it, and its matches.
pub(super) fn chosen(matches: &ArgMatches) -> (Vec<String>, &ArgMatches) {
    let (mut path, mut matches) = (Vec::new(), matches);
    while let Some((name, inner)) = matches.subcommand() {
        path.push(name.to_owned());
        matches = inner;
    }
    (path, matches)
}

/// The command without clap's own reading of the environment.
pub(super) fn without_variables(command: Command) -> Command {
    let reset = |arg: Arg| arg.env(Resettable::<clap::builder::OsStr>::Reset);
    command.mut_args(reset).mut_subcommands(without_variables)
}

/// The command whose help names the variables and not what is in them.
pub(super) fn hide_values(command: Command) -> Command {
    command
        .mut_args(|arg| arg.hide_env_values(true))
        .mut_subcommands(hide_values)
}

/// For the binary's tests: every variable is `ROOMCAST_` and the flag's name in capitals.
///
/// # Panics
/// An option's variable is named otherwise.
pub fn assert_layered<C: CommandFactory>() {
    let mut root = C::command();
    root.build();
    for option in all_layered(&root) {
        let expected = format!("ROOMCAST_{}", option.name.replace('-', "_").to_ascii_uppercase());
        assert_eq!(option.variable, expected, "the variable of --{}", option.name);
    }
}

fn all_layered(command: &Command) -> Vec<Layered> {
    layered(command)
        .into_iter()
        .chain(command.get_subcommands().flat_map(all_layered))
        .collect()
}

fn layered(command: &Command) -> Vec<Layered> {
    let option = |arg: &Arg| {
        let takes = match arg.get_action() {
            ArgAction::Set => Takes::OneValue,
            ArgAction::Append => Takes::Values,
            ArgAction::SetTrue => Takes::Nothing,
            ArgAction::SetFalse | ArgAction::Count | _ => return None,
        };
        Some(Layered {
            name: arg.get_long()?.to_owned(),
            variable: arg.get_env()?.to_str()?.to_owned(),
            takes,
            id: arg.get_id().to_string(),
        })
    };
    command.get_arguments().filter_map(option).collect()
}
