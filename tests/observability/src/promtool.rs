use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Prometheus' own checker.
#[derive(Debug)]
pub struct Promtool {
    program: PathBuf,
}

/// What it says.
#[derive(Debug)]
pub struct Verdict {
    /// Whether it accepts.
    pub accepted: bool,
    /// All that it prints.
    pub text: String,
}

impl Promtool {
    /// The installed one; `None`, and a line on stderr, where there is none.
    ///
    /// # Panics
    ///
    /// Where there is none while `REQUIRE_SERVICES` is set.
    pub fn installed() -> Option<Self> {
        let program = services::program("promtool");
        if program.is_none() {
            services::not_installed("promtool", "prometheus");
        }
        program.map(|program| Self { program })
    }

    /// `check rules`: are these rules well formed?
    pub fn check_rules(&self, rules: &str) -> Verdict {
        self.on_files(["check", "rules"], &[("alerts.yaml", rules)])
    }

    /// `test rules`: do these rules do what these tests expect? The tests name the rules `alerts.yaml`.
    pub fn test_rules(&self, rules: &str, tests: &str) -> Verdict {
        let files = [("alerts_test.yaml", tests), ("alerts.yaml", rules)];
        self.on_files(["test", "rules"], &files)
    }

    /// `check metrics`: is this text of the format, and does it follow the conventions?
    pub fn check_metrics(&self, exposition: &str) -> Verdict {
        let mut child = self
            .command(["check", "metrics"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("promtool starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        // It says what is wrong when it stops reading early.
        let _ = stdin.write_all(exposition.as_bytes());
        drop(stdin);
        Verdict::of(&child.wait_with_output().expect("promtool ends"))
    }

    /// Is this expression well formed? The versions that Debian has check rules only, so it is made one.
    pub fn check_expression(&self, expression: &str) -> Verdict {
        let rule = serde_json::json!({"record": "checked", "expr": expression});
        let group = serde_json::json!({"name": "checked", "rules": [rule]});
        // JSON is YAML.
        self.check_rules(&serde_json::json!({"groups": [group]}).to_string())
    }

    /// Runs it on the first of these files, in a folder that has them all.
    fn on_files(&self, arguments: [&str; 2], files: &[(&str, &str)]) -> Verdict {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).expect("room for a file");
        }
        let output = self
            .command(arguments)
            .current_dir(folder.path())
            .arg(files[0].0)
            .output();
        Verdict::of(&output.expect("promtool starts"))
    }

    fn command(&self, arguments: [&str; 2]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Verdict {
    fn of(output: &Output) -> Self {
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        Self {
            accepted: output.status.success(),
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }
}
