//! Where keys come from, checked when they are configured: a source that exists can be used.

use std::path::{Path, PathBuf};

use crate::fetch::Location;
use crate::jwks;
use crate::key::{GOOD_SECRET_BYTES, Key};

/// One configured source of verification keys. Its `Debug` shows no key material.
#[derive(Clone, Debug)]
pub struct KeySource(pub(crate) Source);

#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Keys that stay as they are while the process lives.
    Fixed(Vec<Key>),
    /// A JWKS file as first read, to be read again.
    File { location: Location, first: Vec<Key> },
    /// A JWKS URL, not fetched yet: an issuer that is away must not keep a process from starting.
    Url(Location),
}

impl KeySource {
    /// A shared secret, for HS256, HS384 and HS512; it should have [`GOOD_SECRET_BYTES`] or more.
    ///
    /// # Errors
    /// The secret is empty.
    pub fn secret(secret: &[u8]) -> Result<Self, KeyError> {
        let key = Key::from_secret(secret).ok_or(KeyError::EmptySecret)?;
        Ok(Self(Source::Fixed(vec![key])))
    }

    /// Public keys in PEM, one block or several: RSA of 2048 to 8192 bits for RS256 and PS256, P-256 for
    /// ES256, Ed25519 for EdDSA.
    ///
    /// # Errors
    /// There is no PEM block, or one that is not such a public key.
    pub fn public_key_pem(pem: &[u8]) -> Result<Self, KeyError> {
        const BEGIN: &str = "-----BEGIN ";
        let text = std::str::from_utf8(pem).map_err(|_| KeyError::NotPem)?;
        let mut keys = Vec::new();
        for block in text.split(BEGIN).skip(1) {
            let label = block.split("-----").next().unwrap_or_default();
            if label.ends_with("PRIVATE KEY") {
                return Err(KeyError::PrivateKey);
            }
            if label == "CERTIFICATE" {
                return Err(KeyError::Certificate);
            }
            let (body, _) = block.split_once("-----END ").ok_or(KeyError::NotPem)?;
            let block = format!("{BEGIN}{body}-----END {label}-----\n");
            keys.push(Key::from_public_pem(&block).map_err(KeyError::UnsupportedKey)?);
        }
        if keys.is_empty() {
            Err(KeyError::NotPem)
        } else {
            Ok(Self(Source::Fixed(keys)))
        }
    }

    /// [`KeySource::public_key_pem`] from a file, which is read once, now.
    ///
    /// # Errors
    /// As there, or the file cannot be read.
    pub fn public_key_file(path: &Path) -> Result<Self, KeyError> {
        Self::public_key_pem(&read(path)?)
    }

    /// A JWKS (RFC 7517) in a file, which is read now and again later, or at an `https://` URL, which is
    /// fetched later; `http://` is taken for loopback hosts only.
    ///
    /// # Errors
    /// The file cannot be read or holds no key that can verify tokens; the URL is not one that may be
    /// fetched.
    pub fn jwks(file_or_url: &str) -> Result<Self, KeyError> {
        if file_or_url.contains("://") {
            return Ok(Self(Source::Url(Location::url(file_or_url)?)));
        }
        let first = jwks::parse(&read(Path::new(file_or_url))?, true).map_err(KeyError::NotJwks)?;
        if first.is_empty() {
            return Err(KeyError::NoUsableKey);
        }
        Ok(Self(Source::File {
            location: Location::File(PathBuf::from(file_or_url)),
            first,
        }))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    std::fs::read(path).map_err(|error| KeyError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// A source of keys that cannot be used. The text is one line that says what is wrong and how to mend it; the
/// flag's name goes before it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The secret is empty.
    #[error("the secret is empty; give at least {GOOD_SECRET_BYTES} bytes, as of `openssl rand -hex 32`")]
    EmptySecret,
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// There is no complete PEM block.
    #[error("not a PEM file; it should hold `-----BEGIN PUBLIC KEY-----` … `-----END PUBLIC KEY-----`")]
    NotPem,
    /// A private key where a public one belongs.
    #[error(
        "a private key; give its public half (`openssl pkey -in key.pem -pubout`) and leave this one to the issuer"
    )]
    PrivateKey,
    /// A certificate where a public key belongs.
    #[error("a certificate; give its public key (`openssl x509 -in cert.pem -pubkey -noout`)")]
    Certificate,
    /// A public key that tokens cannot be verified with.
    #[error("cannot use the public key: it is {0}; use RSA of at least 2048 bits, P-256 or Ed25519")]
    UnsupportedKey(&'static str),
    /// A JWKS file that is none.
    #[error("not a JWKS: {0}; it should be JSON like {{\"keys\": [{{\"kty\": …}}]}}")]
    NotJwks(&'static str),
    /// A JWKS file without a key that can verify tokens.
    #[error(
        "no key in the JWKS can verify tokens; use RSA of at least 2048 bits, P-256, Ed25519 \
         or a shared secret"
    )]
    NoUsableKey,
    /// A URL that cannot be parsed, or of another scheme than `https` and `http`.
    #[error("not a URL that keys can be fetched from; use https://host/path, or a file's path")]
    BadUrl,
    /// A URL with a user name or password.
    #[error("the URL holds a user name or password; keys are public, fetch them without")]
    CredentialsInUrl,
    /// `http://` to another host than loopback: whoever is on the way could put in keys of their own.
    #[error("http:// is for loopback hosts only, or anybody on the way could replace the keys; use https://")]
    PlainHttp,
    /// No HTTP client can be made, for instance because the system has no trusted root certificates.
    #[error(
        "cannot set up TLS for fetching keys ({0}); are the root certificates (ca-certificates) installed?"
    )]
    Tls(String),
    /// A verifier without any source of keys.
    #[error("no verification keys are configured; give a secret, a public key or a JWKS")]
    NoSource,
    /// Users' tokens may not ask for the services' audience.
    #[error("the audience `roomcast-api` is for services; give users' tokens another one")]
    ServiceAudience,
}
