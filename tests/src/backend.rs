//! A backend: calls the control plane with the generated client.

use std::net::SocketAddr;

use roomcast_proto::v1::{self, session_service_client::SessionServiceClient};
use tonic::{Status, transport::Channel};

use crate::{eventually, within};

/// A backend of one control plane.
#[derive(Debug, Clone)]
pub struct Backend(pub SessionServiceClient<Channel>);

/// Participants from a text such as `alice=interviewer bob=observer`.
///
/// # Panics
/// If the text is malformed.
#[must_use]
pub fn participants(text: &str) -> v1::Participants {
    let participant = |text: &str| {
        let (user, role) = text.split_once('=').expect("user=role");
        v1::Participant {
            user_id: user.to_owned(),
            role: role_of(role).into(),
        }
    };
    v1::Participants {
        list: text.split_whitespace().map(participant).collect(),
    }
}

fn role_of(name: &str) -> v1::Role {
    v1::Role::from_str_name(&format!("ROLE_{}", name.to_uppercase())).expect("a role")
}

/// A session with participants, in the notation of [`participants`].
#[must_use]
pub fn session(id: &str, status: &str, list: &str) -> v1::Session {
    let participants = Some(participants(list));
    v1::Session {
        id: id.to_owned(),
        status: status.to_owned(),
        participants,
        attributes: None,
    }
}

/// A JSON object as a Struct.
///
/// # Panics
/// If the JSON is not an object.
#[must_use]
pub fn structure(json: &serde_json::Value) -> prost_types::Struct {
    use prost_types::value::Kind;
    fn value(json: &serde_json::Value) -> prost_types::Value {
        let kind = match json {
            serde_json::Value::Null => Kind::NullValue(0),
            serde_json::Value::Bool(it) => Kind::BoolValue(*it),
            serde_json::Value::Number(it) => Kind::NumberValue(it.as_f64().expect("a double")),
            serde_json::Value::String(it) => Kind::StringValue(it.clone()),
            serde_json::Value::Array(it) => Kind::ListValue(prost_types::ListValue {
                values: it.iter().map(value).collect(),
            }),
            serde_json::Value::Object(_) => Kind::StructValue(structure(json)),
        };
        prost_types::Value { kind: Some(kind) }
    }
    let fields = json.as_object().expect("an object");
    prost_types::Struct {
        fields: fields.iter().map(|(key, it)| (key.clone(), value(it))).collect(),
    }
}

/// The machine-readable reason of an error; empty if it has none.
#[must_use]
pub fn reason(status: &Status) -> String {
    use tonic_types::StatusExt;
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

impl Backend {
    /// Connects.
    ///
    /// # Panics
    /// If no control plane accepts the connection.
    pub async fn connect(addr: SocketAddr) -> Self {
        let client = SessionServiceClient::connect(format!("http://{addr}"));
        Self(within("a control plane", client).await.expect("a control plane"))
    }

    /// Creates or replaces a session.
    ///
    /// # Panics
    /// If the call fails.
    pub async fn publish(&mut self, session: v1::Session) -> v1::PublishSessionUpdateResponse {
        let request = v1::PublishSessionUpdateRequest {
            session: Some(session),
            ..Default::default()
        };
        within("a response", self.0.publish_session_update(request))
            .await
            .expect("published")
            .into_inner()
    }

    /// Assigns a role to a user.
    ///
    /// # Errors
    /// Those of the control plane.
    pub async fn select_role(
        &mut self,
        session: &str,
        user: &str,
        role: &str,
    ) -> Result<v1::SelectRoleResponse, Status> {
        let request = v1::SelectRoleRequest {
            session_id: session.to_owned(),
            user_id: user.to_owned(),
            role: role_of(role).into(),
            ..Default::default()
        };
        Ok(within("a response", self.0.select_role(request))
            .await?
            .into_inner())
    }

    /// Requires feedback of users; of every participant if the list is empty.
    ///
    /// # Panics
    /// If the call fails.
    pub async fn require_feedback(&mut self, session: &str, users: &[&str]) -> v1::RequireFeedbackResponse {
        let user_ids = users.iter().map(|user| (*user).to_owned()).collect();
        let request = v1::RequireFeedbackRequest {
            session_id: session.to_owned(),
            user_ids,
            ..Default::default()
        };
        within("a response", self.0.require_feedback(request))
            .await
            .expect("required")
            .into_inner()
    }

    /// Updates feedback.
    ///
    /// # Panics
    /// If the call fails.
    pub async fn update_feedback(
        &mut self,
        request: v1::UpdateFeedbackRequest,
    ) -> v1::UpdateFeedbackResponse {
        within("a response", self.0.update_feedback(request))
            .await
            .expect("updated")
            .into_inner()
    }

    /// Removes a user from a session.
    ///
    /// # Panics
    /// If the call fails.
    pub async fn remove(&mut self, session: &str, user: &str) {
        let request = v1::RemoveParticipantRequest {
            session_id: session.to_owned(),
            user_id: user.to_owned(),
            ..Default::default()
        };
        within("a response", self.0.remove_participant(request))
            .await
            .expect("removed");
    }

    /// Closes every socket of a user.
    ///
    /// # Panics
    /// If the call fails.
    pub async fn disconnect(&mut self, user: &str) {
        let request = v1::DisconnectUserRequest {
            user_id: user.to_owned(),
            reason: "test".to_owned(),
        };
        within("a response", self.0.disconnect_user(request))
            .await
            .expect("disconnected");
    }
}

/// Publishes a status of `s1` with Alice as interviewer, and repeats the call with the same request id until the store
/// accepts it.
pub async fn publish_when_available(control_plane: SocketAddr, status: &str) {
    let backend = Backend::connect(control_plane).await;
    let request = v1::PublishSessionUpdateRequest {
        session: Some(session("s1", status, "alice=interviewer")),
        request_id: status.to_owned(),
        ..Default::default()
    };
    eventually("a store that accepts the command", async || {
        let mut client = backend.0.clone();
        client.publish_session_update(request.clone()).await.ok()
    })
    .await;
}
