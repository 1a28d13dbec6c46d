//! Random calls to a store.

use std::collections::BTreeSet;

use proptest::{collection::vec, option, prelude::*};

use super::*;

pub(super) const SESSIONS: [&str; 2] = ["s1", "s2"];
pub(super) const USERS: [&str; 4] = ["alice", "bob", "carol", "dave"];
const ROLES: [Role; 3] = [Role::Interviewer, Role::Interviewee, Role::Observer];

#[derive(Debug, Clone)]
pub(super) enum Action {
    Execute(SessionCommand),
    Require(Vec<UserId>),
    Disconnect(UserId),
}

/// An action on a session with a request id, both by index; or an earlier call again.
#[derive(Debug, Clone)]
pub(super) enum Call {
    New {
        session: usize,
        request: Option<usize>,
        action: Action,
    },
    Again(prop::sample::Index),
}

fn some_user() -> impl Strategy<Value = UserId> {
    prop::sample::select(&USERS[..]).prop_map(user)
}

fn some_role() -> impl Strategy<Value = Role> {
    prop::sample::select(&ROLES[..])
}

/// Lists as callers guarantee them: each user once, and each exclusive role at most once.
fn some_list() -> impl Strategy<Value = Vec<(UserId, Role)>> {
    vec((some_user(), some_role()), 0..5).prop_map(|list| {
        let (mut users, mut roles) = (BTreeSet::new(), BTreeSet::new());
        let mut fits = |user: &UserId, role: Role| {
            (!role.is_exclusive() || roles.insert(role)) && users.insert(user.clone())
        };
        list.into_iter()
            .filter(|(user, role)| fits(user, *role))
            .collect()
    })
}

fn some_action() -> impl Strategy<Value = Action> {
    let text = prop_oneof!["[a-c\"\u{1}é]{0,3}", "x{120,130}"];
    let object = || {
        "[a-z\"\n]{0,40}"
            .prop_map(|text| JsonObject::from(serde_json::Map::from_iter([("k".to_owned(), text.into())])))
    };
    let publish = (
        text,
        option::of(some_list()),
        object(),
        option::weighted(0.3, 0..5_u64),
    )
        .prop_map(
            |(status, participants, attributes, expected_revision)| SessionCommand::Publish {
                status: status.into(),
                participants,
                attributes,
                expected_revision,
            },
        );
    let select =
        (some_user(), some_role()).prop_map(|(user, role)| SessionCommand::SelectRole { user, role });
    let update = (
        option::of(some_user()),
        object(),
        option::of(object()),
        any::<u32>(),
    )
        .prop_map(
            |(author, updates, new_feedback, timestamp)| SessionCommand::UpdateFeedback {
                feedback: "f1".parse().unwrap(),
                author,
                updates,
                new_feedback,
                timestamp: Some(timestamp.into()),
            },
        );
    let remove = some_user().prop_map(|user| SessionCommand::RemoveParticipant { user });
    prop_oneof![
        3 => publish.prop_map(Action::Execute),
        4 => select.prop_map(Action::Execute),
        3 => update.prop_map(Action::Execute),
        2 => remove.prop_map(Action::Execute),
        3 => vec(some_user(), 0..4).prop_map(Action::Require),
        1 => some_user().prop_map(Action::Disconnect),
    ]
}

pub(super) fn some_call() -> impl Strategy<Value = Call> {
    let new = (
        0..SESSIONS.len(),
        option::weighted(0.4, 0..30_usize),
        some_action(),
    );
    prop_oneof![
        6 => new.prop_map(|(session, request, action)| Call::New { session, request, action }),
        1 => any::<prop::sample::Index>().prop_map(Call::Again),
    ]
}

/// The calls with each `Again` replaced by its earlier call, each with its request key.
pub(super) fn resolved(calls: Vec<Call>) -> Vec<(SessionId, Option<RequestKey>, Action)> {
    let mut all: Vec<(SessionId, Option<RequestKey>, Action)> = Vec::new();
    for call in calls {
        match call {
            Call::New {
                session: at,
                request: id,
                action,
            } => {
                use sha2::{Digest as _, Sha256};
                let fingerprint = Sha256::digest(format!("{action:?}")).into();
                let key = |id| RequestKey {
                    id: RequestId::try_from(format!("r{id}")).unwrap(),
                    fingerprint,
                };
                all.push((session(SESSIONS[at]), id.map(key), action));
            }
            Call::Again(_) if all.is_empty() => {}
            Call::Again(index) => all.push(all[index.index(all.len())].clone()),
        }
    }
    all
}
