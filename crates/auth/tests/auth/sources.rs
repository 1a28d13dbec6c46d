//! Which sources of keys are accepted, and the errors for the others.

use roomcast_auth::{
    Clock, DEV_SECRET, KeyError, KeySource, SERVICE_AUDIENCE, UserTokens, Verifier, is_dev_secret,
};

use crate::issuer::{Issuer, SECRET, Time, path, pem, users};

fn error_of(source: Result<KeySource, KeyError>) -> String {
    source.expect_err("the source is not usable").to_string()
}

#[test]
fn an_empty_secret_is_an_error_and_a_short_one_is_accepted() {
    assert!(error_of(KeySource::secret(b"")).contains("is empty"));
    assert!(KeySource::secret(b"short").is_ok());
}

#[test]
fn the_dev_secret_is_long_enough_and_recognised() {
    assert!(KeySource::secret(DEV_SECRET.as_bytes()).is_ok());
    assert!(is_dev_secret(DEV_SECRET.as_bytes()));
    assert!(!is_dev_secret(SECRET));
}

#[test]
fn an_unusable_public_key_is_an_error_that_names_the_remedy() {
    let cases = [
        ("README.md", "not a PEM file"),
        ("rsa.pem", "-pubout"),
        ("ec.pem", "-pubout"),
        ("cert.pem", "openssl x509"),
        ("short-rsa.pub.pem", "2048"),
        ("P-384.pub.pem", "P-256"),
        ("secp256k1.pub.pem", "P-256"),
        ("absent.pem", "cannot read"),
    ];
    for (name, remedy) in cases {
        let text = error_of(KeySource::public_key_file(&path(name)));
        assert!(text.contains(remedy) && !text.contains('\n'), "{name}: {text}");
    }
    let cut_off = pem("rsa.pub.pem")[..100].to_vec();
    assert!(error_of(KeySource::public_key_pem(&cut_off)).contains("not a PEM file"));
    let garbage = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    assert!(error_of(KeySource::public_key_pem(garbage)).contains("damaged"));
    assert!(error_of(KeySource::public_key_pem(&[0xff, 0xfe])).contains("not a PEM file"));
}

#[tokio::test]
async fn a_pem_file_may_contain_several_keys_in_both_forms() {
    let several = [pem("rsa.pkcs1.pub.pem"), pem("ec.pub.pem"), pem("ed.pub.pem")].concat();
    let verifier = users(KeySource::public_key_pem(&several).unwrap(), &Time::new());
    let rsa = Issuer::with_rsa(jsonwebtoken::Algorithm::PS256, "rsa.pem");
    for issuer in [rsa, Issuer::with_ec(), Issuer::with_ed()] {
        assert!(verifier.verify(&issuer.token()).await.is_ok());
    }
}

#[test]
fn keys_are_fetched_over_https_or_from_loopback_only() {
    // On a machine without root certificates, every https URL is an error.
    assert!(matches!(
        KeySource::jwks("https://id.example/jwks"),
        Ok(_) | Err(KeyError::Tls(_))
    ));
    for url in [
        "http://127.0.0.1:9/jwks",
        "http://[::1]:9/",
        "http://localhost/jwks",
    ] {
        assert!(KeySource::jwks(url).is_ok(), "{url}");
    }
    for url in [
        "http://id.example/jwks",
        "http://10.0.0.1/",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
    ] {
        assert!(matches!(KeySource::jwks(url), Err(KeyError::PlainHttp)), "{url}");
    }
    for url in [
        "ftp://id.example/jwks",
        "file:///etc/jwks.json",
        "https://",
        "://",
    ] {
        assert!(matches!(KeySource::jwks(url), Err(KeyError::BadUrl)), "{url}");
    }
    assert!(matches!(
        KeySource::jwks("https://me:secret@id.example/"),
        Err(KeyError::CredentialsInUrl)
    ));
}

#[test]
fn an_unreadable_or_invalid_jwks_file_is_an_error() {
    assert!(error_of(KeySource::jwks("absent.json")).contains("cannot read absent.json"));
    assert!(error_of(KeySource::jwks(path("README.md").to_str().unwrap())).contains("not a JWKS"));
}

#[test]
fn a_verifier_needs_a_source_and_an_audience_that_is_not_reserved() {
    assert!(matches!(
        Verifier::services([], Clock::system()),
        Err(KeyError::NoSource)
    ));
    let tokens = UserTokens {
        audience: Some(SERVICE_AUDIENCE.to_owned()),
        ..UserTokens::default()
    };
    let source = KeySource::secret(SECRET).unwrap();
    assert!(matches!(
        Verifier::users([source], tokens, Clock::system()),
        Err(KeyError::ServiceAudience)
    ));
}

#[test]
fn no_debug_output_shows_a_secret() {
    let secret = "a-secret-that-must-not-be-printed";
    let source = KeySource::secret(secret.as_bytes()).unwrap();
    let verifier = users(source.clone(), &Time::new());
    let bytes = format!("{:?}", secret.as_bytes());
    for text in [format!("{source:?}"), format!("{verifier:?}")] {
        assert!(
            !text.contains(secret) && !text.contains(bytes.trim_matches(['[', ']'])),
            "{text}"
        );
    }
}
