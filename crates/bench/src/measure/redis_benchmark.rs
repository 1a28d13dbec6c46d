//! `redis-benchmark` with the same call that a control plane makes.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    os::unix::ffi::OsStringExt,
    process::Command,
    time::Duration,
};

use crate::error::BenchResult;

/// How long to wait for a call in the output of MONITOR.
const MONITOR_TIMEOUT: Duration = Duration::from_secs(5);

/// Performs an action, and returns the arguments of the first FCALL that Redis receives during it.
pub(super) fn record_call(
    redis: SocketAddr,
    action: impl FnOnce() -> BenchResult<()>,
) -> BenchResult<Vec<OsString>> {
    let mut stream = TcpStream::connect(redis)?;
    stream.set_read_timeout(Some(MONITOR_TIMEOUT))?;
    stream.write_all(b"MONITOR\r\n")?;
    action()?;
    for line in BufReader::new(stream).split(b'\n') {
        let args = parse_monitor_line(&line?);
        if args.first().is_some_and(|command| command == "FCALL") {
            return Ok(args);
        }
    }
    Err("Redis received no FCALL".into())
}

/// Runs `redis-benchmark` with 50 connections, each with this number of calls in flight. Returns the calls per second.
pub(super) fn run(redis: SocketAddr, calls: u64, args: &[OsString], pipeline: u32) -> BenchResult<f64> {
    let output = Command::new("redis-benchmark")
        .args(["-p", &redis.port().to_string(), "-n", &calls.to_string(), "-q"])
        .args(["-P", &pipeline.to_string()])
        .args(args)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let before_unit = text.rsplit_once(" requests per second").map(|(before, _)| before);
    let rate = before_unit.and_then(|text| text.rsplit([' ', ':']).next()?.parse().ok());
    rate.ok_or_else(|| format!("unexpected output of redis-benchmark: {text}").into())
}

/// The quoted arguments of a line of MONITOR, without quotes and escapes.
fn parse_monitor_line(line: &[u8]) -> Vec<OsString> {
    let (mut args, mut arg): (_, Option<Vec<u8>>) = (vec![], None);
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        match (&mut arg, byte) {
            (None, b'"') => arg = Some(vec![]),
            (None, _) => {}
            (Some(_), b'"') => args.extend(arg.take().map(OsString::from_vec)),
            (Some(arg), b'\\') => match bytes.next() {
                Some(b'n') => arg.push(b'\n'),
                Some(b'r') => arg.push(b'\r'),
                Some(b't') => arg.push(b'\t'),
                Some(b'a') => arg.push(7),
                Some(b'b') => arg.push(8),
                Some(b'x') => {
                    let digits = [bytes.next(), bytes.next()].map(|digit| digit.unwrap_or(b'0'));
                    let byte = str::from_utf8(&digits).map(|digits| u8::from_str_radix(digits, 16));
                    arg.extend(byte.into_iter().flatten());
                }
                other => arg.extend(other),
            },
            (Some(arg), byte) => arg.push(byte),
        }
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_a_monitored_call_are_unescaped() {
        let line = br#"+1.2 [0 127.0.0.1:5] "FCALL" "a\"b\\c" "\x00\xff\n" """#;
        let expected = [b"FCALL".to_vec(), b"a\"b\\c".to_vec(), vec![0, 255, 10], vec![]];
        assert_eq!(parse_monitor_line(line), expected.map(OsString::from_vec));
        assert!(parse_monitor_line(b"+OK").is_empty());
    }
}
