//! The options of the store: what it retains, and its location in Redis.

use std::time::Duration;

use clap::Args;
use roomcast_core::Millis;
use roomcast_runtime::config::{ConfigError, values};
use roomcast_store::{RedisConfig, RedisUrl, StoreLimits};

use super::size;

/// The maximum retention. A hundred years are safe for the arithmetic of Redis and of clocks.
const MAX_RETENTION: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

#[derive(Debug, Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreOptions {
    /// Maximum number of events in the log of a room; from 1 to 1000000
    #[arg(long, env = "ROOMCAST_LOG_ENTRIES", value_name = "COUNT", default_value = "1000", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) log_entries: u64,
    /// How long an event stays in the log of its room, and how long a request id is remembered (30m, 24h, 7d)
    #[arg(long, env = "ROOMCAST_LOG_RETENTION", value_name = "TIME", default_value = "24h", value_parser = retention)]
    pub(crate) log_retention: Millis,
    /// How long a session is kept after its last change; at least --log-retention
    #[arg(long, env = "ROOMCAST_STATE_RETENTION", value_name = "TIME", default_value = "30d", value_parser = retention)]
    pub(crate) state_retention: Millis,
    /// Maximum size of an event's payload as JSON in bytes, such as 65536 or 64KiB; from 1KiB to 1MiB. The --outbound-cap of
    /// the edges must be several times as large
    #[arg(long, env = "ROOMCAST_MAX_PAYLOAD", value_name = "SIZE", default_value = "64KiB", value_parser = payload_size)]
    pub(crate) max_payload: usize,
    /// Prefix of all keys in Redis; deployments that share a Redis need different prefixes
    #[arg(long, env = "ROOMCAST_REDIS_PREFIX", value_name = "PREFIX", default_value = "rc", value_parser = prefix)]
    pub(crate) redis_prefix: String,
    /// How many Redis replicas must confirm a change before the call returns OK; from 0 to 16. If too few confirm it, the
    /// call returns UNAVAILABLE and is safe to retry with the same request id. A change that only the primary has is lost
    /// when a replica is promoted
    #[arg(long, env = "ROOMCAST_REDIS_REPLICAS", value_name = "COUNT", default_value = "0", value_parser = clap::value_parser!(u32).range(0..=16))]
    pub(crate) redis_replicas: u32,
}

impl StoreOptions {
    pub(crate) fn limits(&self) -> Result<StoreLimits, ConfigError> {
        if self.state_retention < self.log_retention {
            let value = format!("{}ms", self.state_retention);
            return Err(ConfigError::new(
                "--state-retention",
                value,
                "must not be shorter than --log-retention",
            ));
        }
        Ok(StoreLimits {
            log_entries: self.log_entries,
            log_retention: self.log_retention,
            state_retention: self.state_retention,
            max_payload: self.max_payload,
        })
    }

    pub(crate) fn redis(&self, url: RedisUrl) -> Result<RedisConfig, ConfigError> {
        Ok(RedisConfig {
            url,
            prefix: self.redis_prefix.clone(),
            limits: self.limits()?,
            replicas: self.redis_replicas,
        })
    }
}

fn retention(text: &str) -> Result<Millis, String> {
    let time = values::duration(text)?;
    if time.is_zero() || time > MAX_RETENTION {
        return Err("must be from 1ms to 36500d".to_owned());
    }
    Millis::try_from(time.as_millis()).map_err(|error| error.to_string())
}

fn payload_size(text: &str) -> Result<usize, String> {
    size(text, &(1024..=1024 * 1024))
}

/// Braces are not allowed, because Redis Cluster chooses the slot of a key by the text in braces.
fn prefix(text: &str) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(is_allowed) {
        return Ok(text.to_owned());
    }
    Err("must be 1 to 64 characters of A-Z a-z 0-9 . _ : -".to_owned())
}

#[cfg(test)]
mod tests {
    use roomcast_core::limits;

    use super::*;

    #[test]
    fn the_defaults_of_the_options_are_those_of_the_core() {
        assert_eq!(retention("24h"), Ok(limits::DEFAULT_LOG_RETENTION));
        assert_eq!(retention("30d"), Ok(limits::DEFAULT_STATE_RETENTION));
        assert_eq!(payload_size("64KiB"), Ok(limits::DEFAULT_MAX_PAYLOAD_BYTES));
        assert_eq!(limits::DEFAULT_LOG_ENTRIES, 1_000);
    }

    #[test]
    fn a_retention_is_greater_than_zero_and_limited() {
        for text in ["0s", "36501d", "18446744073709551615ms"] {
            assert_eq!(
                retention(text).unwrap_err(),
                "must be from 1ms to 36500d",
                "{text}"
            );
        }
    }
}
