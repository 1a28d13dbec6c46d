//! The wire formats that the edge reads and writes itself: Engine.IO and Socket.IO packets, their JSON, and the headers
//! of WebSocket frames. Everything here is pure: it uses no socket, no transport and no task.

pub(crate) mod acknowledgement;
pub(crate) mod connect;
pub(crate) mod event_name;
pub(crate) mod frame_header;

/// Separates packets in the payload of a polling request or response (Engine.IO protocol 4, "HTTP long-polling").
pub(crate) const RECORD_SEPARATOR: u8 = 0x1e;

/// The path of Socket.IO requests.
pub(crate) const SOCKET_IO_PATH: &str = "/socket.io/";

/// The largest packet that a browser may send, in bytes. A larger one closes its connection.
pub(crate) const MAX_PACKET_BYTES: usize = 128 * 1024;

/// Whether a request with this path is for Socket.IO. Some clients leave out the slash at the end.
pub(crate) fn is_socket_io_path(path: &str) -> bool {
    path.starts_with(SOCKET_IO_PATH) || SOCKET_IO_PATH.strip_suffix('/') == Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_io_path_may_lack_its_last_slash() {
        for (path, expected) in [
            ("/socket.io", true),
            ("/socket.io/", true),
            ("/socket.io/any", true),
            ("/socket.iox", false),
            ("/", false),
        ] {
            assert_eq!(is_socket_io_path(path), expected, "{path}");
        }
    }
}
