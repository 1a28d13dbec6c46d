//! Calls any unary method of `SessionService` over gRPC. The descriptors of the messages convert JSON to protobuf and back.

use http::uri::PathAndQuery;
use prost_reflect::{
    DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor, prost::Message as _,
};
use roomcast_edge::Dialer;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use super::error_response::ErrorResponse;

const SERVICE: &str = "roomcast.v1.SessionService";

/// Calls the control plane of `dev`.
pub(in crate::dev) struct Caller {
    dialer: Dialer,
    control_plane: http::Uri,
    /// The unary methods.
    methods: Vec<MethodDescriptor>,
}

impl Caller {
    /// # Panics
    /// Never: the binary contains the descriptors.
    pub(in crate::dev) fn new(dialer: Dialer, control_plane: http::Uri) -> Self {
        let pool = DescriptorPool::decode(roomcast_proto::FILE_DESCRIPTOR_SET)
            .expect("the descriptors in the binary are valid");
        let service = pool
            .get_service_by_name(SERVICE)
            .expect("the descriptors contain the service");
        let unary =
            |method: &MethodDescriptor| !method.is_client_streaming() && !method.is_server_streaming();
        Self {
            dialer,
            control_plane,
            methods: service.methods().filter(unary).collect(),
        }
    }

    /// Calls `method` with a request in JSON and returns the response in JSON. Each call opens a connection: calls are
    /// rare, and the service token may have changed since the last one.
    ///
    /// # Errors
    /// The method does not exist, the request is not valid, or the call failed.
    pub(super) async fn call(&self, method: &str, json: &[u8]) -> Result<String, ErrorResponse> {
        let Some(method) = self.methods.iter().find(|other| other.name() == method) else {
            let text = format!("{SERVICE} has no unary method {method:?}");
            return Err(ErrorResponse::new(Code::Unimplemented, text));
        };
        let request = parse(method.input(), json).map_err(|error| {
            ErrorResponse::new(
                Code::InvalidArgument,
                format!("the body is not a valid request: {error}"),
            )
        })?;
        let channel = self.dialer.dial(&self.control_plane).await;
        let channel = channel.map_err(|error| Status::unavailable(error.to_string()))?;
        let mut grpc = Grpc::new(channel);
        grpc.ready()
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        let path = PathAndQuery::try_from(format!("/{SERVICE}/{}", method.name()))
            .map_err(|error| Status::internal(error.to_string()))?;
        let response = grpc
            .unary(
                Request::new(request),
                path,
                DynamicCodec {
                    response: method.output(),
                },
            )
            .await?;
        let json = serde_json::to_string(response.get_ref());
        Ok(json.map_err(|error| Status::internal(error.to_string()))?)
    }
}

fn parse(descriptor: MessageDescriptor, json: &[u8]) -> Result<DynamicMessage, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let message = DynamicMessage::deserialize(descriptor, &mut json)?;
    json.end()?;
    Ok(message)
}

/// Encodes any request and decodes responses of one type.
struct DynamicCodec {
    response: MessageDescriptor,
}

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = DynamicEncoder;
    type Decoder = Self;

    fn encoder(&mut self) -> DynamicEncoder {
        DynamicEncoder
    }

    fn decoder(&mut self) -> Self {
        Self {
            response: self.response.clone(),
        }
    }
}

impl Decoder for DynamicCodec {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let decoded = DynamicMessage::decode(self.response.clone(), buffer);
        decoded
            .map(Some)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

struct DynamicEncoder;

impl Encoder for DynamicEncoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer)
            .map_err(|error| Status::internal(error.to_string()))
    }
}
