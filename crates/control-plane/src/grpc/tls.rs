//! TLS from PEM files, checked when it is configured.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use crate::limits::TLS_HANDSHAKE_DEADLINE;

/// The server's certificate, and whose certificates clients must show.
#[derive(Clone)]
pub struct Tls(pub(crate) ServerTlsConfig);

impl Tls {
    /// Reads the server's certificate chain and private key, and, where `client_ca` is given, the authorities one
    /// of which must have signed each client's certificate. All are PEM files.
    ///
    /// # Errors
    /// A file can't be read, or they don't fit together.
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
            .map_err(|error| TlsError::Unusable(chain(&error)))?;
        Ok(Self(config))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// TLS files that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The certificate, the key and the client authorities make no TLS server.
    #[error("the certificate, its key and the client authorities can't be used: {0}")]
    Unusable(String),
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// An error and what it comes from, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
