//! How many publishes a second one control plane takes, beside what its Redis does when `redis-benchmark` makes the
//! same call. Nobody listens: there is no edge.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    os::unix::ffi::OsStringExt,
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    cpus::Role,
    error::{Outcome, failed},
    interrupt,
    measure::Measured,
    competitors::{Ground, Peer},
    procfs::CpuTime,
    child::{Process, pause},
    publishers::{Event, Publisher},
    catalogue::{Scenario, Times},
};

/// Measures.
pub(crate) fn measure(ground: &Ground, scenario: &Scenario, peer: Peer, times: Times) -> Outcome<Measured> {
    let deployment = peer.start(ground, &scenario.shape)?;
    let (processes, mut publisher) = (deployment.processes, deployment.publisher);
    let of = |role| processes.iter().filter(move |process| process.role == role);
    let spent = |role| of(role).map(Process::cpu_time).sum::<CpuTime>();
    let mut calls = Calls {
        rooms: u32::try_from(scenario.shape.room_count())?,
        most: u64::from(scenario.under_way),
        pushed: 0,
    };
    let mut measured = Measured::default();
    calls.make(&mut publisher, times.warm_up)?;

    let (before, control_plane, store) = (publisher.done(), spent(Role::FanOut), spent(Role::Store));
    let begin = Instant::now();
    calls.make(&mut publisher, times.closed)?;
    let (wall, done) = (begin.elapsed(), (publisher.done() - before) as f64);
    let (control_plane, store) = (spent(Role::FanOut) - control_plane, spent(Role::Store) - store);
    measured.put("publishes_per_s", done / wall.as_secs_f64());
    measured.put("publishes_per_cpu_s", done / control_plane.seconds());
    measured.put("publishes_per_store_cpu_s", done / store.seconds());

    let addr = deployment
        .store
        .ok_or_else(|| failed("no store to compare with"))?;
    let call = overheard(addr, || calls.make(&mut publisher, Duration::from_millis(20)))?;
    let count = (done as u64).max(1_000);
    let before = spent(Role::Store);
    let rate = benchmark(addr, count, &call, 1)?;
    measured.put("redis_benchmark_per_s", rate);
    measured.put(
        "redis_benchmark_per_store_cpu_s",
        count as f64 / (spent(Role::Store) - before).seconds(),
    );
    measured.put(
        "redis_benchmark_pipelined_per_s",
        benchmark(addr, count, &call, 16)?,
    );
    half_load(
        &mut calls,
        &mut publisher,
        done / wall.as_secs_f64() / 2.0,
        times,
        &mut measured,
    )?;
    measured.faults.unpublished = publisher.failures();
    measured.publish_error = publisher.error();
    Ok(measured)
}

/// The closed loop of calls.
struct Calls {
    rooms: u32,
    most: u64,
    pushed: u64,
}

impl Calls {
    fn push(&mut self, publisher: &mut Publisher) -> Outcome<()> {
        self.pushed += 1;
        let room = u32::try_from(self.pushed % u64::from(self.rooms))?;
        publisher.publish(Event { room, n: self.pushed })
    }

    fn make(&mut self, publisher: &mut Publisher, time: Duration) -> Outcome<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            if interrupt::happened() {
                return Err(failed("interrupted"));
            }
            while self.pushed - publisher.done() < self.most {
                self.push(publisher)?;
            }
            publisher.flush()?;
            pause(Duration::from_micros(200));
        }
        Ok(())
    }
}

/// Publishes at a rate, one after the other at its time, and puts how long after that they were answered.
fn half_load(
    calls: &mut Calls,
    publisher: &mut Publisher,
    rate: f64,
    times: Times,
    measured: &mut Measured,
) -> Outcome<()> {
    let mut latency = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3)?;
    let (begin, first) = (Instant::now(), publisher.done());
    let due = |nth: u64| begin + Duration::from_secs_f64(nth as f64 / rate);
    let (mut sent, mut answered) = (0, 0);
    let count = (rate * times.open.as_secs_f64()) as u64;
    while answered < count {
        if interrupt::happened() {
            return Err(failed("interrupted"));
        }
        let now = Instant::now();
        while sent < count && due(sent) <= now {
            calls.push(publisher)?;
            sent += 1;
        }
        publisher.flush()?;
        // The answers are counted, not told apart: the nth answer is taken for that of the nth call.
        let done = publisher.done() - first;
        for nth in answered..done {
            latency.saturating_record(now.saturating_duration_since(due(nth)).as_nanos() as u64);
        }
        answered = done;
        pause(Duration::from_micros(50));
    }
    for percentile in [50.0, 99.0] {
        let nanoseconds = latency.value_at_percentile(percentile);
        measured.put(&format!("p{percentile:.0}_us_at_50"), nanoseconds as f64 / 1e3);
    }
    Ok(())
}

/// The words of the first FCALL that Redis gets while something is done.
fn overheard(store: SocketAddr, act: impl FnOnce() -> Outcome<()>) -> Outcome<Vec<OsString>> {
    let mut stream = TcpStream::connect(store)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"MONITOR\r\n")?;
    act()?;
    for line in BufReader::new(stream).split(b'\n') {
        let words = words(&line?);
        if words.first().is_some_and(|word| word == "FCALL") {
            return Ok(words);
        }
    }
    Err(failed("Redis got no FCALL"))
}

/// The quoted words of a line of MONITOR.
fn words(line: &[u8]) -> Vec<OsString> {
    let (mut words, mut word): (_, Option<Vec<u8>>) = (vec![], None);
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        match (&mut word, byte) {
            (None, b'"') => word = Some(vec![]),
            (None, _) => {}
            (Some(_), b'"') => words.extend(word.take().map(OsString::from_vec)),
            (Some(word), b'\\') => match bytes.next() {
                Some(b'n') => word.push(b'\n'),
                Some(b'r') => word.push(b'\r'),
                Some(b't') => word.push(b'\t'),
                Some(b'a') => word.push(7),
                Some(b'b') => word.push(8),
                Some(b'x') => {
                    let digits = [bytes.next(), bytes.next()].map(|digit| digit.unwrap_or(b'0'));
                    let byte = str::from_utf8(&digits).map(|digits| u8::from_str_radix(digits, 16));
                    word.extend(byte.into_iter().flatten());
                }
                other => word.extend(other),
            },
            (Some(word), byte) => word.push(byte),
        }
    }
    words
}

/// How many calls a second `redis-benchmark` makes, with 50 connections, each of which has so many calls under way.
fn benchmark(store: SocketAddr, count: u64, call: &[OsString], pipeline: u32) -> Outcome<f64> {
    let output = Command::new("redis-benchmark")
        .args(["-p", &store.port().to_string(), "-n", &count.to_string(), "-q"])
        .args(["-P", &pipeline.to_string()])
        .args(call)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let before = text.rsplit_once(" requests per second").map(|(before, _)| before);
    let rate = before.and_then(|before| before.rsplit([' ', ':']).next()?.parse().ok());
    rate.ok_or_else(|| failed(format!("redis-benchmark: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_monitored_call_are_read_as_they_were() {
        let line = br#"+1.2 [0 127.0.0.1:5] "FCALL" "a\"b\\c" "\x00\xff\n" """#;
        let wanted = [b"FCALL".to_vec(), b"a\"b\\c".to_vec(), vec![0, 255, 10], vec![]];
        assert_eq!(words(line), wanted.map(OsString::from_vec));
        assert!(words(b"+OK").is_empty());
    }
}
