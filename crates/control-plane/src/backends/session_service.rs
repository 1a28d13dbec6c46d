//! The methods of `roomcast.v1.SessionService`: each parses its request, runs one use case and converts the outcome.

use std::pin::Pin;

use futures_util::Stream;
use roomcast_core::SessionId;
use roomcast_proto::{
    command::{DisconnectUser, RequireFeedback, SessionChange},
    join::Join,
    v1::{self, session_service_server::SessionService},
    watch::WatchRoom,
};
use tonic::{Request, Response, Status, Streaming};

use super::{
    stream_commands::{self, StreamCommandsContext},
    watch_events,
};
use crate::{hub::HubHandle, use_cases::UseCases};

#[derive(Clone)]
pub(crate) struct SessionServiceImpl {
    pub(crate) use_cases: UseCases,
    pub(crate) hub: HubHandle,
    pub(crate) stream_commands: StreamCommandsContext,
}

type MethodResult<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl SessionService for SessionServiceImpl {
    async fn publish_session_update(
        &self,
        request: Request<v1::PublishSessionUpdateRequest>,
    ) -> MethodResult<v1::PublishSessionUpdateResponse> {
        let outcome = self
            .use_cases
            .change(SessionChange::try_from(request.into_inner())?)
            .await?;
        let (event, duplicate, revision) = (Some(outcome.event), outcome.duplicate, outcome.revision);
        Ok(Response::new(v1::PublishSessionUpdateResponse {
            event,
            duplicate,
            revision,
        }))
    }

    async fn select_role(
        &self,
        request: Request<v1::SelectRoleRequest>,
    ) -> MethodResult<v1::SelectRoleResponse> {
        let outcome = self
            .use_cases
            .change(SessionChange::try_from(request.into_inner())?)
            .await?;
        let (event, duplicate, revision) = (Some(outcome.event), outcome.duplicate, outcome.revision);
        Ok(Response::new(v1::SelectRoleResponse {
            event,
            duplicate,
            revision,
        }))
    }

    async fn require_feedback(
        &self,
        request: Request<v1::RequireFeedbackRequest>,
    ) -> MethodResult<v1::RequireFeedbackResponse> {
        let outcome = self
            .use_cases
            .require_feedback(RequireFeedback::try_from(request.into_inner())?)
            .await?;
        Ok(Response::new(v1::RequireFeedbackResponse {
            event: outcome.events,
            duplicate: outcome.duplicate,
        }))
    }

    async fn update_feedback(
        &self,
        request: Request<v1::UpdateFeedbackRequest>,
    ) -> MethodResult<v1::UpdateFeedbackResponse> {
        let outcome = self
            .use_cases
            .change(SessionChange::try_from(request.into_inner())?)
            .await?;
        Ok(Response::new(v1::UpdateFeedbackResponse {
            event: Some(outcome.event),
            duplicate: outcome.duplicate,
        }))
    }

    async fn authorize_join(
        &self,
        request: Request<v1::AuthorizeJoinRequest>,
    ) -> MethodResult<v1::AuthorizeJoinResponse> {
        let authorization = self
            .use_cases
            .authorize_join(Join::try_from(request.into_inner())?)
            .await?;
        Ok(Response::new(authorization.into()))
    }

    async fn remove_participant(
        &self,
        request: Request<v1::RemoveParticipantRequest>,
    ) -> MethodResult<v1::RemoveParticipantResponse> {
        let outcome = self
            .use_cases
            .change(SessionChange::try_from(request.into_inner())?)
            .await?;
        let (event, duplicate, revision) = (Some(outcome.event), outcome.duplicate, outcome.revision);
        Ok(Response::new(v1::RemoveParticipantResponse {
            event,
            duplicate,
            revision,
        }))
    }

    async fn disconnect_user(
        &self,
        request: Request<v1::DisconnectUserRequest>,
    ) -> MethodResult<v1::DisconnectUserResponse> {
        let event = self
            .use_cases
            .disconnect_user(DisconnectUser::try_from(request.into_inner())?)
            .await?;
        Ok(Response::new(v1::DisconnectUserResponse { event: Some(event) }))
    }

    async fn get_session(
        &self,
        request: Request<v1::GetSessionRequest>,
    ) -> MethodResult<v1::GetSessionResponse> {
        let view = self
            .use_cases
            .session(SessionId::try_from(request.into_inner())?)
            .await?;
        Ok(Response::new((&view).into()))
    }

    type WatchEventsStream = Pin<Box<dyn Stream<Item = Result<v1::WatchEventsResponse, Status>> + Send>>;

    async fn watch_events(
        &self,
        request: Request<v1::WatchEventsRequest>,
    ) -> MethodResult<Self::WatchEventsStream> {
        let watch = WatchRoom::try_from(request.into_inner())?;
        let stream = watch_events::start(&self.use_cases, &self.hub, watch).await?;
        Ok(Response::new(Box::pin(stream)))
    }

    type StreamCommandsStream =
        Pin<Box<dyn Stream<Item = Result<v1::StreamCommandsResponse, Status>> + Send>>;

    async fn stream_commands(
        &self,
        request: Request<Streaming<v1::StreamCommandsRequest>>,
    ) -> MethodResult<Self::StreamCommandsStream> {
        let stream = stream_commands::start(self.stream_commands.clone(), request.into_inner());
        Ok(Response::new(Box::pin(stream)))
    }
}
