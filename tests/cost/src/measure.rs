//! Allocations, instructions, time.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use allocation_counter::{measure, opt_out};

use crate::report::{Figures, Measured};
use crate::scenario::{Run, Scenario};

/// So many requests are counted; the first ones, which set up what is set up once, are not.
const COUNTED: u16 = 1000;

/// Rounds of the time's median.
const ROUNDS: usize = 15;

/// What is measured besides allocations.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) instructions: bool,
    pub(crate) time: bool,
}

impl Wanted {
    pub(crate) const ALLOCATIONS: Self = Self {
        instructions: false,
        time: false,
    };
    pub(crate) const INSTRUCTIONS: Self = Self {
        instructions: true,
        time: false,
    };
}

/// All figures, and why there are no instructions where they are wanted.
pub(crate) fn measured(
    scenarios: &[&'static Scenario],
    wanted: Wanted,
) -> (Measured, Option<String>) {
    let nanoseconds = if wanted.time {
        nanoseconds(scenarios)
    } else {
        BTreeMap::new()
    };
    let (instructions, failure) = if wanted.instructions {
        instructions(scenarios)
    } else {
        (BTreeMap::new(), None)
    };
    let figures = |scenario: &&'static Scenario| Figures {
        allocations: allocations(scenario),
        instructions: instructions.get(scenario.name).copied(),
        nanoseconds: nanoseconds.get(scenario.name).copied(),
    };
    let named = scenarios
        .iter()
        .map(|scenario| (scenario.name, figures(scenario)));
    (named.collect(), failure)
}

/// Allocations per run.
pub(crate) fn allocations(scenario: &Scenario) -> f64 {
    const WARM_UP: usize = 4;
    let mut run = (scenario.prepare)(WARM_UP + usize::from(COUNTED));
    (0..WARM_UP).for_each(|_| run());
    let counted = measure(|| (0..COUNTED).for_each(|_| run()));
    // Exact, so that one that is made only now and then is seen.
    f64::from(u32::try_from(counted.count_total).unwrap_or(u32::MAX)) / f64::from(COUNTED)
}

/// Runs a scenario for callgrind, which collects within [`counted_run`] alone: what makes the requests ready and
/// what is set up once is left out.
pub(crate) fn under_callgrind(scenario: &Scenario) {
    let counted = usize::from(COUNTED);
    let mut run = (scenario.prepare)(2 * counted);
    // Within this the counter of allocations looks at one cell for each of them and counts nothing.
    opt_out(|| {
        (0..counted).for_each(|_| run());
        counted_run(&mut run, counted);
    });
    // What is left of the requests is not part of the measure.
    std::mem::forget(run);
}

/// A function of its own, because callgrind is told its name.
#[inline(never)]
fn counted_run(run: &mut Run, runs: usize) {
    (0..runs).for_each(|_| run());
}

/// Instructions per run, and why there are none of the rest. As many programs run as there are processors:
/// what is counted does not depend on what runs beside it.
fn instructions(scenarios: &[&'static Scenario]) -> (BTreeMap<&'static str, f64>, Option<String>) {
    let (counted, failure) = (Mutex::default(), Mutex::new(None));
    let waiting = Mutex::new(scenarios.iter());
    let next = || {
        let failed = lock(&failure).is_some();
        if failed { None } else { lock(&waiting).next() }
    };
    let count = || {
        while let Some(scenario) = next() {
            match per_request(scenario) {
                Ok(figure) => drop(lock::<BTreeMap<_, _>>(&counted).insert(scenario.name, figure)),
                Err(why) => *lock(&failure) = Some(why),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(count);
        }
    });
    (
        counted.into_inner().unwrap_or_else(PoisonError::into_inner),
        failure.into_inner().unwrap_or_else(PoisonError::into_inner),
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn per_request(scenario: &Scenario) -> Result<f64, String> {
    let text = |error: std::io::Error| error.to_string();
    let folder = tempfile::tempdir().map_err(text)?;
    let out = folder.path().join("callgrind.out");
    let run = Command::new("valgrind")
        // A size class of glibc's cache holds seven blocks. How many are in it is luck that costs
        // hundreds of instructions, so here it holds them all.
        .env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=60000")
        .arg("--tool=callgrind")
        .arg("--toggle-collect=*counted_run*")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().map_err(text)?)
        .args(["--under-callgrind", "--scenario", scenario.name])
        .output();
    let run = match run {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err("valgrind is not installed".to_owned());
        }
        other => other.map_err(text)?,
    };
    if !run.status.success() {
        return Err(String::from_utf8_lossy(&run.stderr).into_owned());
    }
    let profile = std::fs::read_to_string(&out).map_err(text)?;
    match self_costs(&profile) {
        (0, _) => Err("the profile does not name what is counted".to_owned()),
        (total, counter) => Ok(per_run(total - counter)),
    }
}

/// The instructions of a callgrind profile, and those of them that are the counting allocator's own,
/// without what it calls.
fn self_costs(profile: &str) -> (u64, u64) {
    let (mut total, mut counters) = (0, 0);
    let mut names = BTreeMap::new();
    let mut within_counter = false;
    let mut lines = profile.lines();
    while let Some(line) = lines.next() {
        // A name stands with its number where it comes first, be it as the caller's or the callee's.
        let named = line
            .strip_prefix("fn=")
            .or_else(|| line.strip_prefix("cfn="));
        if let Some((number, name)) =
            named.map(|named| named.split_once(' ').unwrap_or((named, "")))
        {
            let is_counter = names
                .entry(number)
                .or_insert(name.contains("CountingAllocator"));
            if line.starts_with("fn=") {
                within_counter = *is_counter;
            }
        } else if line.starts_with("calls=") {
            // What the callee cost is told in its own lines.
            lines.next();
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost = line
                .split(' ')
                .nth(1)
                .and_then(|cost| cost.parse::<u64>().ok());
            total += cost.unwrap_or(0);
            counters += cost.filter(|_| within_counter).unwrap_or(0);
        }
    }
    (total, counters)
}

/// Nanoseconds per run for each scenario: the median over rounds in which all take their turn, so
/// that what slows the machine down for a while slows all of them.
pub(crate) fn nanoseconds(scenarios: &[&'static Scenario]) -> BTreeMap<&'static str, f64> {
    let mut rounds = BTreeMap::<_, Vec<f64>>::new();
    for _ in 0..ROUNDS {
        for scenario in scenarios {
            let mut run = (scenario.prepare)(usize::from(COUNTED));
            let mut elapsed = 0;
            opt_out(|| {
                let start = Instant::now();
                (0..COUNTED).for_each(|_| run());
                elapsed = start.elapsed().as_nanos();
            });
            let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
            rounds
                .entry(scenario.name)
                .or_default()
                .push(per_run(elapsed));
        }
    }
    rounds
        .into_iter()
        .map(|(name, rounds)| (name, median(rounds)))
        .collect()
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

/// To a tenth, because more would be noise: maps hash with random keys.
fn per_run(total: u64) -> f64 {
    let tenths = total * 10 / u64::from(COUNTED);
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}
