//! The user that `docs/redis-setup.md` tells operators to make. The contract runs with its rights, so that the page has all that
//! are needed.

use redis::{Client, Cmd, RedisError};

use super::server::{Cluster, Server};

/// What the page says of the user, as `ACL SETUSER` takes it.
fn rules() -> String {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/redis-setup.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rules = page.lines().find_map(|line| line.strip_prefix("user roomcast "));
    format!("roomcast {}", rules.expect("a line for redis.conf"))
}

/// Lets the documented user in, and gives the URL with which it comes.
pub(crate) async fn admit(server: &Server) -> String {
    server.run(&format!("ACL SETUSER {}", rules())).await;
    documented(&server.url())
}

/// The same for each node.
pub(crate) async fn admit_to_all(cluster: &Cluster) -> String {
    for node in &cluster.nodes {
        admit(node).await;
    }
    documented(&cluster.url())
}

/// The URL with the documented user's name and password.
pub(crate) fn documented(url: &str) -> String {
    let rules = rules();
    let password = rules.split(' ').find_map(|word| word.strip_prefix('>')).unwrap();
    url.replace("://", &format!("://roomcast:{password}@"))
}

#[tokio::test]
async fn the_documented_user_reaches_nothing_of_others() {
    let server = Server::start();
    let url = admit(&server).await;
    let client = Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut run = async |words: &str| -> Result<redis::Value, RedisError> {
        let mut command = Cmd::new();
        words.split(' ').for_each(|word| {
            command.arg(word);
        });
        command.query_async(&mut connection).await
    };
    assert!(run("SET rc:{s:s1}:state 1").await.is_ok());
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
        let refused = run(command).await.expect_err(command);
        assert_eq!(refused.code(), Some("NOPERM"), "{command}: {refused}");
    }
}
