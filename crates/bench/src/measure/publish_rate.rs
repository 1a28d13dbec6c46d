//! The publish rate of one control plane, beside the rate of its Redis when `redis-benchmark` makes the same call. There
//! are no edges and no sockets.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use super::redis_benchmark;
use crate::{
    child::ChildProcess,
    competitors::Deployment,
    cpu_pinning::ProcessRole,
    error::BenchResult,
    interrupt,
    measurement::Measurement,
    procfs::CpuTime,
    publishers::{Event, Publisher},
    scenario::PhaseDurations,
    sleep::sleep,
};

/// How often the closed loop checks for responses.
const CLOSED_LOOP_POLL_INTERVAL: Duration = Duration::from_micros(200);
/// How often the open loop checks for responses.
const OPEN_LOOP_POLL_INTERVAL: Duration = Duration::from_micros(50);
/// How long calls are made in order to record one of them.
const RECORDING_WINDOW: Duration = Duration::from_millis(20);
/// The minimum number of calls of `redis-benchmark`.
const MIN_REDIS_CALLS: u64 = 1_000;
/// The number of calls in flight on each connection of `redis-benchmark`, with pipelining.
const PIPELINE: u32 = 16;

/// Measures the publish rate, the rate of `redis-benchmark`, and the latency at half of the publish rate.
pub(super) fn measure(
    deployment: Deployment,
    rooms: usize,
    in_flight: u32,
    durations: PhaseDurations,
) -> BenchResult<Measurement> {
    let redis = deployment.redis.ok_or("no Redis to compare with")?;
    let processes = deployment.processes;
    let mut measurement = Measurement::default();
    let mut load = PublishLoad {
        publisher: deployment.publisher,
        rooms: rooms as u64,
        in_flight: u64::from(in_flight),
        published: 0,
    };
    load.run_closed_loop(durations.warm_up)?;
    let (succeeded, rate) = measure_rate(&mut load, &processes, durations, &mut measurement)?;
    measure_redis(&mut load, &processes, redis, succeeded, &mut measurement)?;
    let latency = load.run_open_loop(rate / 2.0, durations.open_loop)?;
    measurement.put_latency(&[50.0, 99.0], "at_50", &latency);
    measurement.faults.unpublished = load.publisher.failed();
    measurement.publish_error = load.publisher.first_error();
    Ok(measurement)
}

/// Records the rate of the closed loop. Returns the number of successful publishes, and how many these are per second.
fn measure_rate(
    load: &mut PublishLoad,
    processes: &[ChildProcess],
    durations: PhaseDurations,
    measurement: &mut Measurement,
) -> BenchResult<(u64, f64)> {
    let succeeded_before = load.publisher.succeeded();
    let control_plane_before = cpu_time_of(processes, ProcessRole::FanOut);
    let redis_before = cpu_time_of(processes, ProcessRole::Store);
    let begin = Instant::now();
    load.run_closed_loop(durations.closed_loop)?;
    let duration = begin.elapsed();
    let succeeded = load.publisher.succeeded() - succeeded_before;
    let control_plane = cpu_time_of(processes, ProcessRole::FanOut) - control_plane_before;
    let redis = cpu_time_of(processes, ProcessRole::Store) - redis_before;
    let rate = succeeded as f64 / duration.as_secs_f64();
    measurement.put("publishes_per_s", rate);
    measurement.put("publishes_per_cpu_s", succeeded as f64 / control_plane.seconds());
    measurement.put("publishes_per_store_cpu_s", succeeded as f64 / redis.seconds());
    Ok((succeeded, rate))
}

/// Records the rates of `redis-benchmark`, with at least this many calls.
fn measure_redis(
    load: &mut PublishLoad,
    processes: &[ChildProcess],
    redis: SocketAddr,
    calls: u64,
    measurement: &mut Measurement,
) -> BenchResult<()> {
    let call = redis_benchmark::record_call(redis, || load.run_closed_loop(RECORDING_WINDOW))?;
    let calls = calls.max(MIN_REDIS_CALLS);
    let cpu_before = cpu_time_of(processes, ProcessRole::Store);
    let rate = redis_benchmark::run(redis, calls, &call, 1)?;
    let cpu = cpu_time_of(processes, ProcessRole::Store) - cpu_before;
    measurement.put("redis_benchmark_per_s", rate);
    measurement.put("redis_benchmark_per_store_cpu_s", calls as f64 / cpu.seconds());
    let pipelined_rate = redis_benchmark::run(redis, calls, &call, PIPELINE)?;
    measurement.put("redis_benchmark_pipelined_per_s", pipelined_rate);
    Ok(())
}

fn cpu_time_of(processes: &[ChildProcess], role: ProcessRole) -> CpuTime {
    processes
        .iter()
        .filter(|process| process.role == role)
        .map(ChildProcess::cpu_time)
        .sum()
}

/// Publishes in all rooms, one after another.
struct PublishLoad {
    publisher: Publisher,
    rooms: u64,
    /// The number of publishes in flight in the closed loop.
    in_flight: u64,
    published: u64,
}

impl PublishLoad {
    fn publish(&mut self) -> BenchResult<()> {
        self.published += 1;
        self.publisher.publish(Event {
            room: u32::try_from(self.published % self.rooms)?,
            number: self.published,
        });
        Ok(())
    }

    fn run_closed_loop(&mut self, duration: Duration) -> BenchResult<()> {
        let end = Instant::now() + duration;
        while Instant::now() < end {
            interrupt::check()?;
            while self.published - self.publisher.succeeded() < self.in_flight {
                self.publish()?;
            }
            self.publisher.flush()?;
            sleep(CLOSED_LOOP_POLL_INTERVAL);
        }
        Ok(())
    }

    /// Publishes at a rate, in events per second. Returns the latencies in nanoseconds, from the time at which each
    /// publish was due to its response.
    fn run_open_loop(&mut self, rate: f64, duration: Duration) -> BenchResult<Histogram<u64>> {
        let mut latency = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3)?;
        let (begin, succeeded_before) = (Instant::now(), self.publisher.succeeded());
        let due = |index: u64| begin + Duration::from_secs_f64(index as f64 / rate);
        let (mut sent, mut responses) = (0, 0);
        let total = (rate * duration.as_secs_f64()) as u64;
        while responses < total {
            interrupt::check()?;
            let now = Instant::now();
            while sent < total && due(sent) <= now {
                self.publish()?;
                sent += 1;
            }
            self.publisher.flush()?;
            // Responses are only counted, so the nth response is taken as that of the nth call.
            let succeeded = self.publisher.succeeded() - succeeded_before;
            for index in responses..succeeded {
                latency.saturating_record(now.saturating_duration_since(due(index)).as_nanos() as u64);
            }
            responses = succeeded;
            sleep(OPEN_LOOP_POLL_INTERVAL);
        }
        Ok(latency)
    }
}
