//! No proxy outlives the process that started it. What sees to that is `services`', and has its
//! controls there; here it is whether it ends all of a proxy's processes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use proxies::{Proxy, Relay, SetUp};

#[tokio::test]
async fn a_dropped_proxy_is_gone() {
    for proxy in Proxy::ALL {
        let nobody = ([127, 0, 0, 1], 9).into();
        let Some(relay) = Relay::start(proxy, SetUp::Plain, nobody).await else {
            continue;
        };
        let data = relay.data();
        assert_ne!(processes(&data), 0, "{proxy}");
        drop(relay);
        assert_eq!(processes(&data), 0, "{proxy}");
        assert!(!data.exists(), "{proxy}");
    }
}

#[test]
fn a_killed_process_leaves_no_proxy_behind() {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_hold-proxies"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let lines = lines.map(|line| line.expect("the holder tells"));
    let held: Vec<PathBuf> = lines
        .take_while(|line| line != "all")
        .map(PathBuf::from)
        .collect();
    assert!(held.iter().all(|data| processes(data) > 0));
    holder.kill().unwrap();
    holder.wait().unwrap();
    for data in held {
        // Another process's end is nothing one can wait for.
        let deadline = Instant::now() + Duration::from_mins(1);
        while processes(&data) > 0 || data.exists() {
            assert!(Instant::now() < deadline, "{} is held", data.display());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// How many processes work in a folder, or did before it was removed.
fn processes(data: &Path) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let inside = entries.filter(|entry| {
        let folder = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let name = folder.to_string_lossy().into_owned();
        Path::new(name.trim_end_matches(" (deleted)")) == data
    });
    inside.count()
}
