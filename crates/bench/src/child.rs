//! Processes that are measured, and that end with whoever holds them.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    child::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    cpus::{self, Role},
    error::{Outcome, failed},
    interrupt,
    procfs::{CpuTime, Memory},
};

/// How long a process may take to be ready.
const START: Duration = Duration::from_secs(20);

/// A running process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) role: Role,
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Process {
    /// Starts one on its role's CPU. What it says on standard error goes to a file of this name.
    pub(crate) fn start(role: Role, name: &str, command: &mut Command, logs: &Path) -> Outcome<Self> {
        fs::create_dir_all(logs)?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(logs.join(format!("{name}.log")))?);
        cpus::pin(role)?;
        let child = command.spawn();
        cpus::pin(Role::Load)?;
        let mut child = child.map_err(|error| failed(format!("{name} does not start: {error}")))?;
        let Some(out) = child.stdout.take() else {
            return Err(failed("no standard output"));
        };
        Ok(Self {
            role,
            child,
            out: BufReader::new(out),
        })
    }

    /// The next line on its standard output.
    pub(crate) fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.out.read_line(&mut line)? == 0 {
            return Err(failed("a process ended while it started; see target/bench/logs"));
        }
        Ok(line.trim_end().to_owned())
    }

    /// The rest of the line that begins so.
    pub(crate) fn line_after(&mut self, begin: &str) -> Outcome<String> {
        loop {
            if let Some(rest) = self.line()?.strip_prefix(begin) {
                return Ok(rest.trim().to_owned());
            }
        }
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn cpu_time(&self) -> CpuTime {
        CpuTime::of(self.pid())
    }

    pub(crate) fn memory(&self) -> Memory {
        Memory::of(self.pid())
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody uses.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until something is true.
pub(crate) fn eventually(what: &str, mut is_true: impl FnMut() -> bool) -> Outcome<()> {
    let end = Instant::now() + START;
    while !is_true() {
        if interrupt::happened() {
            return Err(failed("interrupted"));
        }
        if Instant::now() > end {
            return Err(failed(format!("{what}: waited in vain")));
        }
        pause(Duration::from_millis(20));
    }
    Ok(())
}

/// Does nothing for so long.
#[expect(clippy::disallowed_methods, reason = "no runtime is on this thread")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Whether somebody listens.
pub(crate) fn listens(addr: SocketAddr) -> bool {
    TcpStream::connect(addr).is_ok()
}

/// Whether a GET is answered with 200.
pub(crate) fn is_ok(addr: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
