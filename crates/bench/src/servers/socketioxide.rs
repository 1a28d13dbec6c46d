//! socketioxide without Roomcast: sockets `join` rooms, and events are sent with `to(room).emit`.

use axum::Router;
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef},
    handler::ConnectHandler,
};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

use crate::{
    error::BenchResult,
    payload::Payload,
    publishers::records::{self, RECORD_BYTES},
};

/// Serves until the process ends, with one thread for each CPU that the process is pinned to.
pub(super) fn run() -> BenchResult<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve())
}

async fn serve() -> BenchResult<()> {
    let http = TcpListener::bind("127.0.0.1:0").await?;
    let control = TcpListener::bind("127.0.0.1:0").await?;
    let (layer, io) = SocketIo::builder().max_buffer_size(4096).build_layer();
    // Registered before CONNECT is sent: otherwise a join right after CONNECT would be lost.
    let register = async |socket: SocketRef| {
        socket.on(
            "join-session",
            async |socket: SocketRef, Data(room): Data<String>, ack: AckSender| {
                socket.join(room);
                let _ = ack.send(&serde_json::json!({ "ok": true })); // fails if the socket is closed
            },
        );
        Ok::<(), std::convert::Infallible>(())
    };
    io.ns("/", (async |_: SocketRef| {}).with(register));
    super::print_addrs(http.local_addr()?, control.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = control.accept().await {
            tokio::spawn(receive_records(stream, io.clone()));
        }
    });
    let app = Router::new().layer(layer);
    axum::serve(
        axum::serve::ListenerExt::tap_io(http, |stream| {
            let _ = stream.set_nodelay(true); // fails if the socket is closed
        }),
        app,
    )
    .await?;
    Ok(())
}

async fn receive_records(mut stream: TcpStream, io: SocketIo) {
    let mut bytes = Vec::with_capacity(64 * 1024);
    while let Ok(1..) = stream.read_buf(&mut bytes).await {
        for event in records::decode(&bytes) {
            let payload = Payload::new(event.room, event.number);
            // An error names sockets whose buffer is full. The load generator counts what they miss as lost.
            let _ = io.to(format!("s{}", event.room)).emit("e", &payload).await;
        }
        bytes.drain(..bytes.len() / RECORD_BYTES * RECORD_BYTES);
    }
}
