//! Packets on the wire.

pub(crate) mod connect;
pub(crate) mod event_name;
pub(crate) mod frame_header;
