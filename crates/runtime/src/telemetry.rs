//! Logs on standard error: one line an event, pretty on a terminal, JSON otherwise.
//!
//! A logged string, whoever wrote it, must never begin a line of its own or steer a terminal. And a log that nobody
//! reads, or that cannot be written, must never hold the process up or end it: lines wait in a queue with a cap for a
//! thread of their own, and what finds no room is dropped.

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

use crate::config::{ConfigError, one_line};

/// Lines that wait to be written; beyond it they are dropped.
const WAITING_LINES: usize = 8_192;

const EXPECTED: &str =
    "expected a level (off, error, warn, info, debug, trace), a TARGET=LEVEL, or several with commas";

/// Sends the process's logs to standard error from here on, and panics to the logs.
///
/// `filter` is the value of `--log`: a level, or directives such as `info,roomcast_edge=debug`. Calling it again
/// changes nothing. The logs end with what is returned: dropped, it writes what waits, for a second at most.
///
/// # Errors
/// `filter` is none of these.
pub fn init(filter: &str) -> Result<WorkerGuard, ConfigError> {
    let filter = parse_filter(filter)?;
    let terminal = io::stderr().is_terminal();
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let format = if terminal {
        Format::Pretty { colour }
    } else {
        Format::Json
    };
    let (lines, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING_LINES)
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
    Pretty { colour: bool },
    Json,
}

fn subscriber<W: Write + 'static>(
    filter: EnvFilter,
    format: Format,
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> Box<dyn Subscriber + Send + Sync> {
    // Its complaints go to standard error, which may be what cannot be written; they would panic.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false);
    match format {
        Format::Pretty { colour } => {
            let fields = debug_fn(pretty_field).delimited(" ");
            Box::new(
                builder
                    .with_ansi(colour)
                    .fmt_fields(fields)
                    .with_writer(writer)
                    .finish(),
            )
        }
        Format::Json => Box::new(builder.json().with_writer(move || Json(writer())).finish()),
    }
}

fn parse_filter(filter: &str) -> Result<EnvFilter, ConfigError> {
    let refused = |reason: String| ConfigError::new("--log", filter, reason);
    // A bare word that is no level is taken by EnvFilter for a target, and a typing error would silence the logs.
    let bare = |directive: &&str| !directive.is_empty() && !directive.contains(['=', '[', '{', '}', ']']);
    for word in filter.split(',').map(str::trim).filter(bare) {
        if word.parse::<LevelFilter>().is_err() {
            return Err(refused(format!("invalid log level ({EXPECTED})")));
        }
    }
    EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(filter)
        .map_err(|_| refused(format!("invalid log filter ({EXPECTED})")))
}

/// One field of a pretty line. tracing-subscriber's own formatter escapes the event's text but not its fields.
fn pretty_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
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

/// JSON escapes what could break a line; this escapes DEL and the C1 controls, which could steer the terminal of
/// whoever reads the logs later. The formatter hands over one whole event a write.
struct Json<W>(W);

impl<W: Write> Write for Json<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let steers = |c: char| c.is_control() && c != '\n';
        match str::from_utf8(event) {
            Ok(text) if text.contains(steers) => {
                let mut line = String::with_capacity(event.len() + 16);
                for c in text.chars() {
                    if steers(c) {
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
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, filter: &str, act: impl FnOnce()) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        let subscriber = subscriber(parse_filter(filter).unwrap(), format, move || writer.clone());
        tracing::subscriber::with_default(subscriber, act);
        String::from_utf8(captured.0.lock().unwrap().clone()).unwrap()
    }

    const EVIL: &str = "a\nERROR forged\r\x1b[2J\x1b]0;t\x07\u{9b}31m\x0bz";

    fn log_evil() {
        let span = tracing::info_span!("span", room.id = %EVIL);
        let _entered = span.enter();
        tracing::warn!(shown = %EVIL, debugged = ?EVIL, plain = EVIL, "said {EVIL}");
    }

    #[test]
    fn untrusted_text_stays_on_its_line_and_cannot_steer_a_terminal() {
        let text = logged(Format::Pretty { colour: false }, "info", log_evil);
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        assert!(text.ends_with('\n'));
        assert!(
            !text.trim_end_matches('\n').contains(|c: char| c.is_control()),
            "{text:?}"
        );
        assert!(text.contains(r"shown=a\nERROR forged\r\u{1b}[2J"), "{text:?}");
    }

    #[test]
    fn untrusted_text_cannot_steer_a_coloured_terminal() {
        let text = logged(Format::Pretty { colour: true }, "info", log_evil);
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
    fn json_is_one_object_a_line() {
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
    fn the_filter_chooses_levels_by_target() {
        let text = logged(Format::Json, "warn,loud=debug", || {
            tracing::info!("quiet");
            tracing::debug!(target: "loud", "heard");
        });
        assert!(text.contains("heard") && !text.contains("quiet"), "{text}");
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
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
