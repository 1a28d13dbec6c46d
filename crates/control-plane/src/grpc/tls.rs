//! TLS from PEM files, which are checked when they are loaded.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use crate::limits::TLS_HANDSHAKE_DEADLINE;

/// The server's certificate and key, and the authorities that must have signed clients' certificates.
#[derive(Clone)]
pub struct Tls(pub(crate) ServerTlsConfig);

impl Tls {
    /// Reads PEM files: the server's certificate chain, its private key and, if `client_ca` is given, the authorities of
    /// which one must have signed each client's certificate.
    ///
    /// # Errors
    /// A file cannot be read, or the files do not form a valid TLS configuration.
    pub fn load(cert: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Self, TlsError> {
        let identity = Identity::from_pem(read(cert)?, read(key)?);
        let mut config = ServerTlsConfig::new()
            .identity(identity)
            .timeout(TLS_HANDSHAKE_DEADLINE);
        if let Some(client_ca) = client_ca {
            config = config.client_ca_root(Certificate::from_pem(read(client_ca)?));
        }
        Server::builder()
            .tls_config(config.clone())
            .map_err(|error| TlsError::Unusable(with_sources(&error)))?;
        Ok(Self(config))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls") // without the private key
    }
}

/// Why TLS files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The path as it was given.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The certificate, its key and the client authorities do not form a valid TLS configuration.
    #[error("the certificate, its key and the client authorities cannot be used: {0}")]
    Unusable(String),
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// An error and its sources, in one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
