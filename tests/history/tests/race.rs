//! The race against a register that is right, and against registers that are wrong.
#![cfg(test)]

mod register;

use std::time::Duration;

use history::{Control, Ended, History, Race, RaceError, Verify, ViolationKind};
use register::{Listening, Manner, Register};

/// Smaller than the real one, with as much contention.
fn race(server: &Listening) -> Race {
    Race {
        tasks: 16,
        acknowledged: 1_000,
        ..Race::new(server.addr, [1, 2])
    }
}

async fn history(manner: Manner, change: impl FnOnce(Race) -> Race) -> History {
    let server = Register::new(manner).listen().await;
    let history = change(race(&server)).run().await.unwrap();
    server.kill().await;
    history
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_atomic_register_loses_nothing() {
    let report = history(Manner::Atomic, |race| Race { readers: 2, ..race })
        .await
        .check();
    assert!(report.is_clean(), "{report}");
    let counts = &report.counts;
    assert!((1_000..1_016).contains(&counts.acknowledged), "{report}");
    assert_eq!(
        (counts.lost, counts.forked, counts.unknown),
        (0, 0, 0),
        "{report}"
    );
    assert!(counts.created > 0 && counts.deleted > 0, "{report}");
    // Without contention the race would prove nothing.
    assert!(
        counts.refused[&(412, "stale_version".to_owned())] > 100,
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_naive_register_forks_and_loses() {
    let report = history(Manner::Naive, |race| race).await.check();
    assert!(
        report.has(ViolationKind::Fork) && report.has(ViolationKind::Lost),
        "{report}"
    );
    assert!(
        report.counts.forked > 0 && report.counts.lost > 0,
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_vanish_leave_all_or_nothing() {
    let report = history(Manner::Atomic, |race| Race {
        hang_ups: 0.2,
        ..race
    })
    .await
    .check();
    assert!(report.is_clean(), "{report}");
    let counts = &report.counts;
    assert!(counts.unknown > 100, "{report}");
    assert!(
        (1..counts.unknown).contains(&counts.took_effect),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vanishing_clients_hide_no_fork() {
    let report = history(Manner::Naive, |race| Race {
        hang_ups: 0.2,
        ..race
    })
    .await
    .check();
    assert!(report.has(ViolationKind::Fork), "{report}");
}

/// Kills the server mid-race, lets `restart` change what is stored, and goes on elsewhere to the
/// same goal.
async fn killed_and_continued(
    restart: impl FnOnce(&Register, register::Stored),
) -> history::Report {
    let register = Register::new(Manner::Atomic);
    let server = register.listen().await;
    let control = Control::default();
    let first = race(&server);
    let (run, backup) = tokio::join!(first.run_until(&control), async {
        assert!(control.reached(300).await);
        let backup = register.snapshot();
        assert!(control.reached(500).await);
        server.kill().await;
        backup
    });
    let run = run.unwrap();
    assert_eq!(run.ended, Ended::ServerGone);
    let mut history = run.history;
    restart(&register, backup);

    let server = register.listen().await;
    let second = Race {
        seed: 2,
        ..race(&server)
    };
    let run = second.run_until(&control).await.unwrap();
    assert_eq!(run.ended, Ended::Goal);
    history.extend(run.history);
    let report = Verify { addr: server.addr }
        .run(&mut history)
        .await
        .unwrap();
    server.kill().await;
    assert!(report.counts.acknowledged >= 1_000, "{report}");
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_that_kept_everything_is_clean() {
    let report = killed_and_continued(|_, _| ()).await;
    assert!(report.is_clean(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_that_lost_acknowledged_writes_is_found() {
    let report = killed_and_continued(Register::restore).await;
    assert!(report.counts.lost > 0, "{report}");
}

#[tokio::test]
async fn answers_that_the_contract_does_not_have_are_reported() {
    let report = history(Manner::FailsPatches, |race| Race {
        acknowledged: 100,
        ..race
    })
    .await
    .check();
    assert!(report.has(ViolationKind::UnexpectedAnswer), "{report}");
    assert!(
        report.counts.refused[&(500, "unguarded_write".to_owned())] > 0,
        "{report}"
    );
}

#[tokio::test]
async fn a_race_that_is_stopped_ends() {
    let server = Register::new(Manner::Atomic).listen().await;
    let control = Control::default();
    let race = Race {
        acknowledged: u64::MAX,
        readers: 1,
        ..race(&server)
    };
    let (run, reached) = tokio::join!(race.run_until(&control), async {
        let reached = control.reached(50).await;
        control.stop();
        reached
    });
    assert!(reached);
    assert_eq!(run.unwrap().ended, Ended::Stopped);
    assert!(
        !control.reached(u64::MAX).await,
        "a race that is over reaches nothing more"
    );
}

#[tokio::test]
async fn a_race_without_progress_fails_with_its_counts() {
    let server = Register::new(Manner::Unavailable).listen().await;
    let race = Race {
        deadline: Duration::from_millis(50),
        ..race(&server)
    };
    let error = race.run().await.unwrap_err();
    assert!(
        matches!(
            error,
            RaceError::Unfinished {
                ended: Ended::Deadline,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("refused 503 store_unavailable"),
        "{error}"
    );
}

#[tokio::test]
async fn a_race_against_nobody_fails() {
    let server = Register::new(Manner::Atomic).listen().await;
    let race = race(&server);
    server.kill().await;
    assert!(matches!(
        race.run().await.unwrap_err(),
        RaceError::Unreadable { key: 1, .. }
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_ends_when_so_many_writes_were_attempted() {
    let server = Register::new(Manner::Unavailable).listen().await;
    let race = Race {
        attempted: 100,
        ..race(&server)
    };
    let counts = race.run().await.unwrap().check().counts;
    assert!((100..116).contains(&counts.attempted), "{counts}");
    assert_eq!(counts.acknowledged, 0, "{counts}");
}

/// One register behind two servers, each of which is killed and started again at its address.
async fn two_servers(manner: Manner) -> history::Report {
    let register = Register::new(manner);
    let mut servers = vec![register.listen().await, register.listen().await];
    let control = Control::default();
    let race = Race {
        attempted: 3_000,
        readers: 2,
        hang_ups: 0.1,
        others: vec![servers[1].addr],
        outlives_servers: true,
        ..race(&servers[0])
    };
    let (run, ()) = tokio::join!(race.run_until(&control), async {
        for kill in 1..=4 {
            assert!(control.reached_attempts(kill * 600).await);
            let killed = servers.remove(0);
            let addr = killed.addr;
            killed.kill().await;
            servers.push(register.listen_at(addr).await);
        }
    });
    let run = run.unwrap();
    assert_eq!(run.ended, Ended::Goal);
    let mut history = run.history;
    let addr = servers[0].addr;
    Verify { addr }.run(&mut history).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_over_two_servers_outlives_both() {
    let report = two_servers(Manner::Atomic).await;
    assert!(report.is_clean(), "{report}");
    assert!(report.counts.unknown > 100, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_kills_hide_no_lost_write() {
    let report = two_servers(Manner::Naive).await;
    assert!(
        report.counts.forked > 0 && report.counts.lost > 0,
        "{report}"
    );
}
