//! What goes wrong in a simulation, and when.

use std::time::Duration;

use rand::{RngExt, rngs::StdRng};
use turmoil::Sim;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The software of a host ends, and starts again when the fault is over.
    Crash(String),
    /// What is sent between two hosts arrives when the fault is over.
    Hold(String, String),
    /// What is sent between two hosts is lost.
    Partition(String, String),
    /// What the first sends to the second is lost.
    OneWay(String, String),
}

/// How many faults there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Crashes of a server.
    pub server_crashes: u64,
    /// Crashes of the database.
    pub database_crashes: u64,
    /// Links that held what was sent.
    pub holds: u64,
    /// Links that lost what was sent, in one direction or both.
    pub partitions: u64,
}

/// The faults of one simulation.
#[derive(Clone, Debug)]
pub struct Plan {
    faults: Vec<Planned>,
}

#[derive(Clone, Debug)]
struct Planned {
    begins: Duration,
    ends: Duration,
    fault: Fault,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ahead,
    Present,
    Over,
}

/// The time in which faults begin, in milliseconds.
const SPAN: u64 = 500;

impl Plan {
    /// Faults on these links and hosts: at most one link and one host at a time.
    pub fn draw(draws: &mut StdRng, links: &[(String, String)], hosts: &[String]) -> Self {
        let mut faults = Vec::new();
        let mut now = draws.random_range(0..100);
        while now < SPAN {
            let (a, b) = links[draws.random_range(0..links.len())].clone();
            let fault = match draws.random_range(0..4) {
                0 | 1 => Fault::Hold(a, b),
                2 => Fault::Partition(a, b),
                _ if draws.random() => Fault::OneWay(a, b),
                _ => Fault::OneWay(b, a),
            };
            now = Self::plan(&mut faults, fault, now, draws.random_range(5..120));
            now += draws.random_range(20..200);
        }
        now = draws.random_range(20..200);
        while now < SPAN {
            let fault = Fault::Crash(hosts[draws.random_range(0..hosts.len())].clone());
            now = Self::plan(&mut faults, fault, now, draws.random_range(1..40));
            now += draws.random_range(80..400);
        }
        Self { faults }
    }

    fn plan(faults: &mut Vec<Planned>, fault: Fault, now: u64, lasts: u64) -> u64 {
        faults.push(Planned {
            begins: Duration::from_millis(now),
            ends: Duration::from_millis(now + lasts),
            fault,
            state: State::Ahead,
        });
        now + lasts
    }

    /// Lets begin and end what is due.
    pub fn act(&mut self, sim: &mut Sim<'_>) {
        let now = sim.elapsed();
        for planned in &mut self.faults {
            if planned.state == State::Ahead && planned.begins <= now {
                planned.state = State::Present;
                planned.fault.begin(sim);
            }
            if planned.state == State::Present && planned.ends <= now {
                planned.state = State::Over;
                planned.fault.end(sim);
            }
        }
    }

    /// What has begun.
    pub fn begun(&self) -> Faults {
        let mut begun = Faults::default();
        for planned in &self.faults {
            if planned.state == State::Ahead {
                continue;
            }
            *match &planned.fault {
                Fault::Crash(host) if host == crate::database::HOST => &mut begun.database_crashes,
                Fault::Crash(_) => &mut begun.server_crashes,
                Fault::Hold(..) => &mut begun.holds,
                Fault::Partition(..) | Fault::OneWay(..) => &mut begun.partitions,
            } += 1;
        }
        begun
    }
}

impl Fault {
    fn begin(&self, sim: &mut Sim<'_>) {
        match self {
            Self::Crash(host) => sim.crash(host.as_str()),
            Self::Hold(a, b) => sim.hold(a.as_str(), b.as_str()),
            Self::Partition(a, b) => sim.partition(a.as_str(), b.as_str()),
            Self::OneWay(a, b) => sim.partition_oneway(a.as_str(), b.as_str()),
        }
    }

    fn end(&self, sim: &mut Sim<'_>) {
        match self {
            Self::Crash(host) => sim.bounce(host.as_str()),
            Self::Hold(a, b) => sim.release(a.as_str(), b.as_str()),
            Self::Partition(a, b) => sim.repair(a.as_str(), b.as_str()),
            Self::OneWay(a, b) => sim.repair_oneway(a.as_str(), b.as_str()),
        }
    }
}
