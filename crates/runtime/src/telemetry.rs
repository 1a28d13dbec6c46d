//! Logs on standard error: one line for each event, in a readable format on a terminal, otherwise as JSON.
//!
//! Untrusted text must never start a new line or control the terminal. A log that is not read, or that cannot be written,
//! must never block or end the process: a thread writes the lines from a bounded queue, and lines that do not fit are
//! dropped.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write};

use tracing::field::Field;
use tracing::{Subscriber, error};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::ConfigError;
use crate::escape::one_line;

/// The size of the queue, in lines. When it is full, new lines are dropped.
const QUEUE_LINES: usize = 8_192;

const EXPECTED: &str =
    "expected a level (off, error, warn, info, debug, trace), TARGET=LEVEL, or several of them with commas";

/// Starts to write the logs of the process to standard error, and panics to the logs. Further calls change nothing.
///
/// `filter` is the value of `--log`: a level, or directives such as `info,roomcast_edge=debug`. When the returned guard
/// is dropped, the queue is written, for at most one second, and the logs end.
///
/// # Errors
/// The filter is invalid.
pub fn init(filter: &str) -> Result<WorkerGuard, ConfigError> {
    let filter = parse_filter(filter)?;
    let terminal = io::stderr().is_terminal();
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let format = if terminal {
        Format::Readable { colour }
    } else {
        Format::Json
    };
    let (lines, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUE_LINES)
        .lossy(true)
        .finish(io::stderr());
    if subscriber(filter, format, move || lines.clone())
        .try_init()
        .is_ok()
    {
        std::panic::set_hook(Box::new(|panic| {
            let at = panic.location().map(ToString::to_string).unwrap_or_default();
            error!(
                panic.at = at,
                panic.reason = panic.payload_as_str().unwrap_or_default(),
                "panicked"
            );
        }));
    }
    Ok(guard)
}

#[derive(Clone, Copy)]
enum Format {
    Readable { colour: bool },
    Json,
}

fn subscriber<W: Write + 'static>(
    filter: EnvFilter,
    format: Format,
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> Box<dyn Subscriber + Send + Sync> {
    // Internal errors would be printed to standard error, and panic if it cannot be written.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false);
    match format {
        Format::Readable { colour } => {
            let fields = debug_fn(write_readable_field).delimited(" ");
            Box::new(
                builder
                    .with_ansi(colour)
                    .fmt_fields(fields)
                    .with_writer(writer)
                    .finish(),
            )
        }
        Format::Json => Box::new(
            builder
                .json()
                .with_writer(move || EscapeControls(writer()))
                .finish(),
        ),
    }
}

fn parse_filter(filter: &str) -> Result<EnvFilter, ConfigError> {
    let invalid = |reason: String| ConfigError::new("--log", filter, reason);
    // EnvFilter interprets a name that is not a level as a target, so a misspelt level would disable the logs.
    let is_level_name =
        |directive: &&str| !directive.is_empty() && !directive.contains(['=', '[', '{', '}', ']']);
    for level in filter.split(',').map(str::trim).filter(is_level_name) {
        if level.parse::<LevelFilter>().is_err() {
            return Err(invalid(format!("invalid log level ({EXPECTED})")));
        }
    }
    EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(filter)
        .map_err(|_| invalid(format!("invalid log filter ({EXPECTED})")))
}

/// Writes one field of a readable line. tracing-subscriber's own formatter escapes the message but not the fields.
fn write_readable_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    match field.name() {
        "message" => {}
        name if writer.has_ansi_escapes() => write!(writer, "\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m")?,
        name => write!(writer, "{name}=")?,
    }
    write!(Escaped(writer), "{value:?}")
}

struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(&one_line(text))
    }
}

/// Escapes DEL and the C1 control characters, which JSON allows but which could control the terminal on which the logs
/// are read. The formatter writes each event with one call.
struct EscapeControls<W>(W);

impl<W: Write> Write for EscapeControls<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let is_control = |c: char| c.is_control() && c != '\n';
        match str::from_utf8(event) {
            Ok(text) if text.contains(is_control) => {
                let mut line = String::with_capacity(event.len() + 16);
                for c in text.chars() {
                    if is_control(c) {
                        line += &format!("\\u{:04x}", u32::from(c))
                    } else {
                        line.push(c)
                    }
                }
                self.0.write_all(line.as_bytes())?;
            }
            Ok(_) | Err(_) => self.0.write_all(event)?,
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct CapturedLog(Arc<Mutex<Vec<u8>>>);

    impl Write for CapturedLog {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, filter: &str, act: impl FnOnce()) -> String {
        let captured = CapturedLog::default();
        let writer = captured.clone();
        let subscriber = subscriber(parse_filter(filter).unwrap(), format, move || writer.clone());
        tracing::subscriber::with_default(subscriber, act);
        String::from_utf8(captured.0.lock().unwrap().clone()).unwrap()
    }

    const EVIL: &str = "a\nERROR forged\r\x1b[2J\x1b]0;t\x07\u{9b}31m\x0bz";

    fn log_evil() {
        let span = tracing::info_span!("span", room.id = %EVIL);
        let _entered = span.enter();
        tracing::warn!(shown = %EVIL, debugged = ?EVIL, plain = EVIL, "message {EVIL}");
    }

    #[test]
    fn untrusted_text_stays_on_its_line_and_cannot_control_a_terminal() {
        let text = logged(Format::Readable { colour: false }, "info", log_evil);
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        assert!(text.ends_with('\n'));
        assert!(
            !text.trim_end_matches('\n').contains(|c: char| c.is_control()),
            "{text:?}"
        );
        assert!(text.contains(r"shown=a\nERROR forged\r\u{1b}[2J"), "{text:?}");
    }

    #[test]
    fn untrusted_text_cannot_control_a_coloured_terminal() {
        let text = logged(Format::Readable { colour: true }, "info", log_evil);
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        let plain = ["0", "1", "2", "3", "33"]
            .iter()
            .fold(text, |text, n| text.replace(&format!("\x1b[{n}m"), ""));
        assert!(
            !plain.trim_end_matches('\n').contains(|c: char| c.is_control()),
            "{plain:?}"
        );
    }

    #[test]
    fn a_json_event_is_one_object_on_one_line() {
        let text = logged(Format::Json, "info", log_evil);
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        assert!(
            !text.trim_end_matches('\n').contains(|c: char| c.is_control()),
            "{text:?}"
        );
        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(event["fields"]["shown"], EVIL);
        assert_eq!(event["level"], "WARN");
    }

    #[test]
    fn the_filter_selects_levels_by_target() {
        let text = logged(Format::Json, "warn,loud=debug", || {
            tracing::info!("hidden");
            tracing::debug!(target: "loud", "shown");
        });
        assert!(text.contains("shown") && !text.contains("hidden"), "{text}");
    }

    #[test]
    fn an_invalid_filter_is_an_error() {
        let line = |filter| parse_filter(filter).unwrap_err().to_string();
        assert_eq!(
            line("inof"),
            format!("--log \"inof\": invalid log level ({EXPECTED})")
        );
        assert_eq!(
            line("info,a=loud"),
            format!("--log \"info,a=loud\": invalid log filter ({EXPECTED})")
        );
    }
}
