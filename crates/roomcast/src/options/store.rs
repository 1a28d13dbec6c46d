//! What the store keeps, and where.

use std::time::Duration;

use clap::Args;
use roomcast_core::Millis;
use roomcast_runtime::config::{ConfigError, values};
use roomcast_store::{Bounds, RedisConfig, RedisUrl};

#[derive(Debug, Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreOptions {
    /// How many events a room's log keeps
    #[arg(long, env = "ROOMCAST_LOG_ENTRIES", default_value = "1000", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) log_entries: u64,
    /// How long a room's log keeps an event, and a request id is remembered
    #[arg(long, env = "ROOMCAST_LOG_RETENTION", default_value = "24h", value_parser = values::duration)]
    pub(crate) log_retention: Duration,
    /// How long a session outlives its last change; at least --log-retention
    #[arg(long, env = "ROOMCAST_STATE_RETENTION", default_value = "30d", value_parser = values::duration)]
    pub(crate) state_retention: Duration,
    /// The largest payload of an event as JSON, in bytes (64KiB)
    #[arg(long, env = "ROOMCAST_MAX_PAYLOAD", default_value = "64KiB", value_parser = values::bytes)]
    pub(crate) max_payload: usize,
    /// What the names of all keys in Redis begin with
    #[arg(long, env = "ROOMCAST_REDIS_PREFIX", default_value = "rc")]
    pub(crate) redis_prefix: String,
}

impl StoreOptions {
    pub(crate) fn bounds(&self) -> Result<Bounds, ConfigError> {
        let bounds = Bounds {
            log_entries: self.log_entries,
            log_retention: millis("--log-retention", self.log_retention)?,
            state_retention: millis("--state-retention", self.state_retention)?,
            max_payload: self.max_payload,
        };
        if bounds.state_retention < bounds.log_retention {
            let value = format!("{}s", self.state_retention.as_secs());
            return Err(ConfigError::new(
                "--state-retention",
                value,
                "is shorter than --log-retention",
            ));
        }
        Ok(bounds)
    }

    pub(crate) fn redis(&self, url: RedisUrl) -> Result<RedisConfig, ConfigError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        if self.redis_prefix.is_empty() || !self.redis_prefix.bytes().all(plain) {
            let reason = "must be of A-Z a-z 0-9 . _ : -";
            return Err(ConfigError::new("--redis-prefix", &self.redis_prefix, reason));
        }
        Ok(RedisConfig {
            url,
            prefix: self.redis_prefix.clone(),
            bounds: self.bounds()?,
        })
    }
}

fn millis(flag: &str, time: Duration) -> Result<Millis, ConfigError> {
    // A hundred years: what Redis and clocks take without ado.
    const MOST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    match Millis::try_from(time.as_millis()) {
        Ok(millis) if millis > 0 && time <= MOST => Ok(millis),
        Ok(_) | Err(_) => Err(ConfigError::new(
            flag,
            format!("{}s", time.as_secs()),
            "must be from 1ms to 36500d",
        )),
    }
}
