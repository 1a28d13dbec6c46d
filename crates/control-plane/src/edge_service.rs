//! `roomcast.v1.EdgeService`: the link, and reads of logs.

use std::pin::Pin;

use futures_util::{Stream, future::try_join_all};
use roomcast_proto::{
    join::Joins,
    link::ReadLog,
    v1::{self, edge_service_server::EdgeService},
};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    attach::{self, Attaching},
    use_cases::UseCases,
};

/// The service.
pub(crate) struct Edges {
    pub(crate) use_cases: UseCases,
    pub(crate) attaching: Attaching,
}

#[tonic::async_trait]
impl EdgeService for Edges {
    type AttachStream = Pin<Box<dyn Stream<Item = Result<v1::AttachResponse, Status>> + Send>>;

    async fn attach(
        &self,
        request: Request<Streaming<v1::AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let link = attach::start(self.attaching.clone(), request.into_inner()).await?;
        Ok(Response::new(Box::pin(link)))
    }

    async fn authorize_joins(
        &self,
        request: Request<v1::AuthorizeJoinsRequest>,
    ) -> Result<Response<v1::AuthorizeJoinsResponse>, Status> {
        let Joins(joins) = request.into_inner().try_into()?;
        let answers = joins.into_iter().map(async |join| {
            let verdict = self.use_cases.authorize_join(join).await?;
            Ok::<_, Status>(verdict.into())
        });
        // The store makes one round trip of them.
        let answers = try_join_all(answers).await?;
        Ok(Response::new(v1::AuthorizeJoinsResponse { responses: answers }))
    }

    async fn get_load(
        &self,
        _: Request<v1::GetLoadRequest>,
    ) -> Result<Response<v1::GetLoadResponse>, Status> {
        Ok(Response::new(self.attaching.control_plane_load().into()))
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
