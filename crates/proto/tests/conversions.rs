//! Every message survives its conversion to the wire and back, and no input makes a conversion panic.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use proptest::{collection::vec, option, prelude::*};
use prost::Message;
use prost_types::{ListValue, Struct, Value, value::Kind};
use roomcast_core::{
    Entry, Epoch, Event, JsonObject, LogSlice, Mark, Offset, Participant, Position, Role, RoomId, RoomState,
    Session, SessionCommand, SessionId, Snapshot,
};
use roomcast_proto::{
    command::{DisconnectUser, RequireFeedback, SessionChange},
    join::{Join, JoinAuthorization},
    link::{FromEdge, Load, ReadLog, ToEdge},
    v1,
    watch::WatchRoom,
};

fn id<T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    "[A-Za-z0-9._~@:+-]{1,128}".prop_map(|text| text.parse().unwrap())
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![
        Just(Role::Interviewer),
        Just(Role::Interviewee),
        Just(Role::Observer)
    ]
}

fn position() -> impl Strategy<Value = Position> {
    any::<(u64, u64)>().prop_map(|(epoch, offset)| Position::new(Epoch::from_random(epoch), Offset(offset)))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Kind::NullValue(0)),
        any::<bool>().prop_map(Kind::BoolValue),
        proptest::num::f64::NORMAL.prop_map(Kind::NumberValue),
        any::<i32>().prop_map(|n| Kind::NumberValue(n.into())),
        ".{0,8}".prop_map(Kind::StringValue),
    ];
    let leaf = leaf.prop_map(|kind| Value { kind: Some(kind) });
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| Kind::ListValue(ListValue { values }).into()),
            proptest::collection::btree_map(".{0,8}", inner, 0..4)
                .prop_map(|fields| Kind::StructValue(Struct { fields }).into()),
        ]
    })
}

fn structure() -> impl Strategy<Value = Struct> {
    proptest::collection::btree_map("[a-h]{1,3}", value(), 0..4).prop_map(|fields| Struct { fields })
}

/// An object that a backend can send.
fn object() -> impl Strategy<Value = JsonObject> {
    structure().prop_map(|fields| attributes(fields).unwrap())
}

fn attributes(from: Struct) -> Option<JsonObject> {
    let session = v1::Session {
        id: "s".into(),
        status: "x".into(),
        participants: None,
        attributes: Some(from),
    };
    let request = v1::PublishSessionUpdateRequest {
        session: Some(session),
        ..Default::default()
    };
    match SessionChange::try_from(request).ok()?.command {
        SessionCommand::Publish { attributes, .. } => Some(attributes),
        SessionCommand::SelectRole { .. }
        | SessionCommand::UpdateFeedback { .. }
        | SessionCommand::RemoveParticipant { .. } => None,
    }
}

fn session() -> impl Strategy<Value = Session> {
    let participant = (id(), role(), any::<u64>()).prop_map(|(user, role, added_at)| Participant {
        user,
        role,
        added_at: Offset(added_at),
    });
    (id(), ".{1,32}", vec(participant, 0..4), object(), any::<u64>()).prop_map(
        |(id, status, participants, attributes, revision)| Session {
            id,
            status: status.into(),
            participants,
            attributes,
            revision,
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (session(), vec(id(), 0..3)).prop_map(|(session, removed)| Event::SessionUpdated {
            session: Arc::new(session),
            removed
        }),
        (id(), role()).prop_map(|(user, role)| Event::RoleSelected { user, role }),
        (id(), object(), option::of(object()), any::<i64>()).prop_map(
            |(feedback, updates, new_feedback, timestamp)| {
                Event::FeedbackUpdated {
                    feedback,
                    updates,
                    new_feedback,
                    timestamp,
                }
            }
        ),
        id().prop_map(|user| Event::ParticipantRemoved { user }),
        id().prop_map(|session| Event::FeedbackRequired { session }),
        id().prop_map(|session| Event::FeedbackSettled { session }),
        ".{0,32}".prop_map(|reason| Event::UserDisconnected { reason }),
    ]
}

fn room() -> impl Strategy<Value = RoomId> {
    prop_oneof![id().prop_map(RoomId::Session), id().prop_map(RoomId::User)]
}

fn state() -> impl Strategy<Value = RoomState> {
    prop_oneof![
        session().prop_map(|session| RoomState::Session(session.into())),
        proptest::collection::btree_set(id(), 0..4)
            .prop_map(|pending_feedback| RoomState::User { pending_feedback }),
    ]
}

/// Consecutive entries of one epoch.
fn entries() -> impl Strategy<Value = Vec<Arc<Entry>>> {
    (
        any::<u64>(),
        1u64..u64::MAX / 2,
        vec((event(), any::<i64>()), 1..4),
    )
        .prop_map(|(epoch, first, events)| {
            let entry = |(n, (event, published_at))| {
                let offset = Offset(first + n as u64);
                Arc::new(Entry::new(Epoch::from_random(epoch), offset, published_at, event))
            };
            events.into_iter().enumerate().map(entry).collect()
        })
}

fn load() -> impl Strategy<Value = Load> {
    any::<(bool, u32)>().prop_map(|(store_unreachable, edges)| Load {
        store_unreachable,
        edges,
    })
}

fn to_edge() -> impl Strategy<Value = ToEdge> {
    prop_oneof![
        ("[!-~]{1,128}", "[!-~]{1,16}", load()).prop_map(|(control_plane, version, load)| {
            ToEdge::Welcome {
                control_plane,
                version,
                load,
            }
        }),
        (room(), position(), state(), any::<bool>()).prop_map(|(room, position, state, reset)| {
            ToEdge::Snapshot {
                room,
                snapshot: Snapshot { position, state },
                reset,
            }
        }),
        (room(), entries()).prop_map(|(room, entries)| ToEdge::Entries { room, entries }),
        room().prop_map(|room| ToEdge::SessionNotFound { room }),
        (any::<u64>(), load()).prop_map(|(nonce, load)| ToEdge::Pong { nonce, load }),
        Just(ToEdge::GoAway),
    ]
}

fn from_edge() -> impl Strategy<Value = FromEdge> {
    prop_oneof![
        ("[!-~]{1,128}", "[!-~]{1,16}").prop_map(|(edge, version)| FromEdge::Hello { edge, version }),
        (room(), option::of(position())).prop_map(|(room, after)| FromEdge::Interest { room, after }),
        room().prop_map(|room| FromEdge::EndInterest { room }),
        any::<u64>().prop_map(|nonce| FromEdge::Ping { nonce }),
    ]
}

fn authorization() -> impl Strategy<Value = JoinAuthorization> {
    prop_oneof![
        (role(), position()).prop_map(|(role, position)| JoinAuthorization::Admission { role, position }),
        Just(JoinAuthorization::SessionNotFound),
        position().prop_map(|position| JoinAuthorization::NotAParticipant { position }),
    ]
}

/// The message after encoding and decoding.
fn over_the_wire<M: Message + Default>(out: &M) -> M {
    M::decode(out.encode_to_vec().as_slice()).unwrap()
}

/// If the bytes can be decoded, the message is converted, or is invalid with at least one violation.
fn fuzz<M, T>(bytes: &[u8])
where
    M: Message + Default,
    T: TryFrom<M, Error = roomcast_proto::Invalid>,
{
    if let Ok(request) = M::decode(bytes)
        && let Err(invalid) = T::try_from(request)
    {
        assert!(!invalid.violations().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_message_to_an_edge_survives_the_wire(message in to_edge()) {
        let wire = over_the_wire(&v1::AttachResponse::from(message.clone()));
        prop_assert_eq!(ToEdge::try_from(wire), Ok(message));
    }

    #[test]
    fn a_message_from_an_edge_survives_the_wire(message in from_edge()) {
        let wire = over_the_wire(&v1::AttachRequest::from(message.clone()));
        prop_assert_eq!(FromEdge::try_from(wire), Ok(message));
    }

    #[test]
    fn a_join_authorization_survives_the_wire(authorization in authorization()) {
        let wire = over_the_wire(&v1::AuthorizeJoinResponse::from(authorization));
        prop_assert_eq!(JoinAuthorization::try_from(wire), Ok(authorization));
    }

    #[test]
    fn a_log_slice_survives_the_wire(entries in entries(), first: u64, tail: u64, after: u64, mark: u32) {
        let epoch = entries[0].position.epoch;
        let (first, tail, after) = (Offset(first), Offset(tail), Offset(after));
        let slice = LogSlice { epoch, first, tail, after, after_mark: Mark::from_bits(mark), entries };
        let wire = over_the_wire(&v1::ReadLogResponse::from(&slice));
        prop_assert_eq!(LogSlice::try_from(wire), Ok(slice));
    }

    #[test]
    fn an_object_survives_the_conversion_to_a_struct(object in object()) {
        let session = Session {
            id: "s".parse().unwrap(),
            status: "x".into(),
            participants: vec![],
            attributes: object.clone(),
            revision: 1,
        };
        let out = v1::Session::from(&session);
        prop_assert_eq!(attributes(out.attributes.unwrap()), Some(object));
    }

    #[test]
    fn a_session_is_converted_completely(session in session()) {
        let out = v1::Session::from(&session);
        prop_assert_eq!(&out.id, session.id.as_str());
        prop_assert_eq!(&out.status, &*session.status);
        prop_assert_eq!(out.participants.unwrap().list.len(), session.participants.len());
        prop_assert_eq!(attributes(out.attributes.unwrap()), Some(session.attributes));
    }

    #[test]
    fn no_bytes_make_a_conversion_panic(bytes in vec(any::<u8>(), 0..256)) {
        fuzz::<v1::PublishSessionUpdateRequest, SessionChange>(&bytes);
        fuzz::<v1::SelectRoleRequest, SessionChange>(&bytes);
        fuzz::<v1::UpdateFeedbackRequest, SessionChange>(&bytes);
        fuzz::<v1::RemoveParticipantRequest, SessionChange>(&bytes);
        fuzz::<v1::RequireFeedbackRequest, RequireFeedback>(&bytes);
        fuzz::<v1::AuthorizeJoinRequest, Join>(&bytes);
        fuzz::<v1::AuthorizeJoinResponse, JoinAuthorization>(&bytes);
        fuzz::<v1::DisconnectUserRequest, DisconnectUser>(&bytes);
        fuzz::<v1::GetSessionRequest, SessionId>(&bytes);
        fuzz::<v1::WatchEventsRequest, WatchRoom>(&bytes);
        fuzz::<v1::AttachRequest, FromEdge>(&bytes);
        fuzz::<v1::AttachResponse, ToEdge>(&bytes);
        fuzz::<v1::ReadLogRequest, ReadLog>(&bytes);
        fuzz::<v1::ReadLogResponse, LogSlice>(&bytes);
    }

    #[test]
    fn no_session_makes_a_conversion_panic(
        ids in vec((".{0,130}", any::<i32>()), 0..40),
        status in ".{0,130}",
        from in structure(),
        request_id in ".{0,130}",
        expected_revision: Option<u64>,
    ) {
        let list = ids.into_iter().map(|(user_id, role)| v1::Participant { user_id, role }).collect();
        let session = v1::Session {
            id: status.clone(),
            status,
            participants: Some(v1::Participants { list }),
            attributes: Some(from),
        };
        let request = v1::PublishSessionUpdateRequest { session: Some(session), expected_revision, request_id };
        if let Err(invalid) = SessionChange::try_from(request) {
            prop_assert!(!invalid.violations().is_empty());
        }
    }
}
