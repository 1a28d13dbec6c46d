//! One line for each session with a command under way: those that wait for it, in order.

use std::collections::{HashMap, VecDeque};

use roomcast_core::SessionId;
use roomcast_proto::batch::ParsedCommand;

use super::Place;

/// The lines. Together they are no longer than the stream's commands under way.
#[derive(Default)]
pub(super) struct Lines(HashMap<SessionId, VecDeque<(Place, ParsedCommand)>>);

impl Lines {
    /// Gives the command back where it is its turn.
    pub(super) fn join(&mut self, place: Place, asked: ParsedCommand) -> Option<(Place, ParsedCommand)> {
        match self.0.get_mut(asked.session()) {
            Some(line) => {
                line.push_back((place, asked));
                None
            }
            None => {
                self.0.insert(asked.session().clone(), VecDeque::new());
                Some((place, asked))
            }
        }
    }

    /// The session's command is done: whose turn it is.
    pub(super) fn next(&mut self, session: &SessionId) -> Option<(Place, ParsedCommand)> {
        let next = self.0.get_mut(session)?.pop_front();
        if next.is_none() {
            self.0.remove(session);
        }
        next
    }
}
