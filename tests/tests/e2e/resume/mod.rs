//! What a browser receives after it was disconnected.

mod positions;
mod stock_clients;
