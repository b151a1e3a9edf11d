//! The program as a whole: its servers' processes, and what it prints. No times.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_load");

#[test]
fn it_prints_each_variant_of_the_groups_that_it_was_asked_for() {
    let mut command = Command::new(PROGRAM);
    command.args(["--only", "memory-put", "--only", "sqlite-get"]);
    command.args(["--rounds", "2", "--seconds", "0.05", "--connections", "2"]);
    let output = command.arg("--json").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");

    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let variants = |group: usize| {
        let variants = report[group]["variants"].as_array().unwrap().iter();
        variants
            .map(|variant| {
                assert_eq!(variant["rounds"].as_array().unwrap().len(), 2, "{variant}");
                variant["variant"].as_str().unwrap().to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(report.as_array().unwrap().len(), 2);
    assert_eq!(variants(0)[..2], ["bare", "handwritten in the handler"]);
    assert_eq!(variants(0).len(), 6);
    assert_eq!(variants(1)[0], "blind");
}

#[test]
fn a_server_ends_with_its_stdin() {
    let mut command = Command::new(PROGRAM);
    command.args([
        "serve",
        "--place",
        "memory",
        "--variant",
        "ours",
        "--connections",
        "1",
    ]);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut server = pipes.spawn().unwrap();
    let mut port = String::new();
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    stdout.read_line(&mut port).unwrap();
    assert!(port.trim().parse::<u16>().is_ok(), "{port}");
    assert!(server.try_wait().unwrap().is_none());
    drop(server.stdin.take());
    assert!(server.wait().unwrap().success());
}
