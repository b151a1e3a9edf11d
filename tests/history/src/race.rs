//! Many clients that write the same few posts at once.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time::sleep};

use crate::{
    Control, History, Moment, Read, Report, Span, State,
    client::{Client, Failure},
    posts,
    writer::{BETWEEN_LOOKS, Shared, Writer},
};

/// The workload. Each of the `tasks` has a connection of its own and goes on until all of them
/// together have reached one of the goals: it chooses a post, reads it (or keeps the
/// state that the last answer showed), and puts (70 %), patches (15 %), deletes (5 %) or only looks
/// (10 %); a post that is absent it creates.
///
/// The seed determines what a task chooses, not how the tasks interleave.
#[derive(Clone, Debug, PartialEq)]
pub struct Race {
    /// Where the server listens.
    pub addr: SocketAddr,
    /// Where more servers in front of the same store listen. The tasks are spread over all, in
    /// turn, and each stays with its own.
    pub others: Vec<SocketAddr>,
    /// The ids of the posts; they need not exist.
    pub posts: Vec<u64>,
    /// How many tasks write.
    pub tasks: usize,
    /// One goal: so many acknowledged conditional writes.
    pub acknowledged: u64,
    /// The other goal: so many conditional writes, however they end.
    pub attempted: u64,
    /// What the tasks' choices are drawn from.
    pub seed: u64,
    /// How many tasks only read.
    pub readers: usize,
    /// The fraction of writes, from 0 to 1, whose client vanishes, by a reset or a close: a quarter
    /// each within the request, right after it, within 2 ms, and when the answer begins to arrive
    /// (so that the write has had its effect).
    pub hang_ups: f64,
    /// Whether a task waits for a server that is gone, until it is back or the race is over. If not,
    /// the race ends with [`ServerGone`](Ended::ServerGone).
    pub outlives_servers: bool,
    /// How long the tasks may take. Nothing outlives it by more than [`wire::DEADLINE`].
    pub deadline: Duration,
}

/// What a race came to, before the final states are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Everything but the final states, which [`Verify`] adds.
    pub history: History,
    /// Why it ended.
    pub ended: Ended,
}

/// Why a race ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// So many writes were acknowledged, or attempted.
    Goal,
    /// [`Control::stop`] was called.
    Stopped,
    /// No connection came about any more.
    ServerGone,
    /// The time was up.
    Deadline,
}

/// Why a race has no history that can be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RaceError {
    /// It ended before the goal.
    #[error("the race ended before its goal ({ended:?}):\n{}", .history.check().counts)]
    Unfinished {
        /// Why it ended.
        ended: Ended,
        /// What happened until then, without final states.
        history: Box<History>,
    },
    /// The state of a post before or after the race could not be read.
    #[error("reading post {key}: {cause}")]
    Unreadable {
        /// The post's id.
        key: u64,
        /// The failure, or the answer.
        cause: String,
    },
    /// A task panicked.
    #[error("a task of the race failed")]
    Task(#[from] tokio::task::JoinError),
}

impl Race {
    /// One server, 64 tasks, 10,000 acknowledged writes, no readers, no hang-ups, 180 seconds.
    pub fn new(addr: SocketAddr, posts: impl Into<Vec<u64>>) -> Self {
        Self {
            addr,
            others: Vec::new(),
            posts: posts.into(),
            tasks: 64,
            acknowledged: 10_000,
            attempted: u64::MAX,
            seed: 1,
            readers: 0,
            hang_ups: 0.0,
            outlives_servers: false,
            deadline: Duration::from_mins(3),
        }
    }

    /// Runs to the goal and reads the final states.
    ///
    /// # Errors
    /// [`Unfinished`](RaceError::Unfinished) with the counts if the time was up or the server is
    /// gone first; [`Unreadable`](RaceError::Unreadable).
    pub async fn run(&self) -> Result<History, RaceError> {
        let Run { mut history, ended } = self.run_until(&Control::default()).await?;
        if ended != Ended::Goal {
            return Err(RaceError::Unfinished {
                ended,
                history: Box::new(history),
            });
        }
        Verify { addr: self.addr }
            .read_final_states(&mut history)
            .await?;
        Ok(history)
    }

    /// Runs to the goal, or until it is stopped, the time is up, or the server is gone. A
    /// connection that breaks makes the operation on it unknown; it is opened again, and if that
    /// fails the server is gone, for good or, in a race that outlives its servers, for a while.
    ///
    /// # Errors
    /// [`Unreadable`](RaceError::Unreadable) if a post's first state cannot be read;
    /// [`Task`](RaceError::Task).
    pub async fn run_until(&self, control: &Control) -> Result<Run, RaceError> {
        let _running = control.begin();
        let mut history = History::default();
        history.initial =
            read_states(self.addr, self.posts.iter().copied(), &mut history.reads).await?;
        let shared = Arc::new(Shared {
            race: self.clone(),
            control: control.clone(),
            until: Instant::now() + self.deadline,
            gone: OnceLock::new(),
        });

        let mut tasks = JoinSet::new();
        for task in (0u64..).take(self.tasks) {
            tasks.spawn(Writer::new(Arc::clone(&shared), task).write());
        }
        for task in (0u64..).skip(self.tasks).take(self.readers) {
            tasks.spawn(Writer::new(Arc::clone(&shared), task).read());
        }
        while let Some(part) = tasks.join_next().await {
            history.extend(part?);
        }

        let ended = if self.is_reached(control) {
            Ended::Goal
        } else if shared.gone.get().is_some() {
            Ended::ServerGone
        } else if control.is_stopped() {
            Ended::Stopped
        } else {
            Ended::Deadline
        };
        Ok(Run { history, ended })
    }
}

impl Race {
    pub(crate) fn is_reached(&self, control: &Control) -> bool {
        control.acknowledged() >= self.acknowledged || control.attempted() >= self.attempted
    }

    /// The server of a task.
    pub(crate) fn addr_of(&self, task: u64) -> SocketAddr {
        let servers = 1 + self.others.len() as u64;
        match usize::try_from(task % servers) {
            Ok(other @ 1..) => self.others[other - 1],
            _ => self.addr,
        }
    }
}

/// Completes and checks a history after its race, against a server that may have been started again
/// elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verify {
    /// Where the server listens now.
    pub addr: SocketAddr,
}

impl Verify {
    /// Reads the final states and checks the history.
    ///
    /// # Errors
    /// [`Unreadable`](RaceError::Unreadable).
    pub async fn run(&self, history: &mut History) -> Result<Report, RaceError> {
        self.read_final_states(history).await?;
        Ok(history.check())
    }

    /// Reads every post of the history once more. Nobody may write meanwhile.
    ///
    /// # Errors
    /// [`Unreadable`](RaceError::Unreadable).
    pub async fn read_final_states(&self, history: &mut History) -> Result<(), RaceError> {
        let keys: Vec<u64> = history.initial.keys().copied().collect();
        history.finals = read_states(self.addr, keys, &mut history.reads).await?;
        Ok(())
    }
}

async fn read_states(
    addr: SocketAddr,
    keys: impl IntoIterator<Item = u64>,
    reads: &mut Vec<Read>,
) -> Result<BTreeMap<u64, State>, RaceError> {
    let mut client = Client::new(addr);
    let mut states = BTreeMap::new();
    let until = Instant::now() + wire::DEADLINE;
    for key in keys {
        let (began, state) = loop {
            let began = Moment::now();
            let state = read_state(&mut client, key).await;
            match state.map_err(|cause| RaceError::Unreadable { key, cause })? {
                Some(state) => break (began, state),
                None if Instant::now() < until => sleep(BETWEEN_LOOKS).await,
                None => {
                    let cause = "the store is unavailable".to_owned();
                    return Err(RaceError::Unreadable { key, cause });
                }
            }
        };
        reads.push(Read {
            key,
            state: state.clone(),
            span: Span {
                began,
                ended: Moment::now(),
            },
        });
        states.insert(key, state);
    }
    Ok(states)
}

/// Nothing where the store is unavailable.
async fn read_state(client: &mut Client, key: u64) -> Result<Option<State>, String> {
    match client.exchange(&posts::read(key)).await {
        Ok(answer) => posts::state(&answer),
        Err(Failure::Gone(error) | Failure::Unanswered(error)) => Err(error.to_string()),
    }
}
