//! The migrations are compiled in; a new one has to start a build.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
