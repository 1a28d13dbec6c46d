//! Why configured keys cannot be used.

use std::path::PathBuf;

use crate::key::RECOMMENDED_SECRET_BYTES;

/// A source of keys that cannot be used. The text is one line that states the problem and a remedy; it is printed
/// behind the name of the option.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The secret is empty.
    #[error(
        "the secret is empty; use at least {RECOMMENDED_SECRET_BYTES} random bytes, for example the output of \
         `openssl rand -hex 32`"
    )]
    EmptySecret,
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file's path as configured.
        path: PathBuf,
        /// The error of the operating system.
        error: std::io::Error,
    },
    /// The text contains no complete PEM block.
    #[error("not a PEM file; expected `-----BEGIN PUBLIC KEY-----` … `-----END PUBLIC KEY-----`")]
    NotPem,
    /// A private key instead of a public key.
    #[error(
        "this is a private key; use its public key (`openssl pkey -in key.pem -pubout`) and keep the private key at \
         the issuer"
    )]
    PrivateKey,
    /// A certificate instead of a public key.
    #[error("this is a certificate; use its public key (`openssl x509 -in cert.pem -pubkey -noout`)")]
    Certificate,
    /// A public key that cannot verify tokens; the text is the reason.
    #[error("cannot use the public key: {0}; use RSA of at least 2048 bits, P-256 or Ed25519")]
    UnsupportedKey(&'static str),
    /// The file is not a JWKS; the text is the reason.
    #[error("not a JWKS: {0}; expected JSON such as {{\"keys\": [{{\"kty\": …}}]}}")]
    NotJwks(&'static str),
    /// A JWKS file in which no key can verify tokens.
    #[error(
        "the JWKS contains no key that can verify tokens; use RSA of at least 2048 bits, P-256, Ed25519 or a shared \
         secret"
    )]
    NoUsableKey,
    /// A URL that cannot be parsed, or whose scheme is neither `https` nor `http`.
    #[error("not a URL from which keys can be fetched; use https://HOST/PATH, or the path of a file")]
    BadUrl,
    /// A URL with a user name or password.
    #[error("the URL contains a user name or password; public keys need none, remove them")]
    CredentialsInUrl,
    /// An `http://` URL of a host that is not loopback: an attacker on the network path could replace the keys.
    #[error(
        "http:// is allowed for loopback hosts only, because an attacker on the network could replace the keys; use \
         https://"
    )]
    PlainHttp,
    /// The HTTP client cannot be created, for instance because the system has no trusted root certificates.
    #[error(
        "cannot set up TLS to fetch keys ({0}); are the root certificates installed (package ca-certificates)?"
    )]
    Tls(String),
    /// A verifier without a source of keys.
    #[error("no verification keys are configured; use a secret, a public key or a JWKS")]
    NoSource,
    /// The audience of users' tokens is configured as that of service tokens.
    #[error("the audience `roomcast-api` is reserved for services; use another one for users' tokens")]
    ServiceAudience,
}
