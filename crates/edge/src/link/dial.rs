//! Channels to control planes: TLS, keepalive and the service token.

use std::time::Duration;

use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use super::Plane;
use crate::config::{ApiToken, ClientTls};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Puts the service token on every call.
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

/// Why there is no channel.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The control plane is out of reach.
    #[error("could not connect: {}", causes(.0))]
    Connect(#[from] tonic::transport::Error),
    /// There is no token to show.
    #[error("could not read the service token's file: {0}")]
    TokenFile(std::io::Error),
    /// The token is none.
    #[error("the service token has characters that no header may have")]
    Token,
}

/// An error with what it came from, since the outer one alone says little.
fn causes(error: &tonic::transport::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Makes channels.
#[derive(Debug)]
pub struct Dialer {
    token: Option<ApiToken>,
    tls: ClientTlsConfig,
}

impl Dialer {
    /// Shows this token, over this TLS where an address is `https://`.
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
    /// It is out of reach, or the token can't be shown.
    pub async fn dial(&self, address: &http::Uri) -> Result<Plane, DialError> {
        let mut endpoint = Endpoint::from(address.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(Some(1 << 20))
            .initial_connection_window_size(Some(4 << 20));
        if address.scheme() == Some(&http::uri::Scheme::HTTPS) {
            endpoint = endpoint.tls_config(self.tls.clone())?;
        }
        let channel: Channel = endpoint.connect().await?;
        Ok(Plane::new(channel, Credentials(self.token().await?)))
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
