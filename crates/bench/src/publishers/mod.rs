//! How the load generator publishes events at a competitor.

pub(crate) mod centrifugo;
mod event;
mod queues;
pub(crate) mod records;
pub(crate) mod roomcast;

pub(crate) use self::event::Event;
use self::{queues::PublishQueues, records::RecordPublisher};
use crate::error::BenchResult;

/// Publishes events at one competitor.
pub(crate) enum Publisher {
    /// Sends records on a TCP connection, which costs the competitor almost nothing.
    Records(RecordPublisher),
    /// Calls the competitor's own API, from tasks.
    ApiCalls(PublishQueues),
}

impl Publisher {
    /// Adds an event, which the next flush sends.
    pub(crate) fn publish(&mut self, event: Event) {
        match self {
            Self::Records(records) => records.push(event),
            Self::ApiCalls(queues) => queues.push(event),
        }
    }

    /// Sends as many events as possible without blocking. Returns whether all were sent.
    pub(crate) fn flush(&mut self) -> BenchResult<bool> {
        match self {
            Self::Records(records) => records.flush(),
            Self::ApiCalls(queues) => Ok(queues.flush()),
        }
    }

    /// The number of successful publishes; 0 for records, which have no response.
    pub(crate) fn succeeded(&self) -> u64 {
        match self {
            Self::Records(_) => 0,
            Self::ApiCalls(queues) => queues.succeeded(),
        }
    }

    /// The number of failed publishes.
    pub(crate) fn failed(&self) -> u64 {
        match self {
            Self::Records(_) => 0,
            Self::ApiCalls(queues) => queues.failed(),
        }
    }

    /// The error of the first failed publish.
    pub(crate) fn first_error(&self) -> Option<String> {
        match self {
            Self::Records(_) => None,
            Self::ApiCalls(queues) => queues.first_error(),
        }
    }
}
