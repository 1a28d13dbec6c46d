//! Tokens of users and services.

use std::time::Duration;

use roomcast_auth::{Clock, DEV_SECRET, MintClaims, mint};

/// Seconds since the Unix epoch.
fn now() -> i64 {
    Clock::system().now()
}

/// Claims of a user that expire in an hour.
#[must_use]
pub fn claims(user: &str) -> MintClaims {
    let (issuer, audience) = (None, None);
    MintClaims {
        subject: user.to_owned(),
        audience,
        issuer,
        issued_at: now(),
        ttl: Duration::from_secs(3600),
    }
}

/// A user's token, signed with the dev secret.
#[must_use]
pub fn token(user: &str) -> String {
    token_with(DEV_SECRET, &claims(user))
}

/// A token with these claims, signed with this secret (HS256).
#[must_use]
pub fn token_with(secret: &str, claims: &MintClaims) -> String {
    mint(secret.as_bytes(), claims)
}

/// A user's token that expires this many seconds from now; a negative number is in the past.
#[must_use]
pub fn expiring(user: &str, seconds: i64) -> String {
    let ttl = 100_000;
    let claims = MintClaims {
        issued_at: now() + seconds - ttl,
        ttl: Duration::from_secs(100_000),
        ..claims(user)
    };
    token_with(DEV_SECRET, &claims)
}

/// A token that another implementation (PyJWT) signs: `key` is the path of a key file, empty for no signature.
///
/// # Panics
/// If PyJWT fails.
#[must_use]
pub fn signed(algorithm: &str, key: &str, kid: Option<&str>, claims: &serde_json::Value) -> String {
    const SCRIPT: &str = "import jwt, json, sys
algorithm, key, kid, claims = sys.argv[1:]
headers = {'kid': kid} if kid else None
print(jwt.encode(json.loads(claims), open(key).read() if key else None, algorithm=algorithm, headers=headers))";
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = std::process::Command::new(python)
        .args([
            "-c",
            SCRIPT,
            algorithm,
            key,
            kid.unwrap_or_default(),
            &claims.to_string(),
        ])
        .output()
        .expect("python is installed: see tests/run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// Claims as JSON: a user, and an expiry this many seconds from now.
#[must_use]
pub fn claims_json(user: &str, seconds: i64) -> serde_json::Value {
    serde_json::json!({ "sub": user, "exp": now() + seconds })
}
