//! Calls made by tasks. The events of one room go through one lane, in order.

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

/// The lanes' senders, and what went wrong in them.
pub(crate) struct Lanes {
    lanes: Vec<Sender<Event>>,
    waiting: VecDeque<Event>,
    trouble: Arc<Trouble>,
}

/// What went wrong in lanes.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    failures: AtomicU64,
    first: OnceLock<String>,
}

impl Trouble {
    /// Counts so many failed publishes.
    pub(crate) fn count(&self, failures: usize, error: &dyn std::fmt::Display) {
        self.failures.fetch_add(failures as u64, Ordering::Relaxed);
        self.first.get_or_init(|| error.to_string());
    }
}

impl Lanes {
    /// So many lanes; their other ends.
    pub(crate) fn new(count: usize) -> (Self, Vec<Receiver<Event>>, Arc<Trouble>) {
        let (lanes, ends) = (0..count).map(|_| mpsc::channel(LANE_CAP)).unzip();
        let trouble = Arc::<Trouble>::default();
        let it = Self {
            lanes,
            waiting: VecDeque::new(),
            trouble: trouble.clone(),
        };
        (it, ends, trouble)
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
                Err(TrySendError::Closed(_)) => self.trouble.count(1, &"a lane ended"),
            }
            self.waiting.pop_front();
        }
        true
    }

    pub(super) fn failures(&self) -> u64 {
        self.trouble.failures.load(Ordering::Relaxed)
    }

    pub(super) fn error(&self) -> Option<String> {
        self.trouble.first.get().cloned()
    }
}
