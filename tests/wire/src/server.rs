//! The server under test as a child process.

use std::{
    fmt,
    net::SocketAddr,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::{DEADLINE, Error, ErrorKind, Result, error::within};

const ANNOUNCEMENT: &str = "listening on http://";

/// A grandchild that outlives the server may hold the pipes open; the output is then taken as it
/// is.
const LAST_OUTPUT: Duration = Duration::from_secs(5);

/// A running server. It is killed when this is dropped; if that happens in a failing test, its
/// output is printed.
///
/// ```no_run
/// # async fn example() -> wire::Result<()> {
/// let mut command = tokio::process::Command::new("target/debug/posts");
/// command.args(["--listen", "127.0.0.1:0", "--store", "memory:"]);
/// let mut server = wire::Server::spawn(command).await?;
/// let mut connection = wire::Connection::open(server.addr()).await?;
/// connection.send(&wire::Request::new("GET", "/healthz")).await?;
/// server.terminate()?;
/// assert!(server.wait().await?.success(), "{}", server.stderr());
/// # Ok(())
/// # }
/// ```
pub struct Server {
    child: Child,
    addr: SocketAddr,
    stdout: Output,
    stderr: Output,
}

impl Server {
    /// Starts the program and waits until it prints `listening on http://ADDR` on its standard
    /// output. Both outputs are read to their end, so the server never blocks on a full pipe. Takes
    /// tokio's `Command` and the standard library's.
    ///
    /// # Errors
    /// [`Process`](ErrorKind::Process) if it does not start, ends first, or announces no address;
    /// [`Deadline`](ErrorKind::Deadline) if it announces nothing in time. The text has what it
    /// wrote to standard error.
    pub async fn spawn(command: impl Into<Command>) -> Result<Self> {
        let mut command: Command = command.into();
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            Error::io(ErrorKind::Process, &format!("starting {command:?}"), error)
        })?;
        let stderr = Output::drain(child.stderr.take().expect("standard error is piped"));
        let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped"));

        let announced = within(
            DEADLINE,
            "the server's announcement",
            announced_addr(&mut lines),
        )
        .await;
        match announced {
            Ok(addr) => Ok(Self {
                child,
                addr,
                stdout: Output::drain(lines),
                stderr,
            }),
            Err(error) => {
                let _ = child.start_kill();
                let status = child.wait().await;
                let mut stderr = stderr;
                stderr.finish().await;
                let output = stderr.text();
                Err(Error::new(
                    error.kind(),
                    format!("{error}; {status:?}; standard error:\n{output}"),
                ))
            }
        }
    }

    /// The address that the server announced.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What the server has written to its standard error so far; all of it after
    /// [`wait`](Self::wait).
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// What the server has written to its standard output since the announcement.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Kills the server (SIGKILL) and waits until the process is gone. Nothing in it runs any more
    /// when this returns.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub async fn kill9(&mut self) -> Result<ExitStatus> {
        // An error here means that it has ended by itself, which `wait` tells.
        let _ = self.child.start_kill();
        self.wait().await
    }

    /// Asks the server to end (SIGTERM) and does not wait.
    ///
    /// # Errors
    /// [`Process`](ErrorKind::Process) if the process has ended and been waited for, or cannot be
    /// signalled.
    pub fn terminate(&self) -> Result<()> {
        let pid = self
            .child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
            .ok_or_else(|| Error::new(ErrorKind::Process, "the server has ended already"))?;
        kill_process(pid, Signal::TERM)
            .map_err(|error| Error::io(ErrorKind::Process, "sending SIGTERM", error.into()))
    }

    /// Waits until the process has ended, and then until its outputs are read.
    ///
    /// # Errors
    /// [`Deadline`](ErrorKind::Deadline) after [`DEADLINE`]; the server then still runs.
    /// [`Process`](ErrorKind::Process) if waiting fails.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        self.wait_within(DEADLINE).await
    }

    /// As [`wait`](Self::wait) with another deadline, for a server that may drain for longer.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub async fn wait_within(&mut self, limit: Duration) -> Result<ExitStatus> {
        let status = within(limit, "the server's end", async {
            let failed = |error| Error::io(ErrorKind::Process, "waiting for the server", error);
            self.child.wait().await.map_err(failed)
        })
        .await?;
        self.stdout.finish().await;
        self.stderr.finish().await;
        Ok(status)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- standard output of the server\n{}", self.stdout());
            eprintln!("--- standard error of the server\n{}", self.stderr());
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("id", &self.child.id())
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

async fn announced_addr(lines: &mut (impl AsyncBufReadExt + Unpin)) -> Result<SocketAddr> {
    let mut line = String::new();
    loop {
        line.clear();
        let read = lines.read_line(&mut line).await;
        match read {
            Ok(0) => {
                return Err(Error::new(
                    ErrorKind::Process,
                    "the server ended before it listened",
                ));
            }
            Ok(_) => {}
            Err(error) => {
                return Err(Error::io(
                    ErrorKind::Process,
                    "the server's standard output",
                    error,
                ));
            }
        }
        if let Some(addr) = line.trim_end().strip_prefix(ANNOUNCEMENT) {
            let malformed = |_| {
                Error::new(
                    ErrorKind::Process,
                    format!("no address is announced by: {line}"),
                )
            };
            return addr.parse().map_err(malformed);
        }
    }
}

/// A pipe that a task reads to its end.
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Output {
    fn drain(mut pipe: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn({
            let bytes = Arc::clone(&bytes);
            async move {
                let mut piece = [0; 4096];
                while let Ok(length @ 1..) = pipe.read(&mut piece).await {
                    locked(&bytes).extend_from_slice(&piece[..length]);
                }
            }
        });
        Self { bytes, task }
    }

    async fn finish(&mut self) {
        if !self.task.is_finished() {
            let _ = tokio::time::timeout(LAST_OUTPUT, &mut self.task).await;
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&locked(&self.bytes)).into_owned()
    }
}

fn locked(bytes: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner)
}
