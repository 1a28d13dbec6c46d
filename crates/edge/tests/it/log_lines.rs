//! The log lines of the edge in one test.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

/// The lines of this test's thread, which runs all tasks of the test.
pub(crate) struct LogLines {
    lines: Arc<Mutex<Vec<(Level, String)>>>,
    _subscribed: DefaultGuard,
}

impl LogLines {
    pub(crate) fn capture() -> Self {
        let lines = Arc::<Mutex<Vec<_>>>::default();
        let subscriber = Capture(lines.clone());
        Self {
            lines,
            _subscribed: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The messages of this level.
    pub(crate) fn at(&self, level: Level) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        let of_level = lines.iter().filter(|(other, _)| *other == level);
        of_level.map(|(_, message)| message.clone()).collect()
    }
}

struct Capture(Arc<Mutex<Vec<(Level, String)>>>);

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("roomcast") && metadata.is_event()
    }
    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0
            .lock()
            .unwrap()
            .push((*event.metadata().level(), message.0));
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
