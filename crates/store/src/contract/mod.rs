//! What every store promises, as tests that each of them passes.

mod commands;
mod feedback;
pub(crate) mod hints;
mod logs;
mod model;
mod requests;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use roomcast_core::{
    CommandDenial, Entry, Event, JsonObject, Millis, Offset, RequestId, Role, RoomId, RoomState, Session,
    SessionCommand, SessionId, Snapshot, UserId,
};

use crate::{
    MemoryStore, Outcome, RedisConfig, RedisStore, RequestKey, Store, StoreError, StoreLimits,
    redis::{
        access,
        server::{Cluster, Server},
    },
    slots::Slots,
};

/// A store under test, with what it runs on.
pub(crate) struct Subject {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) slots: Arc<dyn Slots>,
    /// The clock of a store that has its own to be moved; Redis can only be waited for.
    clock: Option<Arc<AtomicI64>>,
    _ground: Ground,
}

enum Ground {
    Memory,
    Redis { _server: Server },
    Cluster { _cluster: Cluster },
}

/// Which store a test is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Memory,
    Redis,
    Cluster,
}

impl Kind {
    pub(crate) async fn subject(self, bounds: StoreLimits) -> Subject {
        match self {
            Self::Memory => {
                let clock = Arc::new(AtomicI64::new(1_700_000_000_000));
                let time = clock.clone();
                let random = AtomicU64::new(1);
                let store = Arc::new(MemoryStore::new(
                    bounds,
                    move || random.fetch_add(1, Ordering::Relaxed),
                    move || time.load(Ordering::Relaxed),
                ));
                Subject {
                    store: store.clone(),
                    slots: store,
                    clock: Some(clock),
                    _ground: Ground::Memory,
                }
            }
            Self::Redis => {
                let server = Server::start();
                let store = Arc::new(connect(&access::admit(&server).await, "rc", bounds).await);
                let ground = Ground::Redis { _server: server };
                Subject {
                    store: store.clone(),
                    slots: store,
                    clock: None,
                    _ground: ground,
                }
            }
            Self::Cluster => {
                let cluster = Cluster::start().await;
                let store = Arc::new(connect(&access::admit_to_all(&cluster).await, "rc", bounds).await);
                let ground = Ground::Cluster { _cluster: cluster };
                Subject {
                    store: store.clone(),
                    slots: store,
                    clock: None,
                    _ground: ground,
                }
            }
        }
    }
}

pub(crate) async fn connect(url: &str, prefix: &str, bounds: StoreLimits) -> RedisStore {
    RedisStore::connect(RedisConfig {
        url: url.parse().unwrap(),
        prefix: prefix.into(),
        bounds,
        replicas: 0,
    })
    .await
}

/// Makes a test of each function for each store.
macro_rules! contract {
    ($($noun:ident: $($name:ident),+;)+) => {
        mod memory {
            $($(#[tokio::test] async fn $name() { super::$noun::$name(super::Kind::Memory).await })+)+
        }
        mod redis {
            $($(#[tokio::test] async fn $name() { super::$noun::$name(super::Kind::Redis).await })+)+
        }
    };
}

contract! {
    commands:
        a_publish_creates_and_then_replaces,
        a_publish_without_a_list_leaves_participants_alone,
        an_expected_revision_is_held_to,
        a_single_seat_has_one_holder,
        a_role_change_keeps_the_place_and_since_when,
        only_a_participant_can_be_removed,
        an_unknown_session_is_not_found,
        an_update_of_feedback_is_appended_as_it_was_told,
        a_payload_may_be_as_large_as_the_cap_and_no_larger,
        any_text_comes_back_as_it_was,
        the_longest_ids_are_taken,
        a_thousand_participants_are_no_trouble,
        whether_a_user_takes_part_is_told_with_the_tail;
    requests:
        the_same_request_again_has_no_second_effect,
        a_request_id_stands_for_one_request,
        a_known_request_is_answered_before_any_rule,
        what_was_rejected_is_not_remembered,
        a_request_id_belongs_to_one_session,
        a_request_id_is_forgotten_after_the_retention;
    logs:
        offsets_are_dense_and_each_room_has_an_epoch,
        a_read_has_a_limit_and_a_start,
        a_room_without_a_log_reads_as_empty,
        a_log_keeps_a_number_of_entries,
        every_place_has_the_mark_of_its_entry,
        a_log_keeps_entries_for_a_time_and_its_tail_for_longer,
        a_session_that_nothing_is_written_to_is_forgotten,
        tails_come_in_the_order_of_the_rooms,
        a_snapshot_is_an_older_one_folded;
    feedback:
        feedback_is_owed_until_its_author_gives_it,
        no_users_means_everyone_who_takes_part,
        a_second_requirement_is_a_reminder,
        a_requirement_torn_before_its_users_is_completed_by_a_retry,
        feedback_torn_before_its_author_is_completed_by_a_retry,
        a_requirement_that_comes_after_its_feedback_is_ended_at_once,
        feedback_that_comes_late_does_not_end_a_later_requirement,
        a_new_life_of_a_session_can_require_what_an_old_one_was_given;
    hints:
        what_is_appended_after_subscribed_comes_as_a_hint,
        a_room_that_was_left_gives_no_hints,
        every_subscription_is_told_of_its_own_rooms,
        one_that_does_not_listen_is_told_that_hints_were_lost;
}

/// A few of the contract where keys are on several nodes.
#[tokio::test]
async fn a_cluster_keeps_the_contract_too() {
    let subject = Kind::Cluster.subject(StoreLimits::default()).await;
    feedback::require_and_give(&subject).await;
    hints::hear_two_rooms(&subject).await;
    logs::compare_tails(&subject).await;
    requests::repeat_everything(&subject).await;
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

pub(crate) fn people(list: &[(&str, Role)]) -> Option<Vec<(UserId, Role)>> {
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

impl Subject {
    /// Lets time pass.
    pub(crate) async fn pass(&self, millis: Millis) {
        match &self.clock {
            Some(clock) => {
                clock.fetch_add(millis, Ordering::Relaxed);
            }
            None => tokio::time::sleep(Duration::from_millis(millis.unsigned_abs())).await,
        }
    }

    /// Does the command on the session `s1`.
    pub(crate) async fn execute(&self, command: &SessionCommand) -> Result<Outcome, StoreError> {
        self.store.execute(&session("s1"), command, None).await
    }

    pub(crate) async fn rejected(&self, command: &SessionCommand) -> CommandDenial {
        match self.execute(command).await {
            Err(StoreError::Denied(denial)) => denial,
            other => panic!("not rejected: {other:?}"),
        }
    }

    pub(crate) async fn s1(&self) -> Session {
        self.store.session(&session("s1")).await.unwrap().unwrap().session
    }

    /// Who takes part in `s1`, as `user role since`.
    pub(crate) async fn participants(&self) -> Vec<String> {
        let line = |p: &roomcast_core::Participant| format!("{} {} {}", p.user, p.role, p.added_at);
        self.s1().await.participants.iter().map(line).collect()
    }

    /// All entries that the room's log still has.
    pub(crate) async fn log(&self, name: &str) -> Vec<Arc<Entry>> {
        self.store
            .read(&room(name), Offset::ZERO, usize::MAX)
            .await
            .unwrap()
            .entries
    }

    pub(crate) async fn bodies(&self, name: &str) -> Vec<Event> {
        self.log(name)
            .await
            .iter()
            .map(|entry| entry.event.clone())
            .collect()
    }

    pub(crate) async fn snapshot(&self, name: &str) -> Snapshot {
        self.store.snapshot(&room(name)).await.unwrap().unwrap()
    }

    /// The sessions that the user owes feedback for. The log from its beginning must add up to the same.
    pub(crate) async fn pending_feedback_of(&self, id: &str) -> Vec<String> {
        let name = format!("user:{id}");
        let mut folded = RoomState::User {
            pending_feedback: BTreeSet::new(),
        };
        for entry in self.log(&name).await {
            folded.fold(entry.position.offset, &entry.event);
        }
        let snapshot = self.snapshot(&name).await;
        assert_eq!(snapshot.state, folded, "the log of {name} adds up to its state");
        match snapshot.state {
            RoomState::User { pending_feedback } => {
                pending_feedback.iter().map(SessionId::to_string).collect()
            }
            RoomState::Session(_) => panic!("{name} is a user's"),
        }
    }

    /// Who owes feedback for `s1`.
    pub(crate) async fn pending_feedback(&self) -> Vec<String> {
        let view = self.store.session(&session("s1")).await.unwrap().unwrap();
        view.pending_feedback.iter().map(UserId::to_string).collect()
    }
}
