//! No server outlives the process that started it, however that ends.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// What a server is known by from outside.
struct Held {
    watcher: Pid,
    data: PathBuf,
}

#[test]
fn a_killed_process_leaves_no_server_behind() {
    let (mut holder, held) = hold();
    for server in &held {
        assert!(!server.processes().is_empty());
    }
    holder.kill().unwrap();
    holder.wait().unwrap();
    for server in &held {
        server.wait_for_the_watcher();
        assert_eq!(server.processes(), []);
        assert!(!server.base().exists());
    }
}

/// The same without the watcher.
#[test]
fn control_without_the_watcher_the_servers_stay() {
    let (mut holder, held) = hold();
    for server in &held {
        kill_process(server.watcher, Signal::KILL).unwrap();
    }
    holder.kill().unwrap();
    holder.wait().unwrap();
    for server in &held {
        server.wait_for_the_watcher();
        let left = server.processes();
        assert!(!left.is_empty());
        assert!(server.base().exists());
        // Not KILL: PostgreSQL's shared memory would stay.
        for process in left {
            let _ = kill_process(process, Signal::QUIT);
        }
        wait_until("the server is gone", || server.processes().is_empty());
        fs::remove_dir_all(server.base()).unwrap();
    }
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    for product in [services::Product::Postgres, services::Product::MariaDb] {
        let Some(server) = product.own().await else {
            continue;
        };
        let held = Held::new(server.process_ids()[0], server.data());
        assert!(!held.processes().is_empty());
        drop(server);
        assert_eq!(held.processes(), []);
        assert!(!held.base().exists());
    }
}

/// A process that holds a server of each installed product.
fn hold() -> (Child, Vec<Held>) {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_hold"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let mut lines = lines.map(|line| line.expect("the holder tells"));
    let mut held = Vec::new();
    let mut line = lines.next();
    while line.as_deref() != Some("all") {
        let server = line.expect("the holder starts its servers");
        let (process, data) = server.split_once(' ').unwrap();
        held.push(Held::new(process.parse().unwrap(), data.into()));
        line = lines.next();
    }
    (holder, held)
}

impl Held {
    fn new(process: u32, data: PathBuf) -> Self {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        let parent = parent.unwrap().trim().parse().unwrap();
        Self {
            watcher: Pid::from_raw(parent).unwrap(),
            data,
        }
    }

    fn base(&self) -> &Path {
        self.data.parent().unwrap()
    }

    /// All processes that work in the data folder, or did before it was removed.
    fn processes(&self) -> Vec<Pid> {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let inside = entries.filter(|entry| {
            let folder = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
            let name = folder.to_string_lossy().into_owned();
            Path::new(name.trim_end_matches(" (deleted)")) == self.data
        });
        inside
            .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
            .collect()
    }

    /// Nobody is left to stop the server then.
    fn wait_for_the_watcher(&self) {
        let status = format!("/proc/{}/status", self.watcher.as_raw_nonzero());
        wait_until("the watcher has ended", || {
            fs::read_to_string(&status).map_or(true, |status| status.contains("State:\tZ"))
        });
    }
}

/// Looks again and again, because another process's end is nothing one can wait for.
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
