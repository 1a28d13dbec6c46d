//! The text that `dev` prints when it is ready: addresses, a browser token, a grpcurl call.
//!
//! Every line can be pasted as it is. Scripts read the lines with a value: a name, spaces, the value.

use std::net::SocketAddr;

use super::{grpcurl::Grpcurl, local_addr::local_addr};

/// The request of the printed call: it creates a session for the first two users of the playground.
const REQUEST: &str = r#"{"session":{"id":"demo","status":"scheduled","participants":{"list":[{"user_id":"alice","role":"ROLE_INTERVIEWER"},{"user_id":"bob","role":"ROLE_INTERVIEWEE"}]}}}"#;

/// The values of the text.
#[derive(Debug)]
pub(super) struct ReadyText {
    pub(super) grpc: SocketAddr,
    pub(super) http: SocketAddr,
    pub(super) admin: SocketAddr,
    /// Whether the state is stored in Redis; otherwise it is in memory.
    pub(super) in_redis: bool,
    /// A token of user alice; `None` if `dev` has no key to sign it.
    pub(super) token: Option<String>,
    pub(super) grpcurl: Grpcurl,
}

impl ReadyText {
    pub(super) fn render(&self) -> String {
        let Self {
            grpc,
            http,
            admin,
            in_redis,
            token,
            grpcurl: Grpcurl { options, address },
        } = self;
        let state = if *in_redis {
            "the state is in Redis"
        } else {
            "the state is in memory and is lost when the process ends"
        };
        let page = local_addr(*http);
        let token = match token {
            Some(token) => format!("A browser token of user alice, valid for one day:\ntoken   {token}\n"),
            None => "This process cannot sign browser tokens: sign them with your own key.\n".to_owned(),
        };
        format!(
            "roomcast dev is ready ({state})\n\
             \n\
             page    http://{page}/\n\
             http    {http}\n\
             grpc    {grpc}\n\
             admin   {admin}\n\
             \n\
             {token}\
             \n\
             This call creates a session for alice and bob:\n\
             grpcurl {options} -d '{REQUEST}' {address} roomcast.v1.SessionService/PublishSessionUpdate\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_with_addresses_have_a_fixed_form() {
        let ready = ReadyText {
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
        let text = ready.render();
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
        let request: serde_json::Value = serde_json::from_str(REQUEST).unwrap();
        assert_eq!(request["session"]["id"], "demo");
    }
}
