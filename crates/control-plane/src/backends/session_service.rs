//! `roomcast.v1.SessionService`: parse, use case, answer.

use std::pin::Pin;

use futures_util::Stream;
use roomcast_core::SessionId;
use roomcast_proto::{
    command::{Change, Disconnect, Require},
    join::Join,
    room::Watch,
    v1::{self, session_service_server::SessionService},
};
use tonic::{Request, Response, Status, Streaming};

use super::{
    stream_commands::{self, Commanding},
    watch_events,
};
use crate::{hub::HubHandle, use_cases::UseCases};

/// The service.
#[derive(Clone)]
pub(crate) struct Sessions {
    pub(crate) use_cases: UseCases,
    pub(crate) hub: HubHandle,
    pub(crate) commanding: Commanding,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn publish_session_update(
        &self,
        request: Request<v1::PublishSessionUpdateRequest>,
    ) -> Answer<v1::PublishSessionUpdateResponse> {
        let done = self
            .use_cases
            .change(Change::try_from(request.into_inner())?)
            .await?;
        let (event, duplicate, revision) = (Some(done.event), done.duplicate, done.revision);
        Ok(Response::new(v1::PublishSessionUpdateResponse {
            event,
            duplicate,
            revision,
        }))
    }

    async fn select_role(&self, request: Request<v1::SelectRoleRequest>) -> Answer<v1::SelectRoleResponse> {
        let done = self
            .use_cases
            .change(Change::try_from(request.into_inner())?)
            .await?;
        let (event, duplicate, revision) = (Some(done.event), done.duplicate, done.revision);
        Ok(Response::new(v1::SelectRoleResponse {
            event,
            duplicate,
            revision,
        }))
    }

    async fn require_feedback(
        &self,
        request: Request<v1::RequireFeedbackRequest>,
    ) -> Answer<v1::RequireFeedbackResponse> {
        let done = self
            .use_cases
            .require_feedback(Require::try_from(request.into_inner())?)
            .await?;
        Ok(Response::new(v1::RequireFeedbackResponse {
            event: done.events,
            duplicate: done.duplicate,
        }))
    }

    async fn update_feedback(
        &self,
        request: Request<v1::UpdateFeedbackRequest>,
    ) -> Answer<v1::UpdateFeedbackResponse> {
        let done = self
            .use_cases
            .change(Change::try_from(request.into_inner())?)
            .await?;
        Ok(Response::new(v1::UpdateFeedbackResponse {
            event: Some(done.event),
            duplicate: done.duplicate,
        }))
    }

    async fn authorize_join(
        &self,
        request: Request<v1::AuthorizeJoinRequest>,
    ) -> Answer<v1::AuthorizeJoinResponse> {
        let verdict = self
            .use_cases
            .authorize_join(Join::try_from(request.into_inner())?)
            .await?;
        Ok(Response::new(verdict.into()))
    }

    async fn remove_participant(
        &self,
        request: Request<v1::RemoveParticipantRequest>,
    ) -> Answer<v1::RemoveParticipantResponse> {
        let done = self
            .use_cases
            .change(Change::try_from(request.into_inner())?)
            .await?;
        let (event, duplicate, revision) = (Some(done.event), done.duplicate, done.revision);
        Ok(Response::new(v1::RemoveParticipantResponse {
            event,
            duplicate,
            revision,
        }))
    }

    async fn disconnect_user(
        &self,
        request: Request<v1::DisconnectUserRequest>,
    ) -> Answer<v1::DisconnectUserResponse> {
        let event = self
            .use_cases
            .disconnect_user(Disconnect::try_from(request.into_inner())?)
            .await?;
        Ok(Response::new(v1::DisconnectUserResponse { event: Some(event) }))
    }

    async fn get_session(&self, request: Request<v1::GetSessionRequest>) -> Answer<v1::GetSessionResponse> {
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
    ) -> Answer<Self::WatchEventsStream> {
        let watched = Watch::try_from(request.into_inner())?;
        let stream = watch_events::start(&self.use_cases, &self.hub, watched).await?;
        Ok(Response::new(Box::pin(stream)))
    }

    type StreamCommandsStream =
        Pin<Box<dyn Stream<Item = Result<v1::StreamCommandsResponse, Status>> + Send>>;

    async fn stream_commands(
        &self,
        request: Request<Streaming<v1::StreamCommandsRequest>>,
    ) -> Answer<Self::StreamCommandsStream> {
        let stream = stream_commands::start(self.commanding.clone(), request.into_inner());
        Ok(Response::new(Box::pin(stream)))
    }
}
