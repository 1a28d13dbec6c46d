//! Child processes, which end when their handle is dropped.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::{
    cpu_pinning::{self, ProcessRole},
    error::BenchResult,
    procfs::{CpuTime, MemoryUsage},
};

/// A running child process.
#[derive(Debug)]
pub(crate) struct ChildProcess {
    pub(crate) role: ProcessRole,
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl ChildProcess {
    /// Starts a process on the CPU of its role. Its standard error goes to the file `NAME.log` in `logs`.
    pub(crate) fn start(
        role: ProcessRole,
        name: &str,
        command: &mut Command,
        logs: &Path,
    ) -> BenchResult<Self> {
        fs::create_dir_all(logs)?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(logs.join(format!("{name}.log")))?);
        cpu_pinning::pin(role)?;
        let child = command.spawn();
        cpu_pinning::pin(ProcessRole::Load)?;
        let mut child = child.map_err(|error| format!("could not start {name}: {error}"))?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        Ok(Self {
            role,
            child,
            stdout: BufReader::new(stdout),
        })
    }

    /// Reads standard output up to the first line with this prefix, and returns the rest of that line.
    pub(crate) fn line_after(&mut self, prefix: &str) -> BenchResult<String> {
        loop {
            if let Some(rest) = self.next_line()?.strip_prefix(prefix) {
                return Ok(rest.trim().to_owned());
            }
        }
    }

    fn next_line(&mut self) -> BenchResult<String> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            return Err("a process ended during its start; see target/bench/logs".into());
        }
        Ok(line.trim_end().to_owned())
    }

    pub(crate) fn cpu_time(&self) -> CpuTime {
        CpuTime::of_process(self.child.id())
    }

    pub(crate) fn memory(&self) -> MemoryUsage {
        MemoryUsage::of_process(self.child.id())
    }

    /// Kills the process (SIGKILL) and waits for its end.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill(); // fails only if the process has already ended
        let _ = self.child.wait(); // the exit status of a killed process means nothing
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
