//! Where a JWKS is, and how its bytes are read: from a file or over HTTP, with a time limit and a size limit.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use tokio::io::AsyncReadExt as _;

use crate::key_error::KeyError;

/// The time limit of a whole fetch.
pub(crate) const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The size limit of a JWKS that is fetched from a URL or read again from its file, in bytes.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;

/// The file or URL of a JWKS. `Display` omits the query of a URL, which may contain credentials.
#[derive(Clone, Debug)]
pub(crate) enum JwksLocation {
    File(PathBuf),
    Url { url: Url, client: Client },
}

/// Why a JWKS could not be fetched. The text contains no URL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error("{0}{cause}", cause = root_cause(.0))]
    Http(reqwest::Error),
    #[error("the response status is {0}, not 200 (redirects are not followed)")]
    Status(reqwest::StatusCode),
    #[error("it is larger than {MAX_JWKS_BYTES} bytes")]
    TooLarge,
    #[error("it took longer than {} s", FETCH_TIMEOUT.as_secs())]
    TimedOut,
    #[error("not a JWKS: {0}")]
    NotJwks(&'static str),
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

/// `": "` and the last error of the chain, which names the actual problem ("connection refused"); empty if there is
/// none.
fn root_cause(error: &reqwest::Error) -> String {
    let first = std::error::Error::source(error);
    let last = std::iter::successors(first, |error| error.source()).last();
    last.map_or_else(String::new, |error| format!(": {error}"))
}

impl JwksLocation {
    /// A URL from which keys may be fetched. Redirects are not followed, because they could lead to a URL from which
    /// keys may not be fetched.
    pub(crate) fn from_url(text: &str) -> Result<Self, KeyError> {
        let url = Url::parse(text).map_err(|_| KeyError::BadUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(KeyError::CredentialsInUrl);
        }
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(FETCH_TIMEOUT);
        let client = match url.scheme() {
            "https" => client,
            // A loopback host needs neither a proxy nor root certificates.
            "http" if is_loopback(&url) => client.no_proxy().tls_certs_only([]),
            "http" => return Err(KeyError::PlainHttp),
            _ => return Err(KeyError::BadUrl),
        };
        let client = client
            .build()
            .map_err(|error| KeyError::Tls(format!("{error}{}", root_cause(&error))))?;
        Ok(Self::Url { url, client })
    }

    /// Whether the JWKS may contain shared secrets: only a file may.
    pub(crate) fn allows_shared_secrets(&self) -> bool {
        matches!(self, Self::File(_))
    }

    pub(crate) async fn read(&self) -> Result<Vec<u8>, FetchError> {
        tokio::time::timeout(FETCH_TIMEOUT, self.read_limited())
            .await
            .map_err(|_| FetchError::TimedOut)?
    }

    async fn read_limited(&self) -> Result<Vec<u8>, FetchError> {
        let mut bytes = Vec::new();
        match self {
            Self::File(path) => {
                let file = tokio::fs::File::open(path).await?;
                file.take(MAX_JWKS_BYTES as u64 + 1)
                    .read_to_end(&mut bytes)
                    .await?;
            }
            Self::Url { url, client } => {
                let mut response = client.get(url.clone()).send().await?;
                if response.status() != reqwest::StatusCode::OK {
                    return Err(FetchError::Status(response.status()));
                }
                while bytes.len() <= MAX_JWKS_BYTES
                    && let Some(chunk) = response.chunk().await?
                {
                    bytes.extend_from_slice(&chunk);
                }
            }
        }
        if bytes.len() > MAX_JWKS_BYTES {
            Err(FetchError::TooLarge)
        } else {
            Ok(bytes)
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

impl fmt::Display for JwksLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url { url, .. } => write!(f, "{}{}", url.origin().ascii_serialization(), url.path()),
        }
    }
}
