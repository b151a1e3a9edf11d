//! Many simulations, and what they came to.

use std::collections::HashSet;
use std::env;
use std::fmt;
use std::ops::Range;

use crate::history::{Answer, Call, History};
use crate::register::{Search, is_linearizable};
use crate::simulation::{Outcome, Setup, simulate};

/// How many seeds are simulated where no variable says otherwise. Every control is found within as
/// many.
pub const SEEDS: u64 = 200;

/// Simulates as many seeds as the variable `SIMULATION_SEEDS` says, or [`SEEDS`], or the one that
/// `SIMULATION_SEED` names, and prints what happened.
///
/// # Panics
/// If a history is not linearizable, or if something that can happen to the set-up did not, so that
/// nothing would be proven of it.
pub fn prove(setup: Setup) {
    let number = |name| env::var(name).ok().map(|text| text.parse().unwrap());
    let seeds = match number("SIMULATION_SEED") {
        Some(one) => one..one + 1,
        None => 0..number("SIMULATION_SEEDS").unwrap_or(SEEDS),
    };
    let enough = seeds.end - seeds.start >= SEEDS;
    let report = check(setup, seeds);
    println!("{report}");
    assert!(report.violation.is_none(), "{report}");
    let missing = report.counts.missing(setup);
    assert!(!enough || missing.is_empty(), "{missing:?} did not happen");
}

/// What was simulated, and the first history that is not linearizable.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was simulated.
    pub setup: Setup,
    /// What happened.
    pub counts: Counts,
    /// The first seed whose history is not linearizable.
    pub violation: Option<Violation>,
}

/// A history that is not linearizable.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The seed that it comes from.
    pub seed: u64,
    /// The history of the register.
    pub history: History,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Simulations.
    pub simulations: u64,
    /// Histories: one for each register.
    pub histories: u64,
    /// Calls.
    pub operations: u64,
    /// Reads that were answered.
    pub reads: u64,
    /// Writes and deletes that took effect.
    pub writes: u64,
    /// 412, and 404 to a delete.
    pub refusals: u64,
    /// 503 where nothing was written.
    pub unavailable: u64,
    /// Calls without an answer, or with 503 `outcome_unknown`.
    pub unknown: u64,
    /// Those with 503 `outcome_unknown`.
    pub outcomes_unknown: u64,
    /// Unknown writes whose value was read later.
    pub took_effect: u64,
    /// Writes that passed the layer's check and then lost in the store.
    pub lost: u64,
    /// Clients that did not wait.
    pub hang_ups: u64,
    /// Crashes of a server.
    pub server_crashes: u64,
    /// Crashes of the database.
    pub database_crashes: u64,
    /// Links that held messages.
    pub holds: u64,
    /// Links that lost messages.
    pub partitions: u64,
}

/// Simulates every seed, until a history is not linearizable.
pub fn check(setup: Setup, seeds: Range<u64>) -> Report {
    let mut counts = Counts::default();
    let mut violation = None;
    for seed in seeds {
        let outcome = simulate(setup, seed);
        counts.add(&outcome);
        let history = &outcome.history;
        let broken = history
            .registers()
            .into_iter()
            .find(|register| !is_linearizable(history, *register, Search::Remembering));
        if let Some(register) = broken {
            let events = history.events.iter();
            let events = events.filter(|event| event.register == register);
            violation = Some(Violation {
                seed,
                history: History {
                    events: events.copied().collect(),
                },
            });
            break;
        }
    }
    Report {
        setup,
        counts,
        violation,
    }
}

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        self.simulations += 1;
        self.histories += outcome.history.registers().len() as u64;
        for operation in outcome.history.operations() {
            self.operations += 1;
            *match operation.answer {
                Answer::Shown(_) => &mut self.reads,
                Answer::Written(_) | Answer::Deleted => &mut self.writes,
                Answer::Refused(_) | Answer::Raced | Answer::Absent => &mut self.refusals,
                Answer::Unavailable => &mut self.unavailable,
                Answer::Unknown => &mut self.unknown,
            } += 1;
        }
        self.took_effect += took_effect(&outcome.history);
        self.outcomes_unknown += outcome.outcomes_unknown;
        self.lost += outcome.lost;
        self.hang_ups += outcome.hang_ups;
        self.server_crashes += outcome.faults.server_crashes;
        self.database_crashes += outcome.faults.database_crashes;
        self.holds += outcome.faults.holds;
        self.partitions += outcome.faults.partitions;
    }

    /// What can happen and did not.
    fn missing(&self, setup: Setup) -> Vec<&'static str> {
        let everywhere = [
            ("reads", self.reads),
            ("writes", self.writes),
            ("refusals", self.refusals),
            ("unknown", self.unknown),
            ("unknown that took effect", self.took_effect),
            ("lost in the store", self.lost),
            ("hang-ups", self.hang_ups),
            ("server crashes", self.server_crashes),
            ("links held", self.holds),
            ("links cut", self.partitions),
        ];
        let with_database = [
            ("unavailable", self.unavailable),
            ("outcome unknown", self.outcomes_unknown),
            ("database crashes", self.database_crashes),
        ];
        let with_database = with_database
            .into_iter()
            .filter(|_| matches!(setup, Setup::Database(_)));
        let all = everywhere.into_iter().chain(with_database);
        all.filter(|(_, count)| *count == 0)
            .map(|(what, _)| what)
            .collect()
    }
}

fn took_effect(history: &History) -> u64 {
    let operations = history.operations();
    let shown: HashSet<_> = operations
        .iter()
        .filter_map(|operation| match operation.answer {
            Answer::Shown(Some((_, value))) => Some(value),
            _ => None,
        })
        .collect();
    let unknown = operations.iter().filter(|operation| {
        matches!(
            (operation.call, operation.answer),
            (Call::Write { value, .. }, Answer::Unknown) if shown.contains(&value)
        )
    });
    unknown.count() as u64
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            simulations,
            histories,
            operations,
            reads,
            writes,
            refusals,
            unavailable,
            unknown,
            outcomes_unknown,
            took_effect,
            lost,
            hang_ups,
            server_crashes,
            database_crashes,
            holds,
            partitions,
        } = self.counts;
        writeln!(
            f,
            "{:?}: {simulations} simulations, {histories} histories, {operations} calls: \
             {reads} read, {writes} written, {refusals} refused, {unavailable} unavailable, \
             {unknown} unknown ({outcomes_unknown} of them 503, {took_effect} seen to have taken \
             effect); {lost} lost in the store; {hang_ups} hang-ups, \
             {server_crashes} server and {database_crashes} database crashes, {holds} links held, \
             {partitions} links cut",
            self.setup
        )?;
        if let Some(Violation { seed, history }) = &self.violation {
            writeln!(
                f,
                "not linearizable; SIMULATION_SEED={seed} runs it alone:\n{history}"
            )?;
        }
        Ok(())
    }
}
