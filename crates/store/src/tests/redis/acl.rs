//! What the documented user must not do.

use redis::{Client, Cmd, RedisError};

use crate::tests::support::{acl, server::Server};

#[tokio::test]
async fn the_documented_user_has_no_access_to_other_keys_and_commands() {
    let server = Server::start();
    acl::add_documented_user(&server).await;
    let client = Client::open(acl::as_documented_user(&server.url())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut run = async |command: &str| -> Result<redis::Value, RedisError> {
        let mut command_line = Cmd::new();
        command_line.arg(command.split(' ').collect::<Vec<_>>());
        command_line.query_async(&mut connection).await
    };
    assert!(run("SET rc:{s:s1}:2:state 1").await.is_ok());
    for command in [
        "GET other",
        "SET rcx 1",
        "SPUBLISH other 1",
        "SSUBSCRIBE other",
        "KEYS *",
        "FLUSHALL",
        "CONFIG GET *",
        "FUNCTION DELETE x",
        "FUNCTION FLUSH",
        "EVAL return 0",
        "ACL LIST",
        "SHUTDOWN",
    ] {
        let denied = run(command).await.expect_err(command);
        assert_eq!(denied.code(), Some("NOPERM"), "{command}: {denied}");
    }
}
