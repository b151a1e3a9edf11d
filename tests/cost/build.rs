//! Tells the program what built it: the instructions of a request are comparable only between builds of one
//! compiler, target and profile.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let of_cargo = |name: &str| std::env::var(name).unwrap_or_default();
    let version = Command::new(of_cargo("RUSTC")).arg("--version").output();
    let version = version.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    println!("cargo::rustc-env=COST_RUSTC={version}");
    println!("cargo::rustc-env=COST_TARGET={}", of_cargo("TARGET"));
    println!("cargo::rustc-env=COST_PROFILE={}", of_cargo("PROFILE"));
}
