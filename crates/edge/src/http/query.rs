//! The query of a URI.

use http::Uri;

/// The value of a key, not decoded.
pub(super) fn value<'a>(uri: &'a Uri, key: &str) -> Option<&'a str> {
    uri.query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_by_its_whole_keys() {
        let uri = "/socket.io/?EIO=4&xsid=1&sid=abc&sid=def".parse().unwrap();
        assert_eq!(value(&uri, "sid"), Some("abc"));
        assert_eq!(value(&uri, "si"), None);
    }
}
