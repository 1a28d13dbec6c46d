//! What only `roomcast dev` has: the playground page, its bridge and its second edge.

mod bridge;
mod bridge_access;
mod playground;
mod second_edge;
