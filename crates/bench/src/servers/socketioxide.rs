//! socketioxide alone: rooms by `join`, events by `to(room).emit`.

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
    error::Outcome,
    payload::Payload,
    publishers::records::{self, RECORD_BYTES},
};

/// Serves until the process is ended, with as many threads as there are CPUs for it.
pub(crate) fn run() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve())
}

async fn serve() -> Outcome<()> {
    let http = TcpListener::bind("127.0.0.1:0").await?;
    let control = TcpListener::bind("127.0.0.1:0").await?;
    let (layer, io) = SocketIo::builder().max_buffer_size(4096).build_layer();
    // Registered before CONNECT goes out: the events of a socket that asks at once are lost otherwise.
    let register = async |socket: SocketRef| {
        socket.on(
            "join-session",
            async |socket: SocketRef, Data(room): Data<String>, ack: AckSender| {
                socket.join(room);
                let _gone = ack.send(&serde_json::json!({ "ok": true }));
            },
        );
        Ok::<(), std::convert::Infallible>(())
    };
    io.ns("/", (async |_: SocketRef| {}).with(register));
    super::say_where(http.local_addr()?, control.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = control.accept().await {
            tokio::spawn(take_records(stream, io.clone()));
        }
    });
    let app = Router::new().layer(layer);
    axum::serve(
        axum::serve::ListenerExt::tap_io(http, |stream| {
            let _gone = stream.set_nodelay(true);
        }),
        app,
    )
    .await?;
    Ok(())
}

async fn take_records(mut stream: TcpStream, io: SocketIo) {
    let mut bytes = Vec::with_capacity(64 * 1024);
    while let Ok(1..) = stream.read_buf(&mut bytes).await {
        for event in records::decode(&bytes) {
            let payload = Payload::new(event.room, event.n);
            // An error names sockets whose buffer is full: the generator sees what is missing.
            let _full = io.to(format!("s{}", event.room)).emit("e", &payload).await;
        }
        bytes.drain(..bytes.len() / RECORD_BYTES * RECORD_BYTES);
    }
}
