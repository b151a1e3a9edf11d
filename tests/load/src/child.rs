//! A server's process, as the load holds it.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::serve::Served;

/// A running server, which ends when this is dropped, and with this process however it ends.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: u16,
}

/// What a server has to end by itself.
const PATIENCE: Duration = Duration::from_secs(5);

impl Server {
    /// Starts this program as a server, and waits for its port.
    pub(crate) fn start(served: &Served) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve");
        if let Some(place) = served.place.to_possible_value() {
            command.args(["--place", place.get_name()]);
        }
        if let Some(variant) = served.variant.to_possible_value() {
            command.args(["--variant", variant.get_name()]);
        }
        command.args(["--database", &served.database]);
        command.args(["--connections", &served.connections.to_string()]);
        if let Some(core) = served.core {
            command.args(["--core", &core.to_string()]);
        }
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut server = Self { child, port: 0 };
        let mut line = String::new();
        // The server ends by itself, and the line with it, if it cannot start.
        if let Some(stdout) = server.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let port = line.trim().parse();
        server.port = port.map_err(|_| io::Error::other("the server did not start"))?;
        Ok(server)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How long its threads have run on a processor so far; `None` where the system does not tell.
    pub(crate) fn busy(&self) -> Option<Duration> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let mut nanoseconds = 0;
        for thread in threads {
            let path = thread.ok()?.path().join("schedstat");
            let told = fs::read_to_string(path).ok()?;
            nanoseconds += told.split(' ').next()?.parse::<u64>().ok()?;
        }
        Some(Duration::from_nanos(nanoseconds))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its stdin is what ends it.
        drop(self.child.stdin.take());
        let given_up = Instant::now() + PATIENCE;
        while Instant::now() < given_up {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
