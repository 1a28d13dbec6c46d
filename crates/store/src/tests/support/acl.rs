//! The Redis user that `docs/redis-setup.md` documents. The contract runs with its rights, so that the page lists all
//! that are needed.

use super::server::Server;

/// The user's rules on the page, as the arguments of `ACL SETUSER`.
fn rules() -> String {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/redis-setup.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rules = page.lines().find_map(|line| line.strip_prefix("user roomcast "));
    format!("roomcast {}", rules.expect("a line for redis.conf"))
}

pub(crate) async fn add_documented_user(server: &Server) {
    server.run(&format!("ACL SETUSER {}", rules())).await;
}

/// The URL with the documented user's name and password.
pub(crate) fn as_documented_user(url: &str) -> String {
    let rules = rules();
    let password = rules.split(' ').find_map(|rule| rule.strip_prefix('>')).unwrap();
    url.replace("://", &format!("://roomcast:{password}@"))
}
