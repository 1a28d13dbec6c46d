//! Loads the options: from a flag, else from its `ROOMCAST_…` variable, else from its key in a TOML file, else the
//! default.
//!
//! clap defines the commands; this module adds the other sources. It never prints a secret. An unknown flag or key and an
//! invalid value end the process with exit status 2 and one line on standard error.
//!
//! Variables that belong to no option are ignored, because container platforms add `ROOMCAST_…` variables for a service
//! with the name `roomcast`.

mod clap_error;
mod config_error;
mod config_file;
mod early_exit;
mod layered_option;
mod layers;
mod redact;
pub mod values;

use std::env;
use std::ffi::OsString;

use clap::builder::{Resettable, ValueParser};
use clap::{Arg, ArgMatches, Command, Parser};

pub use config_error::ConfigError;
pub use early_exit::EarlyExit;

use layers::Layers;

/// Parses the arguments, the environment and the configuration file of this process.
///
/// # Errors
/// Those of [`parse`].
pub fn parse_process<C: Parser>() -> Result<C, EarlyExit> {
    parse(env::args_os(), |name| env::var_os(name))
}

/// Parses `args`, whose first is the program's name, together with the values of `variable` and of the file that
/// `--config` names.
///
/// An option can be set by all sources if it has a long name and a variable (`#[arg(long, env = "ROOMCAST_…")]`). In the
/// file, its name may have `-` or `_`. A repeatable option is an array in the file, and its variable is split if the option
/// has a `value_delimiter`. A switch is a boolean. One file may contain the options of all commands.
///
/// # Errors
/// The help or the version was requested, or the configuration is invalid. Only the first problem is reported.
pub fn parse<C: Parser>(
    args: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<C, EarlyExit> {
    let args: Vec<OsString> = args.into_iter().collect();
    check_text(&args).map_err(EarlyExit::Invalid)?;
    let Ok(lenient) = lenient(C::command()).try_get_matches_from(&args) else {
        // The lenient command fails only for help and version. The strict one renders them.
        let error = hide_values(C::command()).try_get_matches_from(&args).err();
        return Err(early_exit(error, &Layers::default(), &args));
    };
    let (path, matches) = selected_command(&lenient);
    let layers = Layers::collect(C::command(), &path, matches, variable).map_err(EarlyExit::Invalid)?;
    let all_args = args.iter().cloned().chain(layers.args());
    let mut matches = without_variables(C::command())
        .try_get_matches_from(all_args)
        .map_err(|error| early_exit(Some(error), &layers, &args))?;
    C::from_arg_matches_mut(&mut matches).map_err(|error| early_exit(Some(error), &layers, &args))
}

/// Rejects `--`: options from the file and the environment are appended, and after `--` clap would read them as plain
/// arguments. Its errors show plain arguments, which could print a secret.
fn check_text(args: &[OsString]) -> Result<(), String> {
    for (index, arg) in args.iter().enumerate().skip(1) {
        match arg.to_str() {
            None => return Err(format!("argument {index}: not valid UTF-8")),
            Some("--") => return Err(format!("argument {index}: -- is not allowed")),
            Some(_) => {}
        }
    }
    Ok(())
}

/// The command without requirements and validation. It shows which command and which flags are given.
fn lenient(command: Command) -> Command {
    fn relax(command: Command) -> Command {
        let accept_any = |arg: Arg| match arg.get_action().takes_values() {
            true => arg.required(false).value_parser(ValueParser::os_string()),
            false => arg,
        };
        command
            .ignore_errors(true)
            .mut_args(accept_any)
            .mut_subcommands(relax)
    }
    relax(without_variables(command))
}

/// The command without clap's own reading of the environment.
fn without_variables(command: Command) -> Command {
    let reset = |arg: Arg| arg.env(Resettable::<clap::builder::OsStr>::Reset);
    command.mut_args(reset).mut_subcommands(without_variables)
}

/// The command whose help shows the names of the variables but not their values.
fn hide_values(command: Command) -> Command {
    command
        .mut_args(|arg| arg.hide_env_values(true))
        .mut_subcommands(hide_values)
}

/// The innermost selected command: the names of the commands that lead to it, and its matches.
fn selected_command(matches: &ArgMatches) -> (Vec<String>, &ArgMatches) {
    let (mut path, mut matches) = (Vec::new(), matches);
    while let Some((name, inner)) = matches.subcommand() {
        path.push(name.to_owned());
        matches = inner;
    }
    (path, matches)
}

fn early_exit(error: Option<clap::Error>, layers: &Layers, args: &[OsString]) -> EarlyExit {
    match error {
        Some(error) if error.use_stderr() => EarlyExit::Invalid(clap_error::describe(&error, layers, args)),
        Some(error) => EarlyExit::Help(Box::new(error)),
        None => EarlyExit::Invalid("invalid command line (see --help)".to_owned()),
    }
}

#[cfg(test)]
mod tests;
