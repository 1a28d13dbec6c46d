//! `roomcast.v1.EdgeService`, for edges only.

mod edge_service;
mod link;

pub(crate) use edge_service::EdgeServiceImpl;
pub(crate) use link::LinkContext;
