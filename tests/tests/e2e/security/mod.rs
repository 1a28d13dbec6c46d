//! Tokens, certificates and hostile input.

mod denied_sockets;
mod jwks_provider;
mod malformed_bytes;
mod malformed_input;
mod raw_polling;
mod service_authentication;
mod service_tokens;
mod unusual_packets;
mod user_tokens;
