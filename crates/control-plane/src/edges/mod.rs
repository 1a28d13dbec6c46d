//! `EdgeService`, for edges.

mod edge_service;
mod link;

pub(crate) use edge_service::Edges;
pub(crate) use link::Attaching;
