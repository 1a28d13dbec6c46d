//! The methods of `roomcast.v1.EdgeService`.

use std::pin::Pin;

use futures_util::{Stream, future::try_join_all};
use roomcast_proto::{
    join::Joins,
    link::ReadLog,
    v1::{self, edge_service_server::EdgeService},
};
use tonic::{Request, Response, Status, Streaming};

use super::link::{self, LinkContext};
use crate::use_cases::UseCases;

pub(crate) struct EdgeServiceImpl {
    pub(crate) use_cases: UseCases,
    pub(crate) links: LinkContext,
}

#[tonic::async_trait]
impl EdgeService for EdgeServiceImpl {
    type AttachStream = Pin<Box<dyn Stream<Item = Result<v1::AttachResponse, Status>> + Send>>;

    async fn attach(
        &self,
        request: Request<Streaming<v1::AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let link = link::attach(self.links.clone(), request.into_inner()).await?;
        Ok(Response::new(Box::pin(link)))
    }

    async fn authorize_joins(
        &self,
        request: Request<v1::AuthorizeJoinsRequest>,
    ) -> Result<Response<v1::AuthorizeJoinsResponse>, Status> {
        let Joins(joins) = request.into_inner().try_into()?;
        let responses = joins.into_iter().map(async |join| {
            let authorization = self.use_cases.authorize_join(join).await?;
            Ok::<_, Status>(authorization.into())
        });
        // The store combines concurrent requests into one round trip.
        let responses = try_join_all(responses).await?;
        Ok(Response::new(v1::AuthorizeJoinsResponse { responses }))
    }

    async fn get_load(
        &self,
        _: Request<v1::GetLoadRequest>,
    ) -> Result<Response<v1::GetLoadResponse>, Status> {
        Ok(Response::new(self.links.control_plane_load().into()))
    }

    async fn read_log(
        &self,
        request: Request<v1::ReadLogRequest>,
    ) -> Result<Response<v1::ReadLogResponse>, Status> {
        let slice = self
            .use_cases
            .read_log(ReadLog::try_from(request.into_inner())?)
            .await?;
        Ok(Response::new((&slice).into()))
    }
}
