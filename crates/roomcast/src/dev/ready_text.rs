//! What `dev` prints to be pasted: addresses, a browser's token, a call by grpcurl.
//!
//! Every line works as it stands. Their form is fixed, since scripts read it: a name, spaces, the value.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Serialize;

/// The session that the printed call creates, for the page's first two users.
const SESSION: &str = r#"{"session":{"id":"demo","status":"scheduled","participants":{"list":[{"user_id":"alice","role":"ROLE_INTERVIEWER"},{"user_id":"bob","role":"ROLE_INTERVIEWEE"}]}}}"#;

/// How grpcurl reaches the control plane.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Grpcurl {
    /// What stands before the request.
    pub(crate) options: String,
    /// What stands behind it.
    pub(crate) address: String,
}

/// Where `dev` listens, and what it hands out.
#[derive(Debug)]
pub(crate) struct Paste {
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) in_redis: bool,
    /// For user alice; `None`, where this process has no key to sign it with.
    pub(crate) token: Option<String>,
    pub(crate) grpcurl: Grpcurl,
}

impl Paste {
    pub(crate) fn text(&self) -> String {
        let Self {
            grpc,
            http,
            admin,
            in_redis,
            token,
            grpcurl: Grpcurl { options, address },
        } = self;
        let state = if *in_redis {
            "in Redis"
        } else {
            "in memory, gone when this ends"
        };
        let page = reachable(*http);
        let token = match token {
            Some(token) => format!("A browser's token, of user alice, good for a day:\ntoken   {token}\n"),
            None => "Browsers' tokens: from whoever has the key.\n".to_owned(),
        };
        format!(
            "roomcast dev is ready (state {state})\n\
             \n\
             page    http://{page}/\n\
             http    {http}\n\
             grpc    {grpc}\n\
             admin   {admin}\n\
             \n\
             {token}\
             \n\
             A session for alice and bob, by grpcurl:\n\
             grpcurl {options} -d '{SESSION}' {address} roomcast.v1.SessionService/PublishSessionUpdate\n"
        )
    }
}

/// Where this machine reaches what listens on an address: every address includes loopback.
pub(crate) fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, addr.port())
}

/// The text as one word of a shell.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_their_form() {
        let paste = Paste {
            grpc: "127.0.0.1:1".parse().unwrap(),
            http: "0.0.0.0:2".parse().unwrap(),
            admin: "[::1]:3".parse().unwrap(),
            in_redis: false,
            token: Some("a.b.c".to_owned()),
            grpcurl: Grpcurl {
                options: "-plaintext".to_owned(),
                address: "127.0.0.1:1".to_owned(),
            },
        };
        let text = paste.text();
        for line in [
            "page    http://127.0.0.1:2/",
            "http    0.0.0.0:2",
            "grpc    127.0.0.1:1",
            "admin   [::1]:3",
            "token   a.b.c",
        ] {
            assert!(text.lines().any(|printed| printed == line), "{line} in {text}");
        }
        let call = text.lines().last().unwrap();
        assert!(call.starts_with("grpcurl -plaintext -d '{\"session\""), "{call}");
        let request: serde_json::Value = serde_json::from_str(SESSION).unwrap();
        assert_eq!(request["session"]["id"], "demo");
    }

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(shell_word("/etc/ca.pem"), "/etc/ca.pem");
        assert_eq!(shell_word("my ca.pem"), "'my ca.pem'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
