//! When a call is ended by the server.

use std::{future::Future, pin::Pin, time::Duration};

use roomcast_proto::{Failure, TokenFault};
use roomcast_runtime::lifecycle::Shutdown;
use tokio::time::{Instant, sleep, sleep_until};

/// Resolves when the server must end the call, with the reason. Some calls are never ended by the server.
pub(super) type CallEnd = Pin<Box<dyn Future<Output = Failure> + Send>>;

/// Ends a call at its deadline, when its token expires, or `drain_grace` after the drain has begun, whichever is first.
/// `None`: never for that reason.
pub(super) fn call_end(
    deadline: Option<Instant>,
    token_expiry: Option<Instant>,
    drain_grace: Option<Duration>,
    shutdown: Shutdown,
) -> CallEnd {
    Box::pin(async move {
        let drained = async {
            match drain_grace {
                None => std::future::pending().await,
                Some(grace) => {
                    shutdown.draining().await;
                    sleep(grace).await;
                }
            }
        };
        tokio::select! {
            biased; // if several apply, the caller's own deadline explains most
            () = sleep_until_or_forever(deadline) => Failure::DeadlineExceeded,
            () = sleep_until_or_forever(token_expiry) => Failure::Token(TokenFault::Expired),
            () = drained => Failure::Draining,
        }
    })
}

pub(super) async fn sleep_until_or_forever(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
