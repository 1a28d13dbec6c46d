//! What goes out comes in as it was, and nothing that comes in panics.

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
    command::{Change, Disconnect, Require},
    join::{Join, JoinAuthorization},
    json,
    link::{FromEdge, Load, ReadLog, ToEdge},
    room::Watch,
    v1,
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

/// An object as a backend can give it.
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
    match Change::try_from(request).ok()?.command {
        SessionCommand::Publish { attributes, .. } => Some(attributes),
        SessionCommand::SelectRole { .. }
        | SessionCommand::UpdateFeedback { .. }
        | SessionCommand::RemoveParticipant { .. } => None,
    }
}

fn session() -> impl Strategy<Value = Session> {
    let participant = (id(), role(), any::<u64>()).prop_map(|(user, role, since)| Participant {
        user,
        role,
        added_at: Offset(since),
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

fn body() -> impl Strategy<Value = Event> {
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

/// Entries of one epoch without holes.
fn entries() -> impl Strategy<Value = Vec<Arc<Entry>>> {
    (
        any::<u64>(),
        1u64..u64::MAX / 2,
        vec((body(), any::<i64>()), 1..4),
    )
        .prop_map(|(epoch, first, bodies)| {
            let entry = |(n, (body, published_at))| {
                let offset = Offset(first + n as u64);
                Arc::new(Entry::new(Epoch::from_random(epoch), offset, published_at, body))
            };
            bodies.into_iter().enumerate().map(entry).collect()
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

fn verdict() -> impl Strategy<Value = JoinAuthorization> {
    prop_oneof![
        (role(), position()).prop_map(|(role, position)| JoinAuthorization::Admission { role, position }),
        Just(JoinAuthorization::SessionNotFound),
        position().prop_map(|position| JoinAuthorization::NotAParticipant { position }),
    ]
}

/// Through the bytes of the wire.
fn sent<M: Message + Default>(out: &M) -> M {
    M::decode(out.encode_to_vec().as_slice()).unwrap()
}

/// Whatever bytes come: what decodes is converted, or refused with at least one violation.
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
    fn what_a_control_plane_says_reads_back(said in to_edge()) {
        let wire = sent(&v1::AttachResponse::from(said.clone()));
        prop_assert_eq!(ToEdge::try_from(wire), Ok(said));
    }

    #[test]
    fn what_an_edge_says_reads_back(said in from_edge()) {
        let wire = sent(&v1::AttachRequest::from(said.clone()));
        prop_assert_eq!(FromEdge::try_from(wire), Ok(said));
    }

    #[test]
    fn a_verdict_reads_back(verdict in verdict()) {
        let wire = sent(&v1::AuthorizeJoinResponse::from(verdict));
        prop_assert_eq!(JoinAuthorization::try_from(wire), Ok(verdict));
    }

    #[test]
    fn a_slice_reads_back(entries in entries(), first: u64, tail: u64, after: u64, mark: u32) {
        let epoch = entries[0].position.epoch;
        let (first, tail, after) = (Offset(first), Offset(tail), Offset(after));
        let slice = LogSlice { epoch, first, tail, after, after_mark: Mark::from_bits(mark), entries };
        let wire = sent(&v1::ReadLogResponse::from(&slice));
        prop_assert_eq!(LogSlice::try_from(wire), Ok(slice));
    }

    #[test]
    fn an_object_reads_back_from_a_struct(object in object()) {
        prop_assert_eq!(attributes(json::to_struct(&object)), Some(object));
    }

    #[test]
    fn a_session_goes_out_whole(session in session()) {
        let out = v1::Session::from(&session);
        prop_assert_eq!(&out.id, session.id.as_str());
        prop_assert_eq!(&out.status, &*session.status);
        prop_assert_eq!(out.participants.unwrap().list.len(), session.participants.len());
        prop_assert_eq!(out.attributes.unwrap(), json::to_struct(&session.attributes));
    }

    #[test]
    fn no_bytes_make_a_conversion_panic(bytes in vec(any::<u8>(), 0..256)) {
        fuzz::<v1::PublishSessionUpdateRequest, Change>(&bytes);
        fuzz::<v1::SelectRoleRequest, Change>(&bytes);
        fuzz::<v1::UpdateFeedbackRequest, Change>(&bytes);
        fuzz::<v1::RemoveParticipantRequest, Change>(&bytes);
        fuzz::<v1::RequireFeedbackRequest, Require>(&bytes);
        fuzz::<v1::AuthorizeJoinRequest, Join>(&bytes);
        fuzz::<v1::AuthorizeJoinResponse, JoinAuthorization>(&bytes);
        fuzz::<v1::DisconnectUserRequest, Disconnect>(&bytes);
        fuzz::<v1::GetSessionRequest, SessionId>(&bytes);
        fuzz::<v1::WatchEventsRequest, Watch>(&bytes);
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
        if let Err(invalid) = Change::try_from(request) {
            prop_assert!(!invalid.violations().is_empty());
        }
    }
}
