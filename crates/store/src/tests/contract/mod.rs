//! The contract of a store, as tests that every implementation passes.

mod calls;
mod commands;
mod feedback;
mod logs;
mod model;
mod requests;
mod subject;
pub(super) mod subscriptions;

use roomcast_core::{
    JsonObject, Millis, RequestId, Role, RoomId, SessionCommand, SessionId, UserId, ids::RequestKey,
};

/// Retentions in tests are long, so that no key expires because a test runs slowly.
const MINUTE: Millis = 60_000;

/// Which implementation a test runs on.
#[derive(Debug, Clone, Copy)]
pub(super) enum StoreKind {
    Memory,
    Redis,
    /// Redis with the rooms on several nodes.
    Cluster,
}

/// Makes a test of each function for each implementation.
macro_rules! contract {
    ($($noun:ident: $($name:ident),+;)+) => {
        mod memory {
            $($(#[tokio::test] async fn $name() { super::$noun::$name(super::StoreKind::Memory).await })+)+
        }
        mod redis {
            $($(#[tokio::test] async fn $name() { super::$noun::$name(super::StoreKind::Redis).await })+)+
        }
        mod cluster {
            $($(#[tokio::test] async fn $name() { super::$noun::$name(super::StoreKind::Cluster).await })+)+
        }
    };
}

contract! {
    commands:
        a_publish_creates_and_then_replaces,
        a_publish_without_a_list_keeps_the_participants,
        a_publish_that_expects_another_revision_is_denied,
        an_exclusive_role_has_one_holder,
        a_role_change_keeps_the_order_and_the_first_offset,
        only_a_participant_can_be_removed,
        an_unknown_session_is_not_found,
        a_feedback_update_is_appended_unchanged,
        a_payload_may_be_as_large_as_the_limit_and_not_larger,
        a_feedback_payload_may_be_as_large_as_the_limit_and_not_larger,
        any_text_is_stored_unchanged,
        the_longest_ids_are_accepted,
        a_session_may_have_a_thousand_participants,
        participation_is_returned_with_the_tail;
    requests:
        a_repeated_request_has_no_second_effect,
        a_request_id_identifies_one_request,
        a_repeated_request_is_recognized_before_any_rule,
        a_denied_request_is_not_stored,
        a_request_id_belongs_to_one_session,
        a_request_id_is_forgotten_after_the_retention;
    logs:
        offsets_are_dense_and_each_room_has_an_epoch,
        a_read_starts_after_an_offset_and_has_a_limit,
        a_room_without_a_log_reads_as_empty,
        a_log_keeps_a_limited_number_of_entries,
        every_position_has_the_mark_of_its_entry,
        a_log_keeps_entries_for_a_time_and_its_tail_for_longer,
        a_session_without_writes_is_forgotten,
        tails_are_in_the_order_of_the_rooms,
        a_snapshot_is_an_earlier_one_with_the_later_entries_applied;
    feedback:
        feedback_is_pending_until_its_author_submits_it,
        no_users_means_every_participant,
        a_second_requirement_is_a_reminder,
        a_retry_completes_a_requirement_that_failed_before_its_users,
        a_retry_completes_an_update_that_failed_before_its_author,
        a_requirement_that_arrives_after_its_feedback_is_settled_at_once,
        feedback_that_arrives_late_does_not_settle_a_later_requirement,
        a_recreated_session_can_require_feedback_that_the_expired_one_settled;
    subscriptions:
        entries_appended_after_subscribed_are_notified,
        an_unsubscribed_room_sends_no_notifications,
        a_new_reader_gets_only_the_rooms_that_it_subscribed_to,
        a_slow_reader_learns_that_notifications_were_lost;
}

pub(crate) fn session(id: &str) -> SessionId {
    id.parse().unwrap()
}

pub(crate) fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

pub(crate) fn room(name: &str) -> RoomId {
    name.parse().unwrap()
}

pub(crate) fn request(id: &str, fingerprint: u8) -> RequestKey {
    RequestKey {
        id: RequestId::try_from(id.to_owned()).unwrap(),
        fingerprint: [fingerprint; 32],
    }
}

pub(crate) fn participants(list: &[(&str, Role)]) -> Option<Vec<(UserId, Role)>> {
    Some(list.iter().map(|(id, role)| (user(id), *role)).collect())
}

pub(crate) fn publish(status: &str, participants: Option<Vec<(UserId, Role)>>) -> SessionCommand {
    let attributes = JsonObject::empty();
    SessionCommand::Publish {
        status: status.into(),
        participants,
        attributes,
        expected_revision: None,
    }
}

pub(crate) fn select(id: &str, role: Role) -> SessionCommand {
    SessionCommand::SelectRole { user: user(id), role }
}

pub(crate) fn remove(id: &str) -> SessionCommand {
    SessionCommand::RemoveParticipant { user: user(id) }
}

pub(crate) fn update(author: Option<&str>) -> SessionCommand {
    SessionCommand::UpdateFeedback {
        feedback: "f1".parse().unwrap(),
        author: author.map(user),
        updates: JsonObject::empty(),
        new_feedback: None,
        timestamp: Some(5),
    }
}
