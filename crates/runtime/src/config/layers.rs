//! Adds the values of the environment and of the file to the flags.
//!
//! They are appended to the arguments, so that clap validates the values of all sources in the same way.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::config_file::{self, ConfigFile};
use super::layered_option::{Arity, LayeredOption, all_options_of, options_of};
use super::redact::redacted_value;
use crate::escape::quoted;

/// The source of an option's value, if it is not a flag.
#[derive(Debug, Clone)]
enum Origin {
    Variable(String),
    Key { file: String, key: String },
}

/// The options of the selected command, and the values that were found outside the flags.
#[derive(Debug, Default)]
pub(super) struct Layers {
    options: Vec<LayeredOption>,
    /// By the name of the option; only options whose value is not from a flag.
    origins: BTreeMap<String, Origin>,
    args: Vec<OsString>,
}

impl Layers {
    /// Collects the values of all options of the command at `path` that no flag in `matches` sets.
    pub(super) fn collect(
        mut root: Command,
        path: &[String],
        matches: &ArgMatches,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, String> {
        root.build();
        let command = path
            .iter()
            .try_fold(&root, |command, name| command.find_subcommand(name));
        let mut layers = Self {
            options: command.map(options_of).unwrap_or_default(),
            ..Self::default()
        };
        for option in layers.options.clone() {
            if has_flag(matches, &option) {
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
        if let Some(file) = layers.read_file(matches)? {
            layers.add_file(&file, &all_options_of(&root), matches)?;
        }
        Ok(layers)
    }

    /// The arguments to append to the given ones.
    pub(super) fn args(&self) -> impl Iterator<Item = OsString> {
        self.args.iter().cloned()
    }

    pub(super) fn option(&self, name: &str) -> Option<&LayeredOption> {
        self.options.iter().find(|option| option.name == name)
    }

    /// The source of the value of the option `name`, for error texts: its flag, its variable or its key.
    pub(super) fn origin(&self, name: &str) -> String {
        match self.origins.get(name) {
            Some(Origin::Variable(variable)) => variable.clone(),
            Some(Origin::Key { file, key }) => format!("{file}: key {}", quoted(key)),
            None => format!("--{name}"),
        }
    }

    fn add_variable(&mut self, option: &LayeredOption, value: String) -> Result<(), String> {
        let variable = option.variable.clone();
        match option.arity {
            Arity::One | Arity::Many => self.add_flag(option, Some(&value)),
            Arity::Switch => match value.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => self.add_flag(option, None),
                "false" | "0" | "no" | "off" | "" => {}
                _ => {
                    let value = redacted_value(&option.name, &value);
                    return Err(format!("{variable} {value}: expected true or false"));
                }
            },
        }
        self.origins
            .insert(option.name.clone(), Origin::Variable(variable));
        Ok(())
    }

    fn read_file(&self, matches: &ArgMatches) -> Result<Option<ConfigFile>, String> {
        let Some(option) = self.option(config_file::OPTION) else {
            return Ok(None);
        };
        let from_flag = matches
            .get_raw(&option.id)
            .and_then(|mut values| values.next_back());
        let flag = format!("--{}=", config_file::OPTION);
        let from_variable = self.args.iter().find_map(|arg| arg.to_str()?.strip_prefix(&flag));
        match from_flag.and_then(|path| path.to_str()).or(from_variable) {
            Some(path) => ConfigFile::read(path, &self.origin(config_file::OPTION)).map(Some),
            None => Ok(None),
        }
    }

    fn add_file(
        &mut self,
        file: &ConfigFile,
        options: &[LayeredOption],
        matches: &ArgMatches,
    ) -> Result<(), String> {
        for (key, option, value) in file.entries(options)? {
            // The file may contain options of other commands.
            let Some(option) = self.option(&option.name).cloned() else {
                continue;
            };
            let values = value
                .flag_values(option.arity)
                .map_err(|reason| file.key_error(key, reason))?;
            if has_flag(matches, &option) || self.origins.contains_key(&option.name) {
                continue;
            }
            for value in &values {
                self.add_flag(&option, value.as_deref());
            }
            let origin = Origin::Key {
                file: file.path.clone(),
                key: key.to_owned(),
            };
            self.origins.insert(option.name.clone(), origin);
        }
        Ok(())
    }

    fn add_flag(&mut self, option: &LayeredOption, value: Option<&str>) {
        let name = &option.name;
        self.args.push(match value {
            Some(value) => format!("--{name}={value}").into(),
            None => format!("--{name}").into(),
        });
    }
}

fn has_flag(matches: &ArgMatches, option: &LayeredOption) -> bool {
    matches.value_source(&option.id) == Some(ValueSource::CommandLine)
}
