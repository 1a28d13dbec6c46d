//! StreamCommands: batches of commands in, results out in their order; commands of one session one after the other,
//! those of different sessions at the same time.
//!
//! The stream is driven by the connection's window: a caller that takes no responses is read from no more.

mod lines;

use std::collections::VecDeque;

use futures_util::{Stream, StreamExt as _, future::BoxFuture, stream, stream::FuturesUnordered};
use roomcast_core::SessionId;
use roomcast_proto::{
    Failure, Invalid,
    batch::{MAX_BATCH_COMMANDS, ParsedCommand},
    v1::{CommandResult, StreamCommandsRequest, StreamCommandsResponse},
};
use roomcast_runtime::lifecycle::Shutdown;
use tonic::{Code, Status, Streaming};

use self::lines::Lines;
use crate::{
    config::{BATCH_REQUESTS, COMMANDS_UNDER_WAY},
    metrics::Metrics,
    use_cases::UseCases,
};

/// What streams of commands share.
#[derive(Clone)]
pub(crate) struct Commanding {
    pub(crate) use_cases: UseCases,
    pub(crate) shutdown: Shutdown,
    pub(crate) metrics: Metrics,
    pub(crate) max_request_bytes: usize,
}

impl Commanding {
    /// The largest batch, in bytes.
    pub(crate) fn max_batch_bytes(&self) -> usize {
        self.max_request_bytes.saturating_mul(BATCH_REQUESTS)
    }
}

/// Which command: the number of its batch, and its place there.
#[derive(Debug, Clone, Copy)]
struct Place {
    batch: u64,
    at: usize,
}

/// A batch that is taken and not answered.
struct Batch {
    results: Vec<Option<CommandResult>>,
    missing: usize,
    bytes: usize,
}

/// Why no further batch is taken.
#[derive(Debug)]
enum End {
    /// The caller has no more.
    Caller,
    /// The stream can't go on.
    Failed(Status),
}

struct Commands {
    shared: Commanding,
    asked: Streaming<StreamCommandsRequest>,
    end: Option<End>,
    batches: VecDeque<Batch>,
    /// The number of the first of them.
    first: u64,
    lines: Lines,
    under_way: FuturesUnordered<BoxFuture<'static, (Place, SessionId, CommandResult)>>,
    unanswered: usize,
    unanswered_bytes: usize,
}

/// Does what the batches ask for, and answers each.
pub(crate) fn start(
    shared: Commanding,
    asked: Streaming<StreamCommandsRequest>,
) -> impl Stream<Item = Result<StreamCommandsResponse, Status>> {
    let commands = Commands {
        shared,
        asked,
        end: None,
        batches: VecDeque::new(),
        first: 0,
        lines: Lines::default(),
        under_way: FuturesUnordered::new(),
        unanswered: 0,
        unanswered_bytes: 0,
    };
    stream::unfold(Some(commands), |commands| async {
        let mut commands = commands?;
        match commands.next().await {
            Ok(Some(response)) => Some((Ok(response), Some(commands))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    })
}

impl Commands {
    /// The next response; `None` where everything is answered and the caller has no more.
    async fn next(&mut self) -> Result<Option<StreamCommandsResponse>, Status> {
        loop {
            if let Some(response) = self.answered() {
                return Ok(Some(response));
            }
            if self.batches.is_empty() {
                match self.end.take() {
                    Some(End::Caller) => return Ok(None),
                    Some(End::Failed(status)) => return Err(status),
                    None => {}
                }
            }
            tokio::select! {
                biased; // a drain takes nothing new, and what is done makes room for what comes
                () = self.shared.shutdown.draining(), if self.end.is_none() => {
                    self.end = Some(End::Failed(Failure::Draining.into()));
                }
                Some((place, session, result)) = self.under_way.next() => {
                    self.put(place, result);
                    if let Some((place, asked)) = self.lines.next(&session) {
                        self.begin(place, asked);
                    }
                }
                asked = self.asked.message(), if self.takes() => match asked {
                    Ok(Some(batch)) => self.take(batch),
                    Ok(None) => self.end = Some(End::Caller),
                    Err(status) => self.end = Some(End::Failed(self.corrected(status))),
                },
            }
        }
    }

    /// Whether there is room for another batch.
    fn takes(&self) -> bool {
        self.end.is_none()
            && self.unanswered < COMMANDS_UNDER_WAY
            && self.unanswered_bytes < self.shared.max_batch_bytes()
    }

    fn take(&mut self, batch: StreamCommandsRequest) {
        let count = batch.commands.len();
        if let Err(invalid) = Invalid::if_more("commands", "commands", count, MAX_BATCH_COMMANDS) {
            self.end = Some(End::Failed(invalid.into()));
            return;
        }
        let bytes = prost::Message::encoded_len(&batch);
        let number = self.first + self.batches.len() as u64;
        self.batches.push_back(Batch {
            results: vec![None; count],
            missing: count,
            bytes,
        });
        self.unanswered += count;
        self.unanswered_bytes += bytes;
        for (at, command) in batch.commands.into_iter().enumerate() {
            let place = Place { batch: number, at };
            match command.parse(self.shared.max_request_bytes) {
                Ok(asked) => {
                    if let Some((place, asked)) = self.lines.join(place, asked) {
                        self.begin(place, asked);
                    }
                }
                Err(failure) => self.put(place, failure.into()),
            }
        }
    }

    fn begin(&mut self, place: Place, asked: ParsedCommand) {
        let use_cases = self.shared.use_cases.clone();
        self.under_way.push(Box::pin(async move {
            let session = asked.session().clone();
            (place, session, done(&use_cases, asked).await)
        }));
    }

    fn put(&mut self, place: Place, result: CommandResult) {
        self.shared.metrics.command(result.code());
        let batch = usize::try_from(place.batch - self.first).ok();
        let batch = batch.and_then(|batch| self.batches.get_mut(batch));
        if let Some(batch) = batch {
            batch.results[place.at] = Some(result);
            batch.missing -= 1;
        }
    }

    /// The response to the first batch, where it is complete.
    fn answered(&mut self) -> Option<StreamCommandsResponse> {
        self.batches.front().filter(|batch| batch.missing == 0)?;
        let batch = self.batches.pop_front()?;
        self.first += 1;
        self.unanswered -= batch.results.len();
        self.unanswered_bytes -= batch.bytes;
        Some(StreamCommandsResponse {
            results: batch.results.into_iter().flatten().collect(),
        })
    }

    /// In a stream, tonic's OUT_OF_RANGE for what is too large comes through here.
    fn corrected(&self, status: Status) -> Status {
        if status.code() == Code::OutOfRange {
            let cap = self.shared.max_batch_bytes();
            return Failure::RequestTooLarge { limit: cap }.into();
        }
        status
    }
}

async fn done(use_cases: &UseCases, asked: ParsedCommand) -> CommandResult {
    let result = match asked {
        ParsedCommand::Change(kind, change) => use_cases
            .change(change)
            .await
            .map(|done| CommandResult::changed(kind, done.event, done.revision, done.duplicate)),
        ParsedCommand::Require(require) => {
            let done = use_cases.require_feedback(require).await;
            done.map(|done| CommandResult::required(done.events, done.duplicate))
        }
    };
    result.unwrap_or_else(CommandResult::from)
}
