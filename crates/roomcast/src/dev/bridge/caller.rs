//! Any unary method of `SessionService`, by the descriptors of its messages: JSON to protobuf, a real gRPC call, and
//! back.

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

use super::refusal::Refusal;

const SERVICE: &str = "roomcast.v1.SessionService";

/// Calls the own control plane.
pub(in crate::dev) struct Caller {
    dialer: Dialer,
    control_plane: http::Uri,
    methods: Vec<MethodDescriptor>,
}

impl Caller {
    /// # Panics
    /// Never: the descriptors are those that the code was made of.
    pub(in crate::dev) fn new(dialer: Dialer, control_plane: http::Uri) -> Self {
        let pool = DescriptorPool::decode(roomcast_proto::FILE_DESCRIPTOR_SET).expect("our own descriptors");
        let service = pool.get_service_by_name(SERVICE).expect("our own service");
        let unary =
            |method: &MethodDescriptor| !method.is_client_streaming() && !method.is_server_streaming();
        Self {
            dialer,
            control_plane,
            methods: service.methods().filter(unary).collect(),
        }
    }

    /// Dials for each call: they are few, and what the process shows to its control plane may be another token since.
    pub(super) async fn call(&self, method: &str, json: &[u8]) -> Result<String, Refusal> {
        let Some(method) = self.methods.iter().find(|known| known.name() == method) else {
            let text = format!("{SERVICE} has no unary method {method:?}");
            return Err(Refusal::of(Code::Unimplemented, text));
        };
        let request = parsed(method.input(), json)
            .map_err(|error| Refusal::of(Code::InvalidArgument, format!("not a request: {error}")))?;
        let channel = self.dialer.dial(&self.control_plane).await;
        let channel = channel.map_err(|error| Status::unavailable(error.to_string()))?;
        let mut grpc = Grpc::new(channel);
        grpc.ready()
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        let path = PathAndQuery::try_from(format!("/{SERVICE}/{}", method.name()))
            .map_err(|error| Status::internal(error.to_string()))?;
        let answer = grpc
            .unary(Request::new(request), path, ByDescriptor(method.output()))
            .await?;
        let json = serde_json::to_string(answer.get_ref());
        Ok(json.map_err(|error| Status::internal(error.to_string()))?)
    }
}

fn parsed(message: MessageDescriptor, json: &[u8]) -> Result<DynamicMessage, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let parsed = DynamicMessage::deserialize(message, &mut json)?;
    json.end()?;
    Ok(parsed)
}

/// Encodes any message, and decodes this one.
struct ByDescriptor(MessageDescriptor);

impl Codec for ByDescriptor {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = ByItself;
    type Decoder = Self;

    fn encoder(&mut self) -> ByItself {
        ByItself
    }

    fn decoder(&mut self) -> Self {
        Self(self.0.clone())
    }
}

impl Decoder for ByDescriptor {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let decoded = DynamicMessage::decode(self.0.clone(), buffer);
        decoded
            .map(Some)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

struct ByItself;

impl Encoder for ByItself {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer)
            .map_err(|error| Status::internal(error.to_string()))
    }
}
