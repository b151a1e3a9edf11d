//! What is counted, for Prometheus. `docs/observability` has alerts and a dashboard for it.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::{Unit, describe_gauge, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// From half a millisecond, which a read from a local file takes, to ten seconds, the longest default wait
/// timeout of a strategy.
const SECONDS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Times lie in a queue until somebody asks for them; where nobody does, that must not grow for ever.
const UPKEEP: Duration = Duration::from_secs(5);

const BUILD_INFO: &str = "posts_build_info";
const START_TIME: &str = "process_start_time_seconds";
const RESIDENT_MEMORY: &str = "process_resident_memory_bytes";
const OPEN_FILES: &str = "process_open_fds";

/// What this process has counted, to be served.
#[derive(Clone, Debug)]
pub struct Telemetry {
    recorder: PrometheusHandle,
}

impl Telemetry {
    /// Counts from now on what any part of this process counts: a recorder is the whole process's, so it
    /// is the program that installs it, and not [`app`](crate::app), of which a test makes several.
    ///
    /// # Errors
    ///
    /// Where the process has a recorder already.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn install() -> Result<Self, String> {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .expect("there are buckets");
        let recorder = builder.install_recorder();
        let recorder = recorder.map_err(|error| format!("metrics cannot be recorded: {error}"))?;
        tower_if_match::describe_metrics();
        describe_process();
        tokio::spawn(keep_up(recorder.clone()));
        Ok(Self { recorder })
    }

    /// All of it, in the text format of Prometheus.
    pub(crate) fn render(&self) -> String {
        measure_process();
        self.recorder.render()
    }
}

async fn keep_up(recorder: PrometheusHandle) {
    let mut moments = tokio::time::interval(UPKEEP);
    loop {
        moments.tick().await;
        recorder.run_upkeep();
    }
}

/// What does not change while the process runs.
fn describe_process() {
    describe_gauge!(BUILD_INFO, "The program that runs, as labels");
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    describe_gauge!(
        START_TIME,
        Unit::Seconds,
        "When the process began, since 1970"
    );
    // A clock before 1970 tells nothing that an alert could use.
    let began = SystemTime::now().duration_since(UNIX_EPOCH);
    gauge!(START_TIME).set(began.unwrap_or_default().as_secs_f64());
    describe_gauge!(
        RESIDENT_MEMORY,
        Unit::Bytes,
        "Memory that the process holds"
    );
    describe_gauge!(OPEN_FILES, Unit::Count, "File descriptors that are open");
}

/// What Linux tells for the price of reading two files; elsewhere it is left out.
fn measure_process() {
    if let Some(bytes) = resident_memory() {
        gauge!(RESIDENT_MEMORY).set(bytes);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        // The one that reads them is not counted.
        let files = u32::try_from(files.count().saturating_sub(1));
        gauge!(OPEN_FILES).set(files.map_or(f64::INFINITY, f64::from));
    }
}

/// In bytes.
fn resident_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}
