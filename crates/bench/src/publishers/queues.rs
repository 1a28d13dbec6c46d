//! Queues between the load generator and the tasks that call a competitor's API. All events of one room go through the
//! same queue, which keeps their order.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};

use super::event::Event;

/// The maximum length of a queue. When a queue is full, events wait in `PublishQueues`.
const QUEUE_LIMIT: usize = 4096;

/// The sending side of the queues.
pub(crate) struct PublishQueues {
    queues: Vec<Sender<Event>>,
    /// Events that have not been put into a queue. In an open loop it grows as long as the competitor is too slow, because
    /// the load must not become smaller; the length of the window is its limit.
    waiting: VecDeque<Event>,
    outcomes: Arc<PublishOutcomes>,
}

/// Counts the outcomes of the publishes of all queues.
#[derive(Debug, Default)]
pub(super) struct PublishOutcomes {
    succeeded: AtomicU64,
    failed: AtomicU64,
    first_error: OnceLock<String>,
}

impl PublishOutcomes {
    pub(super) fn count_succeeded(&self, publishes: usize) {
        self.succeeded.fetch_add(publishes as u64, Ordering::Relaxed);
    }

    pub(super) fn count_failed(&self, publishes: usize, error: &dyn std::fmt::Display) {
        self.failed.fetch_add(publishes as u64, Ordering::Relaxed);
        self.first_error.get_or_init(|| error.to_string());
    }
}

impl PublishQueues {
    /// Creates this many queues, and returns their receiving sides.
    pub(super) fn new(count: usize) -> (Self, Vec<Receiver<Event>>, Arc<PublishOutcomes>) {
        let (queues, receivers) = (0..count).map(|_| mpsc::channel(QUEUE_LIMIT)).unzip();
        let outcomes = Arc::<PublishOutcomes>::default();
        let publish_queues = Self {
            queues,
            waiting: VecDeque::new(),
            outcomes: outcomes.clone(),
        };
        (publish_queues, receivers, outcomes)
    }

    pub(super) fn push(&mut self, event: Event) {
        self.waiting.push_back(event);
    }

    /// Puts waiting events into their queues, up to the first full queue. Returns whether all fitted.
    pub(super) fn flush(&mut self) -> bool {
        while let Some(event) = self.waiting.front() {
            let queue = &self.queues[event.room as usize % self.queues.len()];
            match queue.try_send(*event) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => return false,
                Err(TrySendError::Closed(_)) => self.outcomes.count_failed(1, &"a publisher task ended"),
            }
            self.waiting.pop_front();
        }
        true
    }

    pub(super) fn succeeded(&self) -> u64 {
        self.outcomes.succeeded.load(Ordering::Relaxed)
    }

    pub(super) fn failed(&self) -> u64 {
        self.outcomes.failed.load(Ordering::Relaxed)
    }

    pub(super) fn first_error(&self) -> Option<String> {
        self.outcomes.first_error.get().cloned()
    }
}
