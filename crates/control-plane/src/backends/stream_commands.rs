//! `StreamCommands`: receives batches of commands and responds to them in order. Commands of one session are executed one
//! after the other, and commands of different sessions concurrently.
//!
//! HTTP/2 flow control drives the stream: while a caller takes no responses, no further batch is read.

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

use super::session_queues::{CommandIndex, SessionQueues};
use crate::{
    limits::{PENDING_COMMANDS, REQUESTS_PER_BATCH},
    metrics::Metrics,
    use_cases::UseCases,
};

/// What all `StreamCommands` calls share.
#[derive(Clone)]
pub(crate) struct StreamCommandsContext {
    pub(crate) use_cases: UseCases,
    pub(crate) shutdown: Shutdown,
    pub(crate) metrics: Metrics,
    pub(crate) max_request_bytes: usize,
}

impl StreamCommandsContext {
    /// The largest batch, in bytes.
    pub(crate) fn max_batch_bytes(&self) -> usize {
        self.max_request_bytes.saturating_mul(REQUESTS_PER_BATCH)
    }
}

/// A batch that was received and not responded to.
struct PendingBatch {
    /// One for each command, in order; `None` while the command is pending.
    results: Vec<Option<CommandResult>>,
    missing_results: usize,
    bytes: usize,
}

/// Why no further batch is read.
#[derive(Debug)]
enum InputEnd {
    /// The caller has sent everything.
    Complete,
    /// The stream ends with this status after the responses to earlier batches.
    Failed(Status),
}

struct CommandStream {
    context: StreamCommandsContext,
    requests: Streaming<StreamCommandsRequest>,
    input_end: Option<InputEnd>,
    /// In the order in which they were received. `is_accepting` limits them.
    batches: VecDeque<PendingBatch>,
    /// The number of the first batch in `batches`.
    first_batch: u64,
    queues: SessionQueues,
    /// The commands in progress, at most one for each session; this stream owns them.
    in_progress: FuturesUnordered<BoxFuture<'static, (CommandIndex, SessionId, CommandResult)>>,
    /// The commands of `batches`.
    pending_commands: usize,
    /// The bytes of `batches`.
    pending_bytes: usize,
}

/// Executes the commands of the batches, and responds to each batch.
pub(crate) fn start(
    context: StreamCommandsContext,
    requests: Streaming<StreamCommandsRequest>,
) -> impl Stream<Item = Result<StreamCommandsResponse, Status>> {
    let commands = CommandStream {
        context,
        requests,
        input_end: None,
        batches: VecDeque::new(),
        first_batch: 0,
        queues: SessionQueues::default(),
        in_progress: FuturesUnordered::new(),
        pending_commands: 0,
        pending_bytes: 0,
    };
    stream::unfold(Some(commands), |commands| async {
        let mut commands = commands?;
        match commands.next_response().await {
            Ok(Some(response)) => Some((Ok(response), Some(commands))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    })
}

impl CommandStream {
    /// The next response; `None` when all batches have a response and the caller sends no more.
    async fn next_response(&mut self) -> Result<Option<StreamCommandsResponse>, Status> {
        loop {
            if let Some(response) = self.take_completed_batch() {
                return Ok(Some(response));
            }
            if self.batches.is_empty() {
                match self.input_end.take() {
                    Some(InputEnd::Complete) => return Ok(None),
                    Some(InputEnd::Failed(status)) => return Err(status),
                    None => {}
                }
            }
            tokio::select! {
                biased; // a drain accepts nothing new, and completed commands make space for new ones
                () = self.context.shutdown.draining(), if self.input_end.is_none() => {
                    self.input_end = Some(InputEnd::Failed(Failure::Draining.into()));
                }
                Some((index, session, result)) = self.in_progress.next() => {
                    self.store_result(index, result);
                    if let Some((index, command)) = self.queues.next(&session) {
                        self.execute(index, command);
                    }
                }
                request = self.requests.message(), if self.is_accepting() => match request {
                    Ok(Some(batch)) => self.accept(batch),
                    Ok(None) => self.input_end = Some(InputEnd::Complete),
                    Err(status) => self.input_end = Some(InputEnd::Failed(self.size_error_as_invalid(status))),
                },
            }
        }
    }

    /// Whether another batch may be read. At the limits, the caller waits.
    fn is_accepting(&self) -> bool {
        self.input_end.is_none()
            && self.pending_commands < PENDING_COMMANDS
            && self.pending_bytes < self.context.max_batch_bytes()
    }

    fn accept(&mut self, batch: StreamCommandsRequest) {
        let count = batch.commands.len();
        if let Err(invalid) = Invalid::check_length("commands", "commands", count, MAX_BATCH_COMMANDS) {
            self.input_end = Some(InputEnd::Failed(invalid.into()));
            return;
        }
        let bytes = prost::Message::encoded_len(&batch);
        let batch_number = self.first_batch + self.batches.len() as u64;
        self.batches.push_back(PendingBatch {
            results: vec![None; count],
            missing_results: count,
            bytes,
        });
        self.pending_commands += count;
        self.pending_bytes += bytes;
        for (index, command) in batch.commands.into_iter().enumerate() {
            let index = CommandIndex {
                batch: batch_number,
                index,
            };
            match command.parse(self.context.max_request_bytes) {
                Ok(command) => {
                    if let Some((index, command)) = self.queues.start_or_queue(index, command) {
                        self.execute(index, command);
                    }
                }
                Err(failure) => self.store_result(index, failure.into()),
            }
        }
    }

    fn execute(&mut self, index: CommandIndex, command: ParsedCommand) {
        let use_cases = self.context.use_cases.clone();
        self.in_progress.push(Box::pin(async move {
            let session = command.session().clone();
            (index, session, execute(&use_cases, command).await)
        }));
    }

    fn store_result(&mut self, index: CommandIndex, result: CommandResult) {
        self.context.metrics.command_ended(result.code());
        let batch = usize::try_from(index.batch - self.first_batch).ok();
        let batch = batch.and_then(|batch| self.batches.get_mut(batch));
        if let Some(batch) = batch {
            batch.results[index.index] = Some(result);
            batch.missing_results -= 1;
        }
    }

    /// The response to the first pending batch, if all its results are present.
    fn take_completed_batch(&mut self) -> Option<StreamCommandsResponse> {
        self.batches.front().filter(|batch| batch.missing_results == 0)?;
        let batch = self.batches.pop_front()?;
        self.first_batch += 1;
        self.pending_commands -= batch.results.len();
        self.pending_bytes -= batch.bytes;
        Some(StreamCommandsResponse {
            results: batch.results.into_iter().flatten().collect(),
        })
    }

    /// In a stream, a message that is too large arrives here as tonic's OUT_OF_RANGE. No method of ours returns that code.
    fn size_error_as_invalid(&self, status: Status) -> Status {
        if status.code() != Code::OutOfRange {
            return status;
        }
        let limit = self.context.max_batch_bytes();
        Failure::RequestTooLarge { limit }.into()
    }
}

async fn execute(use_cases: &UseCases, command: ParsedCommand) -> CommandResult {
    let result = match command {
        ParsedCommand::Change(kind, change) => use_cases
            .change(change)
            .await
            .map(|outcome| CommandResult::changed(kind, outcome.event, outcome.revision, outcome.duplicate)),
        ParsedCommand::Require(require) => use_cases
            .require_feedback(require)
            .await
            .map(|outcome| CommandResult::feedback_required(outcome.events, outcome.duplicate)),
    };
    result.unwrap_or_else(CommandResult::from)
}
