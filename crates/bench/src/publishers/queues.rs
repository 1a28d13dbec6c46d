//! Calls made by tasks, which count what was answered. The events of one room go through one lane, in order.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};

use super::Event;

/// How many events wait in one lane at most; what does not fit waits with the generator.
const LANE_CAP: usize = 4096;

/// The lanes' senders, and what became of what went in.
pub(crate) struct Lanes {
    lanes: Vec<Sender<Event>>,
    waiting: VecDeque<Event>,
    answers: Arc<Answers>,
}

/// What became of the publishes of all lanes.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    done: AtomicU64,
    failures: AtomicU64,
    first: OnceLock<String>,
}

impl Answers {
    /// Counts so many publishes that were answered with OK.
    pub(crate) fn count_done(&self, publishes: usize) {
        self.done.fetch_add(publishes as u64, Ordering::Relaxed);
    }

    /// Counts so many failed publishes.
    pub(crate) fn count_failed(&self, failures: usize, error: &dyn std::fmt::Display) {
        self.failures.fetch_add(failures as u64, Ordering::Relaxed);
        self.first.get_or_init(|| error.to_string());
    }
}

impl Lanes {
    /// So many lanes; their other ends.
    pub(crate) fn new(count: usize) -> (Self, Vec<Receiver<Event>>, Arc<Answers>) {
        let (lanes, ends) = (0..count).map(|_| mpsc::channel(LANE_CAP)).unzip();
        let answers = Arc::<Answers>::default();
        let it = Self {
            lanes,
            waiting: VecDeque::new(),
            answers: answers.clone(),
        };
        (it, ends, answers)
    }

    pub(super) fn push(&mut self, event: Event) {
        self.waiting.push_back(event);
    }

    pub(super) fn flush(&mut self) -> bool {
        while let Some(event) = self.waiting.front() {
            let lane = &self.lanes[event.room as usize % self.lanes.len()];
            match lane.try_send(*event) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => return false,
                Err(TrySendError::Closed(_)) => self.answers.count_failed(1, &"a lane ended"),
            }
            self.waiting.pop_front();
        }
        true
    }

    pub(super) fn done(&self) -> u64 {
        self.answers.done.load(Ordering::Relaxed)
    }

    pub(super) fn failures(&self) -> u64 {
        self.answers.failures.load(Ordering::Relaxed)
    }

    pub(super) fn error(&self) -> Option<String> {
        self.answers.first.get().cloned()
    }
}
