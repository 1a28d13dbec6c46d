//! What a socket says and hears, by protocol. Pure: it sees texts and gives texts.

use memchr::memmem;

/// The protocol of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Engine.IO v4 and Socket.IO v5 over WebSocket. `event` is how the packet of a counted event begins;
    /// `ignored` is how packets begin that may come besides.
    SocketIo {
        event: &'static [u8],
        ignored: &'static [u8],
    },
    /// Centrifugo's JSON protocol, several replies a frame.
    Centrifugo,
}

/// How far a socket's greeting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// TCP is not there yet.
    Dialling,
    /// The upgrade is asked for.
    Upgrading,
    /// WebSocket is there; the server's own opening is awaited.
    Opening,
    /// It said who it is.
    Greeting,
    /// It asked for its room.
    Joining,
    /// It is in its room.
    Live,
    /// It is not connected.
    Closed,
}

/// Who a socket is and where it wants to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    /// The user's token; empty: none is shown.
    pub(crate) token: &'a str,
    /// The room's number.
    pub(crate) room: u32,
    /// What it was told before it lost its connection: `pid` and cursor.
    pub(crate) resume: Option<(&'a str, &'a str)>,
}

/// What follows from a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Nothing.
    Nothing,
    /// This is said, and the phase is another one.
    Say(String, Phase),
    /// It is in its room.
    Joined,
    /// An event: its number in its room, and the room's number.
    Event(u64, u32),
    /// The server says no, or something that must not come.
    Wrong,
}

impl Dialect {
    /// The request that asks for WebSocket. The key is the example of RFC 6455.
    pub(crate) fn upgrade(self, host: &str) -> String {
        let path = match self {
            Self::SocketIo { .. } => "/socket.io/?EIO=4&transport=websocket",
            Self::Centrifugo => "/connection/websocket",
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
    }

    /// What is said first, once WebSocket is there; none: the server speaks first.
    pub(crate) fn opening(self, wish: Wish<'_>) -> Option<(String, Phase)> {
        match self {
            Self::SocketIo { .. } => None,
            Self::Centrifugo => {
                let hello = format!(r#"{{"id":1,"connect":{{"token":"{}"}}}}"#, wish.token);
                Some((hello, Phase::Greeting))
            }
        }
    }

    /// Whether one frame can hold several texts, divided by newlines.
    pub(crate) const fn is_divided(self) -> bool {
        matches!(self, Self::Centrifugo)
    }

    /// Takes one text.
    #[inline]
    pub(crate) fn hear(self, phase: Phase, text: &[u8], wish: Wish<'_>) -> Heard {
        match self {
            Self::SocketIo { event, ignored } => {
                if phase == Phase::Live && text.starts_with(event) {
                    return numbers(text);
                }
                socket_io(phase, text, wish, ignored)
            }
            Self::Centrifugo => {
                if phase == Phase::Live && text.starts_with(br#"{"push":"#) {
                    return numbers(text);
                }
                centrifugo(phase, text, wish)
            }
        }
    }
}

fn numbers(text: &[u8]) -> Heard {
    match (number(text, b"\"n\":"), number(text, b"\"r\":")) {
        (Some(n), Some(r)) => u32::try_from(r).map_or(Heard::Wrong, |r| Heard::Event(n, r)),
        _ => Heard::Wrong,
    }
}

/// The whole number after a name.
#[inline]
fn number(text: &[u8], name: &[u8]) -> Option<u64> {
    let begin = memmem::find(text, name)? + name.len();
    let digits = text.get(begin..)?.iter().take_while(|byte| byte.is_ascii_digit());
    let mut any = false;
    let number = digits.fold(0_u64, |number, digit| {
        any = true;
        number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
    });
    any.then_some(number)
}

fn socket_io(phase: Phase, text: &[u8], wish: Wish<'_>, ignored: &[u8]) -> Heard {
    if text == b"2" {
        return Heard::Say("3".to_owned(), phase);
    }
    if !ignored.is_empty() && text.starts_with(ignored) {
        return Heard::Nothing;
    }
    match (phase, wish.resume) {
        (Phase::Opening, resume) if text.starts_with(b"0{") => {
            let token = wish.token;
            let hello = match resume {
                Some((pid, cursor)) => {
                    format!(r#"40{{"token":"{token}","pid":"{pid}","offset":"{cursor}"}}"#)
                }
                None if token.is_empty() => "40".to_owned(),
                None => format!(r#"40{{"token":"{token}"}}"#),
            };
            Heard::Say(hello, Phase::Greeting)
        }
        (Phase::Greeting, None) if text.starts_with(b"40{") => {
            let join = format!(r#"420["join-session","s{}"]"#, wish.room);
            Heard::Say(join, Phase::Joining)
        }
        // The same pid means that the rooms and what was missed follow by themselves.
        (Phase::Greeting, Some((pid, _)))
            if text.starts_with(b"40{") && memmem::find(text, pid.as_bytes()).is_some() =>
        {
            Heard::Joined
        }
        (Phase::Joining, _) if text.starts_with(b"430[{\"ok\":true") => Heard::Joined,
        _ => Heard::Wrong,
    }
}

fn centrifugo(phase: Phase, text: &[u8], wish: Wish<'_>) -> Heard {
    if text == b"{}" {
        return Heard::Say("{}".to_owned(), phase);
    }
    if phase == Phase::Greeting && text.starts_with(br#"{"id":1,"connect""#) {
        let join = format!(r#"{{"id":2,"subscribe":{{"channel":"s{}"}}}}"#, wish.room);
        return Heard::Say(join, Phase::Joining);
    }
    if phase == Phase::Joining && text.starts_with(br#"{"id":2,"subscribe""#) {
        return Heard::Joined;
    }
    Heard::Wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOCKET_IO: Dialect = Dialect::SocketIo {
        event: b"42[\"e\",",
        ignored: b"42[\"session-joined\"",
    };
    const WISH: Wish<'_> = Wish {
        token: "T",
        room: 7,
        resume: None,
    };

    fn say(text: &str, phase: Phase) -> Heard {
        Heard::Say(text.to_owned(), phase)
    }

    #[test]
    fn a_socket_io_socket_opens_greets_and_joins() {
        let hear = |phase, text: &str| SOCKET_IO.hear(phase, text.as_bytes(), WISH);
        assert_eq!(
            hear(Phase::Opening, "0{}"),
            say(r#"40{"token":"T"}"#, Phase::Greeting)
        );
        assert_eq!(
            hear(Phase::Greeting, "40{}"),
            say(r#"420["join-session","s7"]"#, Phase::Joining)
        );
        assert_eq!(hear(Phase::Joining, r#"42["session-joined",{}]"#), Heard::Nothing);
        assert_eq!(hear(Phase::Joining, r#"430[{"ok":true}]"#), Heard::Joined);
        assert_eq!(hear(Phase::Joining, r#"430[{"ok":false}]"#), Heard::Wrong);
        assert_eq!(hear(Phase::Live, "2"), say("3", Phase::Live));
        assert_eq!(
            hear(Phase::Live, r#"42["e",{"n":12,"r":7,"fill":"x"}]"#),
            Heard::Event(12, 7)
        );
        assert_eq!(hear(Phase::Live, r#"42["session-reset",{"n":12}]"#), Heard::Wrong);
        assert_eq!(hear(Phase::Live, r#"42["e",{"n":"x"}]"#), Heard::Wrong);
    }

    #[test]
    fn a_resumed_socket_is_back_only_under_its_own_pid() {
        let wish = Wish {
            resume: Some(("P", "C")),
            ..WISH
        };
        assert_eq!(
            SOCKET_IO.hear(Phase::Opening, b"0{}", wish),
            say(r#"40{"token":"T","pid":"P","offset":"C"}"#, Phase::Greeting)
        );
        assert_eq!(
            SOCKET_IO.hear(Phase::Greeting, br#"40{"pid":"P"}"#, wish),
            Heard::Joined
        );
        assert_eq!(
            SOCKET_IO.hear(Phase::Greeting, br#"40{"pid":"Q"}"#, wish),
            Heard::Wrong
        );
    }

    #[test]
    fn a_centrifugo_socket_greets_subscribes_and_answers_pings() {
        let hear = |phase, text: &str| Dialect::Centrifugo.hear(phase, text.as_bytes(), WISH);
        assert_eq!(
            hear(Phase::Greeting, r#"{"id":1,"connect":{}}"#),
            say(r#"{"id":2,"subscribe":{"channel":"s7"}}"#, Phase::Joining)
        );
        assert_eq!(hear(Phase::Joining, r#"{"id":2,"subscribe":{}}"#), Heard::Joined);
        assert_eq!(hear(Phase::Joining, r#"{"id":2,"error":{}}"#), Heard::Wrong);
        assert_eq!(hear(Phase::Live, "{}"), say("{}", Phase::Live));
        let push = r#"{"push":{"channel":"s7","pub":{"data":{"n":3,"r":7}}}}"#;
        assert_eq!(hear(Phase::Live, push), Heard::Event(3, 7));
    }
}
