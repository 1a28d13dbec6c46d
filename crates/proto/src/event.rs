//! Events as `WatchEvents` returns them.

use roomcast_core::{Entry, Event, RoomId, RoomState, Snapshot};

use crate::{
    json, time,
    v1::{self, event, watch_events_response::Item},
};

impl v1::WatchEventsResponse {
    /// The response that contains an event of the room.
    #[must_use]
    pub fn event(room: &RoomId, entry: &Entry) -> Self {
        let event = v1::Event {
            r#ref: Some(v1::EventRef::new(room, entry.position, entry.published_at)),
            body: Some((&entry.event).into()),
        };
        Self {
            item: Some(Item::Event(event)),
        }
    }

    /// The response after a loss of continuity. It contains the room's current state.
    #[must_use]
    pub fn reset(snapshot: &Snapshot) -> Self {
        let session = match &snapshot.state {
            RoomState::Session(session) => Some((&**session).into()),
            RoomState::User { .. } => None,
        };
        Self {
            item: Some(Item::Reset(v1::Reset {
                position: Some(snapshot.position.into()),
                session,
            })),
        }
    }
}

impl From<&Event> for event::Body {
    fn from(event: &Event) -> Self {
        match event {
            Event::SessionUpdated { session, removed } => Self::SessionUpdated(v1::SessionUpdated {
                session: Some((&**session).into()),
                removed_user_ids: removed.iter().map(ToString::to_string).collect(),
            }),
            Event::RoleSelected { user, role } => Self::RoleSelected(v1::RoleSelected {
                user_id: user.to_string(),
                role: v1::Role::from(*role).into(),
            }),
            Event::FeedbackUpdated {
                feedback,
                updates,
                new_feedback,
                timestamp,
            } => Self::FeedbackUpdated(v1::FeedbackUpdated {
                feedback_id: feedback.to_string(),
                updates: Some(json::to_struct(updates)),
                new_feedback: new_feedback.as_ref().map(json::to_struct),
                timestamp: Some(time::timestamp(*timestamp)),
            }),
            Event::ParticipantRemoved { user } => Self::ParticipantRemoved(v1::ParticipantRemoved {
                user_id: user.to_string(),
            }),
            Event::FeedbackRequired { session } => Self::FeedbackRequired(v1::FeedbackRequired {
                session_id: session.to_string(),
            }),
            Event::FeedbackSettled { session } => Self::FeedbackGiven(v1::FeedbackGiven {
                session_id: session.to_string(),
            }),
            Event::UserDisconnected { reason } => Self::UserDisconnected(v1::UserDisconnected {
                reason: reason.clone(),
            }),
        }
    }
}
