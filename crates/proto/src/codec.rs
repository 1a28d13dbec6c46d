//! The codec of every method: protobuf by prost, and a request that can't be read is its caller's fault
//! (INVALID_ARGUMENT, with the field where reading stopped), not ours (INTERNAL, as tonic would have it).

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
pub struct Codec<T, U>(PhantomData<(T, U)>);

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
    type Decoder = Decode<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        Decode(PhantomData)
    }
}

/// Decodes `U`.
#[derive(Debug, Clone)]
pub struct Decode<U>(PhantomData<U>);

impl<U: Message + Name + Default> Decoder for Decode<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        U::decode(buf).map(Some).map_err(|error| {
            // Both ends use this codec; a method's request and its answer are told apart by their names.
            if U::NAME.ends_with("Request") {
                unreadable(&error).into()
            } else {
                Failure::Internal.into()
            }
        })
    }
}

/// prost tells where it stopped only in its text: `… message: Inner.field: Outer.field: reason`.
fn unreadable(error: &DecodeError) -> Failure {
    let text = error.to_string();
    let text = text
        .strip_prefix("failed to decode Protobuf message: ")
        .unwrap_or(&text);
    let mut path = Vec::new();
    let mut reason = text;
    while let Some((place, rest)) = reason.split_once(": ") {
        match place.split_once('.') {
            Some((_, field)) if !place.contains(' ') => path.push(field),
            _ => break,
        }
        reason = rest;
    }
    path.reverse();
    Failure::Invalid(Invalid::one(
        path.join("."),
        format!("can't be read as protobuf: {reason}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    fn refusal(bytes: &[u8]) -> String {
        let error = v1::PublishSessionUpdateRequest::decode(bytes).unwrap_err();
        let Failure::Invalid(invalid) = unreadable(&error) else {
            panic!("{error}")
        };
        invalid.to_string()
    }

    #[test]
    fn text_that_is_not_utf8_is_named_by_its_field() {
        // session { id: <0xff> }
        let text = refusal(&[0x0a, 0x03, 0x0a, 0x01, 0xff]);
        assert!(
            text.starts_with("session.id: can't be read as protobuf: invalid string value"),
            "{text}"
        );
    }

    #[test]
    fn garbage_is_refused() {
        assert!(refusal(&[0x07]).contains("can't be read as protobuf"));
        assert!(refusal(&[0x0a, 0xff]).contains("can't be read as protobuf"));
    }
}
