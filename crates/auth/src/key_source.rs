//! The configured sources of keys. They are checked when they are created, so an existing source is usable.

use std::path::Path;

use crate::jwks;
use crate::jwks_location::JwksLocation;
use crate::key::Key;
use crate::key_error::KeyError;

/// One configured source of verification keys. Its `Debug` shows no key material.
#[derive(Clone, Debug)]
pub struct KeySource(pub(crate) Source);

#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Keys that never change while the process runs.
    Fixed(Vec<Key>),
    /// A JWKS file, which was read once and will be read again.
    File { location: JwksLocation, keys: Vec<Key> },
    /// A JWKS URL, which was not fetched yet: an unreachable issuer must not prevent the start of a process.
    Url(JwksLocation),
}

impl KeySource {
    /// A shared secret for HS256, HS384 and HS512. A secret of less than 32 bytes is accepted with a warning.
    ///
    /// # Errors
    /// The secret is empty.
    pub fn secret(secret: &[u8]) -> Result<Self, KeyError> {
        let key = Key::from_secret(secret).ok_or(KeyError::EmptySecret)?;
        Ok(Self(Source::Fixed(vec![key])))
    }

    /// Public keys in PEM, in one or several blocks: RSA of 2048 to 8192 bits for RS256 and PS256, P-256 for
    /// ES256, Ed25519 for EdDSA.
    ///
    /// # Errors
    /// There is no PEM block, or a block is not such a public key.
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

    /// Like [`KeySource::public_key_pem`], from a file that is read once.
    ///
    /// # Errors
    /// Those of [`KeySource::public_key_pem`], or the file cannot be read.
    pub fn public_key_file(path: &Path) -> Result<Self, KeyError> {
        Self::public_key_pem(&read(path)?)
    }

    /// A JWKS (RFC 7517): a file, which is read immediately and again later, or an `https://` URL, which is fetched later.
    /// `http://` is allowed for loopback hosts only.
    ///
    /// # Errors
    /// The file cannot be read or contains no key that can verify tokens, or keys may not be fetched from the URL.
    pub fn jwks(file_or_url: &str) -> Result<Self, KeyError> {
        if file_or_url.contains("://") {
            return Ok(Self(Source::Url(JwksLocation::from_url(file_or_url)?)));
        }
        let keys = jwks::parse(&read(Path::new(file_or_url))?, true).map_err(KeyError::NotJwks)?;
        if keys.is_empty() {
            return Err(KeyError::NoUsableKey);
        }
        Ok(Self(Source::File {
            location: JwksLocation::File(file_or_url.into()),
            keys,
        }))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    std::fs::read(path).map_err(|error| KeyError::Unreadable {
        path: path.to_owned(),
        error,
    })
}
