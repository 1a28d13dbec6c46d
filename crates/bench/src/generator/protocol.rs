//! The protocols of the competitors, from the client's side. It is pure: its input is
//! received text, its output is text to send.

use memchr::memmem;

/// The protocol of a competitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientProtocol {
    /// Engine.IO v4 and Socket.IO v5 over WebSocket.
    SocketIo {
        /// The beginning of every packet that counts as a delivery.
        event_prefix: &'static [u8],
        /// The beginning of other packets that may arrive; empty if there are none.
        ignored_prefix: &'static [u8],
    },
    /// Centrifugo's JSON protocol, with one or more replies in a frame.
    Centrifugo,
}

/// The protocol of Socket.IO servers that only send events named `e`.
pub(crate) const PLAIN_SOCKET_IO: ClientProtocol = ClientProtocol::SocketIo {
    event_prefix: b"42[\"e\",",
    ignored_prefix: b"",
};

/// The progress of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not connected.
    Closed,
    /// Waits until TCP is connected.
    ConnectingTcp,
    /// Waits for the response to the WebSocket upgrade.
    Upgrading,
    /// Waits for the server's first message.
    Opening,
    /// Waits for the response to the client's first message.
    Connecting,
    /// Waits for the response to the join.
    Joining,
    /// Is in its room.
    Joined,
}

/// What a socket sends in order to connect and join.
#[derive(Clone, Copy, Debug)]
pub(super) struct JoinParams<'a> {
    /// The user's token; empty if none is sent.
    pub(super) token: &'a str,
    /// The number of the room.
    pub(super) room: u32,
    /// The `pid` and the cursor of a socket that resumes.
    pub(super) resume: Option<(&'a str, &'a str)>,
}

/// What follows from a received text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Nothing.
    Ignore,
    /// Send this text, and continue in this phase.
    Send(String, Phase),
    /// The socket has joined its room.
    Join,
    /// An event was delivered.
    Deliver {
        /// The number of the room.
        room: u32,
        /// The number of the event in its room.
        number: u64,
    },
    /// The text is an error or unexpected.
    Fail,
}

impl ClientProtocol {
    /// The HTTP request of the WebSocket upgrade. The key is the example of RFC 6455, section 1.3.
    pub(super) fn upgrade_request(self, host: &str) -> String {
        let path = match self {
            Self::SocketIo { .. } => "/socket.io/?EIO=4&transport=websocket",
            Self::Centrifugo => "/connection/websocket",
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
    }

    /// The client's first text after the upgrade, and the next phase; `None` if the server sends first.
    pub(super) fn first_message(self, params: JoinParams<'_>) -> Option<(String, Phase)> {
        match self {
            Self::SocketIo { .. } => None,
            Self::Centrifugo => {
                let connect = format!(r#"{{"id":1,"connect":{{"token":"{}"}}}}"#, params.token);
                Some((connect, Phase::Connecting))
            }
        }
    }

    /// Whether a frame can contain several texts, which are separated by newlines.
    pub(super) const fn has_several_texts_per_frame(self) -> bool {
        matches!(self, Self::Centrifugo)
    }

    /// Handles one received text.
    #[inline]
    pub(super) fn handle_text(self, phase: Phase, text: &[u8], params: JoinParams<'_>) -> Reaction {
        match self {
            Self::SocketIo {
                event_prefix,
                ignored_prefix,
            } => {
                if phase == Phase::Joined && text.starts_with(event_prefix) {
                    return parse_event(text);
                }
                handle_socket_io(phase, text, params, ignored_prefix)
            }
            Self::Centrifugo => {
                if phase == Phase::Joined && text.starts_with(br#"{"push":"#) {
                    return parse_event(text);
                }
                handle_centrifugo(phase, text, params)
            }
        }
    }
}

/// Reads the numbers of an event from its payload.
fn parse_event(text: &[u8]) -> Reaction {
    let number = integer_after(text, b"\"n\":");
    let room = integer_after(text, b"\"r\":").and_then(|room| u32::try_from(room).ok());
    match (room, number) {
        (Some(room), Some(number)) => Reaction::Deliver { room, number },
        (None, _) | (_, None) => Reaction::Fail,
    }
}

/// The integer that follows this name.
#[inline]
fn integer_after(text: &[u8], name: &[u8]) -> Option<u64> {
    let begin = memmem::find(text, name)? + name.len();
    let digits = text.get(begin..)?.iter().take_while(|byte| byte.is_ascii_digit());
    let mut has_digits = false;
    let integer = digits.fold(0_u64, |integer, digit| {
        has_digits = true;
        integer.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
    });
    has_digits.then_some(integer)
}

fn handle_socket_io(phase: Phase, text: &[u8], params: JoinParams<'_>, ignored_prefix: &[u8]) -> Reaction {
    if text == b"2" {
        return Reaction::Send("3".to_owned(), phase);
    }
    if !ignored_prefix.is_empty() && text.starts_with(ignored_prefix) {
        return Reaction::Ignore;
    }
    match (phase, params.resume) {
        (Phase::Opening, resume) if text.starts_with(b"0{") => {
            let token = params.token;
            let connect = match resume {
                Some((pid, cursor)) => {
                    format!(r#"40{{"token":"{token}","pid":"{pid}","offset":"{cursor}"}}"#)
                }
                None if token.is_empty() => "40".to_owned(),
                None => format!(r#"40{{"token":"{token}"}}"#),
            };
            Reaction::Send(connect, Phase::Connecting)
        }
        (Phase::Connecting, None) if text.starts_with(b"40{") => {
            let join = format!(r#"420["join-session","s{}"]"#, params.room);
            Reaction::Send(join, Phase::Joining)
        }
        // The same pid means that the server restores the rooms and sends the missed events.
        (Phase::Connecting, Some((pid, _)))
            if text.starts_with(b"40{") && memmem::find(text, pid.as_bytes()).is_some() =>
        {
            Reaction::Join
        }
        (Phase::Joining, _) if text.starts_with(b"430[{\"ok\":true") => Reaction::Join,
        _ => Reaction::Fail,
    }
}

fn handle_centrifugo(phase: Phase, text: &[u8], params: JoinParams<'_>) -> Reaction {
    if text == b"{}" {
        return Reaction::Send("{}".to_owned(), phase);
    }
    if phase == Phase::Connecting && text.starts_with(br#"{"id":1,"connect""#) {
        let join = format!(r#"{{"id":2,"subscribe":{{"channel":"s{}"}}}}"#, params.room);
        return Reaction::Send(join, Phase::Joining);
    }
    if phase == Phase::Joining && text.starts_with(br#"{"id":2,"subscribe""#) {
        return Reaction::Join;
    }
    Reaction::Fail
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOCKET_IO: ClientProtocol = ClientProtocol::SocketIo {
        event_prefix: b"42[\"e\",",
        ignored_prefix: b"42[\"session-joined\"",
    };
    const PARAMS: JoinParams<'_> = JoinParams {
        token: "T",
        room: 7,
        resume: None,
    };

    fn send(text: &str, phase: Phase) -> Reaction {
        Reaction::Send(text.to_owned(), phase)
    }

    #[test]
    fn a_socket_io_socket_connects_and_joins() {
        let handle = |phase, text: &str| SOCKET_IO.handle_text(phase, text.as_bytes(), PARAMS);
        assert_eq!(
            handle(Phase::Opening, "0{}"),
            send(r#"40{"token":"T"}"#, Phase::Connecting)
        );
        assert_eq!(
            handle(Phase::Connecting, "40{}"),
            send(r#"420["join-session","s7"]"#, Phase::Joining)
        );
        assert_eq!(
            handle(Phase::Joining, r#"42["session-joined",{}]"#),
            Reaction::Ignore
        );
        assert_eq!(handle(Phase::Joining, r#"430[{"ok":true}]"#), Reaction::Join);
        assert_eq!(handle(Phase::Joining, r#"430[{"ok":false}]"#), Reaction::Fail);
        assert_eq!(handle(Phase::Joined, "2"), send("3", Phase::Joined));
        assert_eq!(
            handle(Phase::Joined, r#"42["e",{"n":12,"r":7,"fill":"x"}]"#),
            Reaction::Deliver { room: 7, number: 12 }
        );
        assert_eq!(
            handle(Phase::Joined, r#"42["session-reset",{"n":12}]"#),
            Reaction::Fail
        );
        assert_eq!(handle(Phase::Joined, r#"42["e",{"n":"x"}]"#), Reaction::Fail);
    }

    #[test]
    fn a_socket_has_resumed_only_if_the_server_returns_its_pid() {
        let params = JoinParams {
            resume: Some(("P", "C")),
            ..PARAMS
        };
        assert_eq!(
            SOCKET_IO.handle_text(Phase::Opening, b"0{}", params),
            send(r#"40{"token":"T","pid":"P","offset":"C"}"#, Phase::Connecting)
        );
        assert_eq!(
            SOCKET_IO.handle_text(Phase::Connecting, br#"40{"pid":"P"}"#, params),
            Reaction::Join
        );
        assert_eq!(
            SOCKET_IO.handle_text(Phase::Connecting, br#"40{"pid":"Q"}"#, params),
            Reaction::Fail
        );
    }

    #[test]
    fn a_centrifugo_socket_connects_subscribes_and_responds_to_pings() {
        let handle =
            |phase, text: &str| ClientProtocol::Centrifugo.handle_text(phase, text.as_bytes(), PARAMS);
        assert_eq!(
            handle(Phase::Connecting, r#"{"id":1,"connect":{}}"#),
            send(r#"{"id":2,"subscribe":{"channel":"s7"}}"#, Phase::Joining)
        );
        assert_eq!(
            handle(Phase::Joining, r#"{"id":2,"subscribe":{}}"#),
            Reaction::Join
        );
        assert_eq!(handle(Phase::Joining, r#"{"id":2,"error":{}}"#), Reaction::Fail);
        assert_eq!(handle(Phase::Joined, "{}"), send("{}", Phase::Joined));
        let push = r#"{"push":{"channel":"s7","pub":{"data":{"n":3,"r":7}}}}"#;
        assert_eq!(
            handle(Phase::Joined, push),
            Reaction::Deliver { room: 7, number: 3 }
        );
    }
}
