//! One verification key and the algorithms for which it may be used. The type of the key determines the algorithms,
//! and the `alg` of its JWK narrows them; a token only selects one of them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use tracing::warn;

use crate::signed_token::SignedToken;

/// The recommended minimum length of a shared secret, in bytes: the output size of SHA-256 (RFC 7518, section 3.2). A
/// shorter one is accepted with a warning, because some issuers use them.
pub(crate) const RECOMMENDED_SECRET_BYTES: usize = 32;

const HMAC: &[Algorithm] = &[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
const RSA: &[Algorithm] = &[Algorithm::RS256, Algorithm::PS256];
const P256: &[Algorithm] = &[Algorithm::ES256];
const ED25519: &[Algorithm] = &[Algorithm::EdDSA];

/// The sizes of an RSA modulus that aws-lc-rs supports: 2048 to 8192 bits.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// The object identifier 1.2.840.10045.3.1.7, prime256v1, in DER.
const P256_OID: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// A key that verifies tokens. Its `Debug` shows no key material.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// The key id; only keys of a JWKS have one.
    pub(crate) kid: Option<String>,
    algorithms: Vec<Algorithm>,
    material: DecodingKey,
}

impl Key {
    fn new(algorithms: &[Algorithm], material: DecodingKey) -> Self {
        Self {
            kid: None,
            algorithms: algorithms.to_vec(),
            material,
        }
    }

    /// A shared secret, or `None` if it is empty.
    pub(crate) fn from_secret(secret: &[u8]) -> Option<Self> {
        if secret.is_empty() {
            return None;
        }
        if secret.len() < RECOMMENDED_SECRET_BYTES {
            warn!(
                bytes = secret.len(),
                "the shared secret is short enough to be guessed; use at least {RECOMMENDED_SECRET_BYTES} random bytes"
            );
        }
        Some(Self::new(HMAC, DecodingKey::from_secret(secret)))
    }

    /// One PEM block: `PUBLIC KEY` (SPKI) or `RSA PUBLIC KEY` (PKCS#1).
    ///
    /// # Errors
    /// The key cannot be used; the text is the reason.
    pub(crate) fn from_public_pem(pem: &str) -> Result<Self, &'static str> {
        let pem_bytes = pem.as_bytes();
        if let Ok(material) = DecodingKey::from_rsa_pem(pem_bytes) {
            let components = jsonwebtoken::jwk::Jwk::from_decoding_key(&material, None);
            let jsonwebtoken::jwk::AlgorithmParameters::RSA(rsa) =
                components.map_err(|_| "it is a damaged RSA key")?.algorithm
            else {
                return Err("it is a damaged RSA key");
            };
            return Self::from_rsa(&rsa.n, &rsa.e);
        }
        if let Ok(material) = DecodingKey::from_ec_pem(pem_bytes) {
            let body: String = pem
                .lines()
                .filter(|line| !line.starts_with("-----"))
                .map(str::trim)
                .collect();
            let der = STANDARD.decode(body).map_err(|_| "it is a damaged EC key")?;
            let on_p256 = der.windows(P256_OID.len()).any(|window| window == P256_OID);
            return if on_p256 {
                Self::from_p256(material)
            } else {
                Err("it is an EC key, but not on the curve P-256")
            };
        }
        if let Ok(material) = DecodingKey::from_ed_pem(pem_bytes) {
            return Self::from_ed25519(material);
        }
        Err("it is damaged or of an unsupported type")
    }

    /// One key of a JWKS (RFC 7517). `shared_secrets`: whether an `oct` key is accepted.
    ///
    /// # Errors
    /// The key cannot be used; the text is the reason and contains nothing of the key.
    pub(crate) fn from_jwk(jwk: &Jwk, shared_secrets: bool) -> Result<Self, &'static str> {
        if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return Err("it is not for signatures (use)");
        }
        if jwk
            .key_ops
            .as_ref()
            .is_some_and(|ops| !ops.iter().any(|op| op == "verify"))
        {
            return Err("it is not for verification (key_ops)");
        }
        let part = |part: &Option<String>| part.clone().ok_or("a required member is missing");
        let mut key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Self::from_rsa(&part(&jwk.n)?, &part(&jwk.e)?)?,
            ("EC", Some("P-256")) => {
                let (x, y) = (part(&jwk.x)?, part(&jwk.y)?);
                Self::from_p256(DecodingKey::from_ec_components(&x, &y).map_err(|_| "it is not base64url")?)?
            }
            ("OKP", Some("Ed25519")) => {
                let x = part(&jwk.x)?;
                Self::from_ed25519(DecodingKey::from_ed_components(&x).map_err(|_| "it is not base64url")?)?
            }
            ("oct", _) if shared_secrets => {
                let secret = URL_SAFE_NO_PAD
                    .decode(part(&jwk.k)?)
                    .map_err(|_| "it is not base64url")?;
                Self::from_secret(&secret).ok_or("its secret is empty")?
            }
            ("oct", _) => return Err("it is a shared secret, which is accepted from files only"),
            _ => return Err("its type is not supported"),
        };
        key.kid.clone_from(&jwk.kid);
        if let Some(alg) = &jwk.alg {
            key.algorithms.retain(|algorithm| alg.parse() == Ok(*algorithm));
            if key.algorithms.is_empty() {
                return Err("its alg is not supported or does not match its type");
            }
        }
        Ok(key)
    }

    fn from_rsa(modulus: &str, exponent: &str) -> Result<Self, &'static str> {
        let number = |encoded: &str| {
            let bytes = URL_SAFE_NO_PAD
                .decode(encoded)
                .map_err(|_| "it is not base64url")?;
            // Some issuers write a leading zero, which aws-lc-rs does not accept.
            Ok::<_, &'static str>(
                bytes
                    .into_iter()
                    .skip_while(|byte| *byte == 0)
                    .collect::<Vec<u8>>(),
            )
        };
        let (n, e) = (number(modulus)?, number(exponent)?);
        if !RSA_MODULUS_BYTES.contains(&n.len()) {
            return Err("it is an RSA key of less than 2048 or more than 8192 bits");
        }
        Ok(Self::new(RSA, DecodingKey::from_rsa_raw_components(&n, &e)))
    }

    fn from_p256(material: DecodingKey) -> Result<Self, &'static str> {
        // An uncompressed point: 4, then two coordinates of 32 bytes.
        match material.try_get_as_bytes() {
            Ok([4, coordinates @ ..]) if coordinates.len() == 64 => Ok(Self::new(P256, material)),
            Ok(_) | Err(_) => Err("it is not an uncompressed point of P-256"),
        }
    }

    fn from_ed25519(material: DecodingKey) -> Result<Self, &'static str> {
        match material.try_get_as_bytes() {
            Ok(point) if point.len() == 32 => Ok(Self::new(ED25519, material)),
            Ok(_) | Err(_) => Err("it is not a point of Ed25519"),
        }
    }

    /// Whether the key may be used with the token's algorithm.
    pub(crate) fn allows_algorithm_of(&self, token: &SignedToken<'_>) -> bool {
        self.algorithms.contains(&token.algorithm)
    }

    /// Whether the token's signature was made for this key, with an algorithm that the key allows.
    pub(crate) fn verifies(&self, token: &SignedToken<'_>) -> bool {
        self.allows_algorithm_of(token)
            && jsonwebtoken::crypto::verify(
                token.signature,
                token.signed_part,
                &self.material,
                token.algorithm,
            )
            .unwrap_or(false)
    }
}

/// The members of a JWK that are used. Not `Debug`, because `k` is a secret.
#[derive(Deserialize)]
pub(crate) struct Jwk {
    kty: String,
    crv: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
}
