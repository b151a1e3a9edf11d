//! One cell's race, with its kills.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use history::{Control, Ended, Race, Report, Run, Verify, ViolationKind};
use wire::Server;

use crate::cell::{Cell, Store};
use crate::store::Backend;

/// The posts that all clients write: few, so that nearly every write has a rival.
const POSTS: [u64; 4] = [1, 2, 3, 4];

/// What a cell is put through.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The program that serves, and the arguments that make it do so.
    pub server: Program,
    /// How many conditional writes are attempted.
    pub attempts: u64,
    /// How often something is killed, spread evenly over the race. Where the store is in the
    /// server's own memory, never.
    pub kills: u64,
    /// How many clients write.
    pub clients: usize,
    /// The fraction of writes whose client hangs up.
    pub hang_ups: f64,
    /// Takes the protection away: the negative control.
    pub unprotected: bool,
    /// More arguments for the servers.
    pub more: Vec<String>,
    /// How long the race may take.
    pub deadline: Duration,
    /// What the clients' choices are drawn from.
    pub seed: u64,
}

/// A program with its first arguments.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// What stands before the server's own arguments.
    pub arguments: Vec<String>,
}

/// What a cell came to.
#[derive(Debug)]
pub struct Row {
    /// The cell.
    pub cell: Cell,
    /// How often something was killed.
    pub kills: u64,
    /// How long the race took.
    pub took: Duration,
    /// What the checker says.
    pub report: Report,
}

impl Campaign {
    /// 64 clients, four readers, 15 % hang-ups, protected.
    pub fn new(server: Program, attempts: u64, kills: u64) -> Self {
        Self {
            server,
            attempts,
            kills,
            clients: 64,
            hang_ups: 0.15,
            unprotected: false,
            more: Vec::new(),
            deadline: Duration::from_hours(1),
            seed: 1,
        }
    }

    /// Runs the race in a cell and checks its history; `None` where the database is not installed,
    /// which has been printed.
    ///
    /// `progress` is told what happens.
    ///
    /// # Errors
    ///
    /// One line for people: the cell could not run.
    pub async fn run(&self, cell: Cell, progress: impl Fn(&str)) -> Result<Option<Row>, String> {
        let Some(backend) = Backend::start(cell.store).await? else {
            return Ok(None);
        };
        let processes = match cell.store {
            Store::Memory => 1,
            Store::Sqlite | Store::Server(_) => 2,
        };
        let mut servers = Vec::new();
        for _ in 0..processes {
            servers.push(self.spawn(cell, &backend, free_port()).await?);
        }
        let (first, others) = servers.split_first().ok_or("no server")?;
        let race = Race {
            others: others.iter().map(Server::addr).collect(),
            tasks: self.clients,
            acknowledged: u64::MAX,
            attempted: self.attempts,
            seed: self.seed,
            readers: 4,
            hang_ups: self.hang_ups,
            outlives_servers: true,
            deadline: self.deadline,
            ..Race::new(first.addr(), POSTS)
        };
        let control = Control::default();
        let began = Instant::now();
        let (run, kills) = tokio::join!(
            race.run_until(&control),
            self.kill(cell, &backend, &mut servers, &control, &progress)
        );
        let took = began.elapsed();
        let text = |error: history::RaceError| {
            let log = servers.iter().map(Server::stderr).collect::<String>();
            format!("{error}; the servers wrote:\n{log}")
        };
        let Run { mut history, ended } = run.map_err(text)?;
        let kills = kills?;
        if ended != Ended::Goal {
            return Err(format!(
                "the race ended before its goal ({ended:?}):\n{}",
                history.check().counts
            ));
        }
        let addr = race.addr;
        let report = Verify { addr }.run(&mut history).await.map_err(text)?;
        Ok(Some(Row {
            cell,
            kills,
            took,
            report,
        }))
    }

    /// Kills the servers in turn, and after each round the database where there is one, and starts
    /// what it killed again. Returns how often it did.
    async fn kill(
        &self,
        cell: Cell,
        backend: &Backend,
        servers: &mut [Server],
        control: &Control,
        progress: &impl Fn(&str),
    ) -> Result<u64, String> {
        let kills = match cell.store {
            Store::Memory => 0,
            Store::Sqlite | Store::Server(_) => self.kills,
        };
        let victims = servers.len() + usize::from(backend.database().is_some());
        let turns = (0..victims).cycle();
        for (kill, victim) in (1..=kills).zip(turns) {
            let attempts = self.attempts * kill / (kills + 1);
            if !control.reached_attempts(attempts).await {
                return Ok(kill - 1);
            }
            match (servers.get_mut(victim), backend.database()) {
                (Some(server), _) => {
                    progress(&format!("{attempts} attempts: server {victim} is killed"));
                    server.kill9().await.map_err(|error| error.to_string())?;
                    *server = self.spawn(cell, backend, server.addr()).await?;
                }
                (None, Some(database)) => {
                    progress(&format!("{attempts} attempts: the database is killed"));
                    database.kill9().await;
                    database.start_again().await;
                }
                (None, None) => {}
            }
        }
        Ok(kills)
    }

    async fn spawn(
        &self,
        cell: Cell,
        backend: &Backend,
        addr: SocketAddr,
    ) -> Result<Server, String> {
        let mut command = Command::new(&self.server.path);
        command
            .args(&self.server.arguments)
            .args(["--store", backend.url()])
            .args(["--strategy", &cell.strategy.to_string()])
            .args(["--listen", &addr.to_string()])
            .args(self.unprotected.then_some("--unprotected"))
            .args(&self.more);
        let spawned = Server::spawn(command).await;
        spawned.map_err(|error| error.to_string())
    }
}

impl Row {
    /// Acknowledged writes that were overwritten by one that did not know them, or vanished.
    pub fn lost(&self) -> usize {
        self.report.counts.lost
    }

    /// Versions with more than one successor.
    pub fn forked(&self) -> usize {
        self.report.counts.forked
    }

    /// Writes whose outcome is unknown: without an answer, or with one that says so.
    pub fn unknown(&self) -> usize {
        self.report.counts.unknown + self.said_unknown()
    }

    /// Writes that were refused, and changed nothing.
    pub fn refused(&self) -> usize {
        let refused: usize = self.report.counts.refused.values().sum();
        refused - self.said_unknown()
    }

    /// Everything else that cannot have happened.
    pub fn other_violations(&self) -> usize {
        let other = self.report.violations.iter().filter(|violation| {
            !matches!(violation.kind, ViolationKind::Fork | ViolationKind::Lost)
        });
        other.count()
    }

    fn said_unknown(&self) -> usize {
        let refused = self.report.counts.refused.iter();
        let said = refused.filter(|((_, reason), _)| reason == "outcome_unknown");
        said.map(|(_, count)| count).sum()
    }
}

/// A port below those that the system gives to outgoing connections, so that none of the clients that
/// wait for a killed server takes its port.
fn free_port() -> SocketAddr {
    let addrs = std::iter::repeat_with(|| {
        SocketAddr::from((Ipv4Addr::LOCALHOST, rand::random_range(15_000..32_000)))
    });
    let mut free = addrs
        .take(1_000)
        .filter(|addr| TcpListener::bind(addr).is_ok());
    free.next().expect("a free port")
}
