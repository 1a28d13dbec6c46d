//! One queue for each session that has a command in progress: the commands of the same stream that wait for it, in order.

use std::collections::{HashMap, VecDeque};

use roomcast_core::SessionId;
use roomcast_proto::batch::ParsedCommand;

/// Identifies a command of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommandIndex {
    /// The number of its batch in the stream, from 0.
    pub(super) batch: u64,
    /// Its index in the batch.
    pub(super) index: usize,
}

/// The queues of one stream. Together they hold at most the stream's pending commands, which the stream limits.
#[derive(Default)]
pub(super) struct SessionQueues(HashMap<SessionId, VecDeque<(CommandIndex, ParsedCommand)>>);

impl SessionQueues {
    /// Returns the command if it may start at once; queues it if its session has a command in progress.
    pub(super) fn start_or_queue(
        &mut self,
        index: CommandIndex,
        command: ParsedCommand,
    ) -> Option<(CommandIndex, ParsedCommand)> {
        match self.0.get_mut(command.session()) {
            Some(queue) => {
                queue.push_back((index, command));
                None
            }
            None => {
                self.0.insert(command.session().clone(), VecDeque::new());
                Some((index, command))
            }
        }
    }

    /// The session's command in progress has ended: returns the next one to start.
    pub(super) fn next(&mut self, session: &SessionId) -> Option<(CommandIndex, ParsedCommand)> {
        let next = self.0.get_mut(session)?.pop_front();
        if next.is_none() {
            self.0.remove(session);
        }
        next
    }
}
