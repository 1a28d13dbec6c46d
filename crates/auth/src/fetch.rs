//! Getting the bytes of a JWKS, from a file or over HTTP, within bounds of time and size.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use tokio::io::AsyncReadExt as _;

use crate::source::KeyError;

/// How long a fetch may take in all.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest JWKS that is read again or fetched, in bytes.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;

/// Where a JWKS is.
#[derive(Clone, Debug)]
pub(crate) enum Location {
    File(PathBuf),
    Url { url: Url, client: Client },
}

/// Why a JWKS could not be got. Names no URL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error("{0}{cause}", cause = cause(.0))]
    Http(reqwest::Error),
    #[error("the answer is {0}, not 200 (redirects are not followed)")]
    Status(reqwest::StatusCode),
    #[error("larger than {MAX_JWKS_BYTES} bytes")]
    TooLarge,
    #[error("took longer than {} s", FETCH_TIMEOUT.as_secs())]
    TimedOut,
    #[error("not a JWKS: {0}")]
    NotJwks(&'static str),
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

/// The last cause in the chain, which says what the first does not ("connection refused").
fn cause(error: &reqwest::Error) -> String {
    let first = std::error::Error::source(error);
    let last = std::iter::successors(first, |error| error.source()).last();
    last.map_or_else(String::new, |error| format!(": {error}"))
}

impl Location {
    /// A URL that keys may be fetched from. Redirects are not followed: they could lead to where keys may not
    /// come from.
    pub(crate) fn url(text: &str) -> Result<Self, KeyError> {
        let url = Url::parse(text).map_err(|_| KeyError::BadUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(KeyError::CredentialsInUrl);
        }
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(FETCH_TIMEOUT);
        let client = match url.scheme() {
            "https" => client,
            // Loopback needs neither a proxy nor root certificates.
            "http" if is_loopback(&url) => client.no_proxy().tls_certs_only([]),
            "http" => return Err(KeyError::PlainHttp),
            _ => return Err(KeyError::BadUrl),
        };
        let client = client
            .build()
            .map_err(|error| KeyError::Tls(format!("{error}{}", cause(&error))))?;
        Ok(Self::Url { url, client })
    }

    /// Whether shared secrets may stand in it. A URL is for public keys.
    pub(crate) fn holds_secrets(&self) -> bool {
        matches!(self, Self::File(_))
    }

    pub(crate) async fn read(&self) -> Result<Vec<u8>, FetchError> {
        tokio::time::timeout(FETCH_TIMEOUT, self.read_capped())
            .await
            .map_err(|_| FetchError::TimedOut)?
    }

    async fn read_capped(&self) -> Result<Vec<u8>, FetchError> {
        let mut bytes = Vec::new();
        match self {
            Self::File(path) => {
                let file = tokio::fs::File::open(path).await?;
                file.take(MAX_JWKS_BYTES as u64 + 1)
                    .read_to_end(&mut bytes)
                    .await?;
            }
            Self::Url { url, client } => {
                let mut answer = client.get(url.clone()).send().await?;
                if answer.status() != reqwest::StatusCode::OK {
                    return Err(FetchError::Status(answer.status()));
                }
                while bytes.len() <= MAX_JWKS_BYTES
                    && let Some(chunk) = answer.chunk().await?
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

impl fmt::Display for Location {
    /// Without a query, which could be meant for few eyes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url { url, .. } => write!(f, "{}{}", url.origin().ascii_serialization(), url.path()),
        }
    }
}
