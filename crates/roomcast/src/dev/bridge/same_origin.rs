//! Who may use the bridge: the playground page and programs on this machine.
//!
//! Without this check, any page in the developer's browser could use it, because a browser sends requests to loopback for
//! any page.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderValue, header, uri::Authority};

/// The header with the relation between the page and the requested URL (W3C, Fetch Metadata Request Headers).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Why a request is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OriginDenial {
    /// Its Host is a name that an attacker may have pointed to this machine (DNS rebinding).
    ForeignHost,
    /// A page of another origin sent it.
    ForeignPage,
}

impl OriginDenial {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::ForeignHost => "the Host is neither a loopback name nor the address of --http-addr",
            Self::ForeignPage => "requests of other pages are not allowed",
        }
    }
}

/// Allows requests of the playground page and requests that no page sent. `http_addr`: the address of the server.
pub(super) fn check(headers: &HeaderMap, http_addr: SocketAddr) -> Result<(), OriginDenial> {
    let host = authority(headers.get(header::HOST)).ok_or(OriginDenial::ForeignHost)?;
    if !is_own_host(&host, http_addr.ip()) {
        return Err(OriginDenial::ForeignHost);
    }
    let is_allowed = |site: &HeaderValue| site == "same-origin" || site == "none";
    if !headers.get_all(SEC_FETCH_SITE).iter().all(is_allowed) {
        return Err(OriginDenial::ForeignPage);
    }
    let is_same_origin = |origin: &HeaderValue| {
        let origin = origin
            .to_str()
            .ok()
            .and_then(|origin| origin.strip_prefix("http://"));
        origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host.as_str()))
    };
    match headers.get_all(header::ORIGIN).iter().all(is_same_origin) {
        true => Ok(()),
        false => Err(OriginDenial::ForeignPage),
    }
}

fn authority(host: Option<&HeaderValue>) -> Option<Authority> {
    Authority::try_from(host?.as_bytes()).ok()
}

/// Whether the host is one that an attacker cannot point to this machine. The port is not compared, because it may be
/// forwarded.
fn is_own_host(host: &Authority, listener: IpAddr) -> bool {
    let name = host.host().to_ascii_lowercase();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match address.unwrap_or(&name).parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || (ip == listener && !ip.is_unspecified()),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(headers: &[(&'static str, &'static str)]) -> Result<(), OriginDenial> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect();
        check(&HeaderMap::from_iter(headers), "192.0.2.1:3000".parse().unwrap())
    }

    #[test]
    fn a_name_that_an_attacker_can_point_to_this_machine_is_denied() {
        for host in [
            "127.0.0.1:3000",
            "localhost:8080",
            "LOCALHOST",
            "app.localhost:1",
            "[::1]:3000",
            "192.0.2.1:3000",
        ] {
            assert_eq!(checked(&[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example:3000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "192.0.2.2:3000",
            "0.0.0.0:3000",
            "[::]:3000",
            "evil.example@127.0.0.1.",
            "",
        ] {
            assert_eq!(
                checked(&[("host", host)]),
                Err(OriginDenial::ForeignHost),
                "{host}"
            );
        }
        assert_eq!(checked(&[]), Err(OriginDenial::ForeignHost));
    }

    #[test]
    fn a_page_of_another_origin_is_denied() {
        let host = ("host", "localhost:3000");
        let from = |name, value| checked(&[host, (name, value)]);
        assert_eq!(from("origin", "http://localhost:3000"), Ok(()));
        for origin in [
            "http://localhost:3001",
            "http://localhost",
            "https://localhost:3000",
            "http://127.0.0.1:3000",
            "https://evil.example",
            "null",
        ] {
            assert_eq!(from("origin", origin), Err(OriginDenial::ForeignPage), "{origin}");
        }
        assert_eq!(from(SEC_FETCH_SITE, "same-origin"), Ok(()));
        assert_eq!(from(SEC_FETCH_SITE, "none"), Ok(()));
        for site in ["same-site", "cross-site", "?"] {
            assert_eq!(
                from(SEC_FETCH_SITE, site),
                Err(OriginDenial::ForeignPage),
                "{site}"
            );
        }
        let both = [
            host,
            ("origin", "http://localhost:3000"),
            (SEC_FETCH_SITE, "cross-site"),
        ];
        assert_eq!(checked(&both), Err(OriginDenial::ForeignPage));
    }
}
