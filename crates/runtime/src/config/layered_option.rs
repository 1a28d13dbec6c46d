//! The options that a flag, a variable or a key of the file can set.

use clap::{Arg, ArgAction, Command};

/// An option with a long flag and a variable.
#[derive(Debug, Clone)]
pub(super) struct LayeredOption {
    /// The flag without dashes; also the key of the file.
    pub(super) name: String,
    /// The name of the environment variable.
    pub(super) variable: String,
    pub(super) arity: Arity,
    /// clap's id of the argument.
    pub(super) id: String,
}

/// How many values an option has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arity {
    One,
    Many,
    /// None: the option is a switch.
    Switch,
}

/// The options of a command, without those of its subcommands.
pub(super) fn options_of(command: &Command) -> Vec<LayeredOption> {
    command.get_arguments().filter_map(layered_option).collect()
}

/// The options of a command and of all its subcommands.
pub(super) fn all_options_of(command: &Command) -> Vec<LayeredOption> {
    options_of(command)
        .into_iter()
        .chain(command.get_subcommands().flat_map(all_options_of))
        .collect()
}

fn layered_option(arg: &Arg) -> Option<LayeredOption> {
    let arity = match arg.get_action() {
        ArgAction::Set => Arity::One,
        ArgAction::Append => Arity::Many,
        ArgAction::SetTrue => Arity::Switch,
        ArgAction::SetFalse | ArgAction::Count | _ => return None,
    };
    Some(LayeredOption {
        name: arg.get_long()?.to_owned(),
        variable: arg.get_env()?.to_str()?.to_owned(),
        arity,
        id: arg.get_id().to_string(),
    })
}
