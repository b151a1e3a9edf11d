//! The runner against shell scripts in the server's place.
#![cfg(all(test, unix))]

use std::os::unix::process::ExitStatusExt;

use tokio::process::Command;
use wire::{ErrorKind, Server};

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .stdin(std::process::Stdio::piped());
    command
}

#[tokio::test]
async fn the_announced_address_is_found_among_other_lines() {
    let script =
        "echo starting; echo listening on http://127.0.0.1:4711; echo served; echo trouble >&2";
    let mut server = Server::spawn(shell(script)).await.unwrap();
    assert_eq!(server.addr(), "127.0.0.1:4711".parse().unwrap());
    assert!(server.wait().await.unwrap().success());
    assert_eq!(server.stderr(), "trouble\n");
    assert_eq!(server.stdout(), "served\n");
    assert_eq!(server.terminate().unwrap_err().kind(), ErrorKind::Process);
}

#[tokio::test]
async fn a_server_that_does_not_start_tells_why() {
    let error = Server::spawn(shell("echo no such store >&2; exit 1"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Process);
    assert!(error.to_string().contains("no such store"), "{error}");

    let error = Server::spawn(shell("echo listening on http://here"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Process);

    let error = Server::spawn(Command::new("./no/such/program"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Process);
}

#[tokio::test]
async fn terminate_lets_the_server_end_in_its_own_way() {
    let script = "trap 'exit 7' TERM; echo listening on http://127.0.0.1:1; read line";
    let mut server = Server::spawn(shell(script)).await.unwrap();
    server.terminate().unwrap();
    assert_eq!(server.wait().await.unwrap().code(), Some(7));
}

#[tokio::test]
async fn kill9_does_not() {
    let script = "trap 'exit 7' TERM; echo listening on http://127.0.0.1:1; read line";
    let mut server = Server::spawn(shell(script)).await.unwrap();
    assert_eq!(server.kill9().await.unwrap().signal(), Some(9));
}

#[tokio::test]
async fn much_output_does_not_block_the_server() {
    // 64 KiB is what a pipe holds.
    let script = "echo listening on http://127.0.0.1:1; \
        i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123 >&2; i=$((i+1)); done";
    let mut server = Server::spawn(shell(script)).await.unwrap();
    assert!(server.wait().await.unwrap().success());
    assert_eq!(server.stderr().len(), 3000 * 65);
}

#[tokio::test]
async fn dropping_kills() {
    // The process holds the other end of its standard input: that end closes with the process.
    let mut command = shell("echo listening on http://127.0.0.1:1; read line");
    let (theirs, ours) = std::os::unix::net::UnixStream::pair().unwrap();
    command.stdin(std::process::Stdio::from(std::os::fd::OwnedFd::from(
        theirs,
    )));
    let server = Server::spawn(command).await.unwrap();
    ours.set_nonblocking(true).unwrap();
    let ours = tokio::net::UnixStream::from_std(ours).unwrap();
    drop(server);
    let closed = async {
        loop {
            ours.readable().await.unwrap();
            match ours.try_read(&mut [0; 1]) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                other => break other.unwrap_or(0),
            }
        }
    };
    assert_eq!(
        tokio::time::timeout(wire::DEADLINE, closed).await.unwrap(),
        0
    );
}
