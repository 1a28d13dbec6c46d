//! Options: a flag, else its `ROOMCAST_…` variable, else its key in a TOML file, else the default.
//!
//! The commands are clap's; this layers the other sources under them. It must never print a secret's value, and
//! refuses whatever it does not know by name: exit status 2 and one line on standard error.
//!
//! Variables that no option names are ignored, because container platforms inject `ROOMCAST_…` variables of their
//! own beside a service called `roomcast`.

mod file;
mod layers;
mod refusal;
pub mod values;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use clap::builder::ValueParser;

pub use layers::assert_layered;
pub use refusal::ConfigError;
pub(crate) use refusal::one_line;

use crate::PROGRAM;
use layers::{Layers, chosen, hide_values, without_variables};

/// The program ends before it began.
#[derive(Debug)]
pub enum Exit {
    /// Help or the version was asked for: standard output, status 0.
    Shown(Box<clap::Error>),
    /// The configuration is refused for this reason, one line without the program's name: standard error, status 2.
    Refused(String),
}

impl Exit {
    /// Prints what is to be said and gives the status. A closed pipe is nobody's error.
    pub fn print(self) -> ExitCode {
        match self {
            Self::Shown(shown) => {
                let _ = shown.print();
                ExitCode::SUCCESS
            }
            Self::Refused(line) => {
                let _ = writeln!(io::stderr(), "{PROGRAM}: {line}");
                ExitCode::from(2)
            }
        }
    }
}

impl From<ConfigError> for Exit {
    fn from(error: ConfigError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// The command that this process was started with.
///
/// # Errors
/// As [`parse`].
pub fn from_process<C: Parser>() -> Result<C, Exit> {
    parse(env::args_os(), |name| env::var_os(name))
}

/// The command in `args` (the program's name first), completed from `variable` and the file that `--config` names.
///
/// An option is layered when it has a long name and names its variable (`#[arg(long, env = "ROOMCAST_…")]`); in the
/// file it may be written with `-` or `_`. A repeatable option takes an array; its variable is split where the option
/// has a `value_delimiter`. A switch takes a boolean. A file may hold the options of all commands.
///
/// # Errors
/// Help or version was asked for, or the first thing that is wrong.
pub fn parse<C: Parser>(
    args: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<C, Exit> {
    let args: Vec<OsString> = args.into_iter().collect();
    for (place, arg) in args.iter().enumerate().skip(1) {
        // Nothing may turn the layered options behind it into arguments, which errors would show.
        if arg.to_str().is_none_or(|arg| arg == "--") {
            let reason = if arg == "--" {
                "not taken"
            } else {
                "not valid UTF-8"
            };
            return Err(Exit::Refused(format!("argument {place}: {reason}")));
        }
    }
    let Ok(lenient) = lenient::<C>().try_get_matches_from(&args) else {
        // Only help and version fail leniently. They are rendered from the command as it is.
        return Err(outcome(
            hide_values(C::command()).try_get_matches_from(&args).err(),
            &Layers::default(),
            &args,
        ));
    };
    let (path, matches) = chosen(&lenient);
    let layers = Layers::gather(C::command(), &path, matches, variable).map_err(Exit::Refused)?;
    let layered = args.iter().cloned().chain(layers.args());
    let mut matches = without_variables(C::command())
        .try_get_matches_from(layered)
        .map_err(|error| outcome(Some(error), &layers, &args))?;
    C::from_arg_matches_mut(&mut matches).map_err(|error| outcome(Some(error), &layers, &args))
}

/// Takes whatever it can and judges nothing: which command, which flags are given.
fn lenient<C: Parser>() -> clap::Command {
    fn relax(command: clap::Command) -> clap::Command {
        let text = |arg: clap::Arg| match arg.get_action().takes_values() {
            true => arg.required(false).value_parser(ValueParser::os_string()),
            false => arg,
        };
        command.ignore_errors(true).mut_args(text).mut_subcommands(relax)
    }
    relax(without_variables(C::command()))
}

fn outcome(error: Option<clap::Error>, layers: &Layers, args: &[OsString]) -> Exit {
    match error {
        Some(error) if error.use_stderr() => Exit::Refused(refusal::line(&error, layers, args)),
        Some(error) => Exit::Shown(Box::new(error)),
        None => Exit::Refused("cannot be started like this (see --help)".to_owned()),
    }
}

#[cfg(test)]
mod tests;
