//! Who may use the bridge: the own page, and programs of this machine. Any page that a developer has open could
//! otherwise drive it, since a browser sends requests to loopback for whoever asks.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderValue, header, uri::Authority};

/// What a browser says of the relation of a page to what it asks (Fetch Metadata Request Headers, W3C).
const SITE: &str = "sec-fetch-site";

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Foreign {
    /// It was sent to a name that anybody may have given to this machine (DNS rebinding).
    Host,
    /// Another origin's page sent it.
    Page,
}

impl Foreign {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Host => "the Host is neither a loopback name nor the address of --http-addr",
            Self::Page => "another page's requests are refused",
        }
    }
}

/// Lets requests of the own page through, and those of no page.
pub(super) fn check(headers: &HeaderMap, listening: SocketAddr) -> Result<(), Foreign> {
    let host = authority(headers.get(header::HOST)).ok_or(Foreign::Host)?;
    if !is_own(&host, listening.ip()) {
        return Err(Foreign::Host);
    }
    let by_page = |site: &HeaderValue| site == "same-origin" || site == "none";
    if !headers.get_all(SITE).iter().all(by_page) {
        return Err(Foreign::Page);
    }
    let same = |origin: &HeaderValue| {
        let origin = origin
            .to_str()
            .ok()
            .and_then(|origin| origin.strip_prefix("http://"));
        origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host.as_str()))
    };
    match headers.get_all(header::ORIGIN).iter().all(same) {
        true => Ok(()),
        false => Err(Foreign::Page),
    }
}

fn authority(host: Option<&HeaderValue>) -> Option<Authority> {
    Authority::try_from(host?.as_bytes()).ok()
}

/// Whether nobody else can give the name to this machine. Its port is the browser's matter: one may be forwarded.
fn is_own(host: &Authority, listening: IpAddr) -> bool {
    let name = host.host().to_ascii_lowercase();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match address.unwrap_or(&name).parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || (ip == listening && !ip.is_unspecified()),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(headers: &[(&'static str, &'static str)]) -> Result<(), Foreign> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect();
        check(&HeaderMap::from_iter(headers), "192.0.2.1:3000".parse().unwrap())
    }

    #[test]
    fn a_name_that_others_can_point_here_is_refused() {
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
            assert_eq!(checked(&[("host", host)]), Err(Foreign::Host), "{host}");
        }
        assert_eq!(checked(&[]), Err(Foreign::Host));
    }

    #[test]
    fn another_page_is_refused() {
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
            assert_eq!(from("origin", origin), Err(Foreign::Page), "{origin}");
        }
        assert_eq!(from(SITE, "same-origin"), Ok(()));
        assert_eq!(from(SITE, "none"), Ok(()));
        for site in ["same-site", "cross-site", "?"] {
            assert_eq!(from(SITE, site), Err(Foreign::Page), "{site}");
        }
        let both = [host, ("origin", "http://localhost:3000"), (SITE, "cross-site")];
        assert_eq!(checked(&both), Err(Foreign::Page));
    }
}
