//! One run of schemathesis, a program that makes requests of a document and checks the answers against it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How many requests were made and checked.
    pub(crate) cases: u64,
    /// The titles of what was found, with all else that keeps a run from being a success.
    pub(crate) findings: Vec<String>,
    /// What the program printed.
    pub(crate) told: String,
}

/// What to run.
pub(crate) struct Run<'a> {
    /// The document: a URL, or a file.
    pub(crate) document: String,
    /// Where the API is.
    pub(crate) server: String,
    /// How many random requests an operation gets in each phase, at most.
    pub(crate) examples: u32,
    pub(crate) phases: &'a str,
    /// The same seed makes the same requests; none makes others each time.
    pub(crate) seed: Option<u32>,
}

impl Run<'_> {
    /// Runs it with all checks on all operations; `None`, and a line on stderr, where it is not installed.
    pub(crate) async fn outcome(self) -> Option<Outcome> {
        let Some(program) = services::program("schemathesis") else {
            not_installed("schemathesis");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("report.json");
        let configuration = Path::new(env!("CARGO_MANIFEST_DIR")).join(CONFIGURATION);
        let mut command = Command::new(program);
        command
            .current_dir(folder.path())
            .arg("--no-color")
            .arg("--config-file")
            .arg(configuration)
            .args(["run", &self.document, "--url", &self.server])
            .args(["--checks", "all", "--phases", self.phases])
            .args(["--max-examples", &self.examples.to_string()])
            .args(["--generation-database", "none", "--continue-on-failure"])
            .args(["--report", "json", "--report-json-path"])
            .arg(&report);
        if let Some(seed) = self.seed {
            command.args(["--seed", &seed.to_string()]);
        }
        // The server's output is read on this runtime meanwhile.
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = output.await.unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let report = std::fs::read(&report).unwrap_or_else(|error| panic!("{error}: {told}"));
        Some(outcome(
            &serde_json::from_slice(&report).unwrap(),
            output.status.success(),
            told,
        ))
    }
}

/// Where the settings are, from the package's folder.
pub(crate) const CONFIGURATION: &str = "tests/openapi/schemathesis.toml";

fn outcome(report: &Value, succeeded: bool, told: String) -> Outcome {
    let titles = |member: &str| {
        let findings = report[member].as_array().unwrap().iter();
        let title = |finding: &Value| finding["title"].as_str().unwrap_or(member).to_owned();
        findings.map(title).collect::<Vec<_>>()
    };
    let mut findings = titles("failures");
    findings.extend(titles("errors"));
    let operations = &report["operations"];
    if operations["tested"] != operations["total"] {
        findings.push("an operation was left out".to_owned());
    }
    if report["complete"] != true {
        findings.push("the run was not completed".to_owned());
    }
    if report["test_cases"]["errored"] != 0 || report["test_cases"]["without_checks"] != 0 {
        findings.push("a case was not checked".to_owned());
    }
    if !succeeded && findings.is_empty() {
        findings.push("the program says that it failed".to_owned());
    }
    Outcome {
        cases: report["test_cases"]["generated"].as_u64().unwrap(),
        findings,
        told,
    }
}

/// Says that a test is skipped, or panics where it must not be.
pub(crate) fn not_installed(program: &str) {
    services::not_installed(
        program,
        "python3-venv` and `pip install -r examples/posts/tests/openapi/requirements.txt",
    );
}
