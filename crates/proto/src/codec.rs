//! The codec of every method: protobuf by prost.
//!
//! A request that cannot be decoded is an error of its caller: INVALID_ARGUMENT, with the field at which decoding stopped.
//! tonic's own codec reports INTERNAL.

use std::marker::PhantomData;

use prost::{DecodeError, Message, Name};
use tonic::{
    Status,
    codec::{BufferSettings, DecodeBuf, Decoder},
};
use tonic_prost::ProstEncoder;

use crate::{error::Failure, violation::Invalid};

/// Encodes `T`, decodes `U`.
#[derive(Debug, Clone)]
pub(crate) struct Codec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> tonic::codec::Codec for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = MessageDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        MessageDecoder(PhantomData)
    }
}

/// Decodes `U`.
#[derive(Debug, Clone)]
pub(crate) struct MessageDecoder<U>(PhantomData<U>);

impl<U: Message + Name + Default> Decoder for MessageDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        U::decode(buf).map(Some).map_err(|error| {
            // Servers and clients use this codec. Only the name distinguishes a request from a response.
            if U::NAME.ends_with("Request") {
                decode_failure(&error).into()
            } else {
                Failure::Internal.into()
            }
        })
    }
}

/// prost reports where decoding stopped only in its text: `… message: Inner.field: Outer.field: reason`.
fn decode_failure(error: &DecodeError) -> Failure {
    let text = error.to_string();
    let text = text
        .strip_prefix("failed to decode Protobuf message: ")
        .unwrap_or(&text);
    let mut path = Vec::new();
    let mut reason = text;
    while let Some((message_and_field, rest)) = reason.split_once(": ") {
        match message_and_field.split_once('.') {
            Some((_, field)) if !message_and_field.contains(' ') => path.push(field),
            _ => break,
        }
        reason = rest;
    }
    path.reverse();
    Failure::Invalid(Invalid::one(
        path.join("."),
        format!("cannot be decoded as protobuf: {reason}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    fn error_text(bytes: &[u8]) -> String {
        let error = v1::PublishSessionUpdateRequest::decode(bytes).unwrap_err();
        let Failure::Invalid(invalid) = decode_failure(&error) else {
            panic!("{error}")
        };
        invalid.to_string()
    }

    #[test]
    fn the_field_of_a_text_that_is_not_utf8_is_named() {
        // session { id: <0xff> }
        let text = error_text(&[0x0a, 0x03, 0x0a, 0x01, 0xff]);
        assert!(
            text.starts_with("session.id: cannot be decoded as protobuf: invalid string value"),
            "{text}"
        );
    }

    #[test]
    fn random_bytes_are_invalid() {
        assert!(error_text(&[0x07]).contains("cannot be decoded as protobuf"));
        assert!(error_text(&[0x0a, 0xff]).contains("cannot be decoded as protobuf"));
    }
}
