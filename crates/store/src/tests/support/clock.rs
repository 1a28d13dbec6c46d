//! A clock that a test moves. For Redis the test loads the library with another source of time, and ages the keys
//! itself, so that no assertion depends on how fast the test runs. The released library has no such hook.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use redis::aio::MultiplexedConnection;
use roomcast_core::Millis;

use crate::redis::library::{Library, SOURCE};

/// When a test begins: milliseconds since the Unix epoch.
pub(crate) const START: Millis = 1_700_000_000_000;

/// What the library reads the time with.
const SERVER_TIME: &str = "redis.call('TIME')";

/// The clock of a store under test.
pub(crate) enum TestClock {
    /// The clock is that of the machine and cannot be moved.
    Real,
    Memory(Arc<AtomicI64>),
    Redis {
        library: Library,
        /// The prefix of the keys to age.
        prefix: String,
    },
}

/// The released library with a clock that does not move until the test moves it. Each prefix has its own clock.
pub(crate) fn library_with_clock(prefix: &str) -> Library {
    assert_eq!(
        SOURCE.matches(SERVER_TIME).count(),
        1,
        "the library reads the server's clock in one place"
    );
    let source = SOURCE.replace(SERVER_TIME, "test_time()");
    Library::from_source(&format!(
        "-- For the test with the prefix {prefix}.
local test_now = {START}
local function test_time()
  return {{ math.floor(test_now / 1000), test_now % 1000 * 1000 }}
end
{source}
register('advance_test_clock', function(_, args) test_now = test_now + args[1] end, {{}})
"
    ))
}

impl TestClock {
    /// Lets time pass, for a store on these servers.
    pub(crate) async fn advance(&self, millis: Millis, servers: &mut [MultiplexedConnection]) {
        match self {
            Self::Real => panic!("only a subject with a clock can let time pass"),
            Self::Memory(now) => {
                now.fetch_add(millis, Ordering::Relaxed);
            }
            Self::Redis { library, prefix } => {
                let advance = library.call("advance_test_clock", &[], &[millis.to_string()]);
                for server in servers {
                    let _: redis::Value = advance.query_async(server).await.unwrap();
                    age_keys(server, prefix, millis).await;
                }
            }
        }
    }
}

/// Makes the keys of one server expire earlier, as if the time had passed.
async fn age_keys(server: &mut MultiplexedConnection, prefix: &str, millis: Millis) {
    let pattern = format!("{prefix}:{{*");
    let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query_async(server).await.unwrap();
    for key in keys {
        let left: Millis = redis::cmd("PTTL").arg(&key).query_async(server).await.unwrap();
        assert!(left > 0, "{key} has no expiry");
        let mut age = match left - millis {
            1.. => redis::cmd("PEXPIRE"),
            _ => redis::cmd("DEL"),
        };
        age.arg(&key);
        if left > millis {
            age.arg(left - millis);
        }
        let _: redis::Value = age.query_async(server).await.unwrap();
    }
}
