//! Requests of a browser and their responses: join, leave, refresh, denials and limits.

mod membership;
mod requests;
mod retention;
