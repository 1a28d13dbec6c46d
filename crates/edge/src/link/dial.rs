//! Channels to control planes: TLS, keepalive and the service token.

use std::time::Duration;

use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use crate::config::{ApiToken, ClientTls};

/// The timeout for making a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Adds the service token to every call.
#[derive(Clone)]
pub struct Credentials(Option<MetadataValue<Ascii>>);

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// A channel to a control plane. It adds the service token to every call.
pub type ControlPlaneChannel = InterceptedService<Channel, Credentials>;

/// Why a channel could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The control plane cannot be reached.
    #[error("could not connect: {}", causes(.0))]
    Connect(#[from] tonic::transport::Error),
    /// The file of the service token cannot be read.
    #[error("could not read the file of the service token: {0}")]
    TokenFile(std::io::Error),
    /// The service token is not valid in a header.
    #[error("the service token contains characters that are not allowed in a header")]
    Token,
}

/// An error with its causes, because the outer one alone is not specific.
fn causes(error: &tonic::transport::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Makes channels to control planes.
#[derive(Debug)]
pub struct Dialer {
    token: Option<ApiToken>,
    tls: ClientTlsConfig,
}

impl Dialer {
    /// Channels with this service token, and with this TLS configuration for `https://` addresses.
    #[must_use]
    pub fn new(token: Option<ApiToken>, tls: ClientTls) -> Self {
        let mut config = ClientTlsConfig::new();
        config = match tls.ca {
            Some(ca) => config.ca_certificate(Certificate::from_pem(ca)),
            None => config.with_native_roots(),
        };
        if let Some((certificate, key)) = tls.identity {
            config = config.identity(Identity::from_pem(certificate, key));
        }
        Self { token, tls: config }
    }

    /// Connects to a control plane.
    ///
    /// # Errors
    /// The control plane cannot be reached, or the service token cannot be used.
    pub async fn dial(&self, address: &http::Uri) -> Result<ControlPlaneChannel, DialError> {
        let mut endpoint = Endpoint::from(address.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(Some(1 << 20))
            .initial_connection_window_size(Some(4 << 20));
        if address.scheme() == Some(&http::uri::Scheme::HTTPS) {
            endpoint = endpoint.tls_config(self.tls.clone())?;
        }
        let channel: Channel = endpoint.connect().await?;
        Ok(ControlPlaneChannel::new(
            channel,
            Credentials(self.token().await?),
        ))
    }

    async fn token(&self) -> Result<Option<MetadataValue<Ascii>>, DialError> {
        let token = match &self.token {
            None => return Ok(None),
            Some(ApiToken::Fixed(token)) => token.clone(),
            Some(ApiToken::File(path)) => tokio::fs::read_to_string(path)
                .await
                .map_err(DialError::TokenFile)?,
        };
        let mut value: MetadataValue<Ascii> = format!("Bearer {}", token.trim())
            .parse()
            .map_err(|_| DialError::Token)?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}
