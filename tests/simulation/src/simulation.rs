//! One simulation: hosts, network, faults, and the history of what the clients saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rand::RngExt;
use tower_if_match::MemoryStore;
use turmoil::Sim;

use crate::client::Client;
use crate::database::{self, Database};
use crate::faults::{Faults, Plan};
use crate::history::{History, Recorder};
use crate::pace::{Pace, draws};
use crate::server::{Server, serve};
use crate::store::{Failure, OnRows, Registers};
use crate::table::{Manner, Table};

/// What is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// One server with the in-memory store of the project, which outlives the server's software.
    Memory,
    /// One server with a table on its disk.
    Disk(Manner),
    /// Two servers in front of a database.
    Database(Manner),
    /// Two servers in front of an atomic database. That it did not answer a write they take for a
    /// write that did not happen.
    Presumptuous,
}

/// What a simulation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the clients saw.
    pub history: History,
    /// What went wrong.
    pub faults: Faults,
    /// How often a client did not wait for its answer.
    pub hang_ups: u64,
    /// How many writes passed the layer's check and then lost in the store.
    pub lost: u64,
    /// How many answers said that the outcome is unknown.
    pub outcomes_unknown: u64,
}

/// Calls to one register, by all clients together.
const CALLS: usize = 30;

/// Runs one simulation. The seed determines everything in it.
///
/// # Panics
/// If a client got an answer that the API does not give, or none at all after the last fault.
pub fn simulate(setup: Setup, seed: u64) -> Outcome {
    let mut network = Network::new(seed);
    match setup {
        Setup::Memory => network.server(MemoryStore::new(), || {}),
        Setup::Disk(manner) => {
            let table = Table::new(manner, Pace::of(seed, 2));
            network.server(OnRows(table.clone()), move || table.open());
        }
        Setup::Database(manner) => network.servers(manner, Failure::OutcomeUnknown),
        Setup::Presumptuous => network.servers(Manner::Atomic, Failure::Unavailable),
    }

    let mut choices = draws(seed, 1);
    let recorder = Recorder::default();
    let clients = choices.random_range(2..=5);
    let registers: Vec<u64> = (1..=choices.random_range(1..=2)).collect();
    for client in 0..clients {
        network.client(Client {
            name: format!("client-{client}"),
            servers: network.servers.clone(),
            registers: registers.clone(),
            calls: CALLS * registers.len() / clients,
            draws: draws(seed, 16 + client as u64),
            recorder: recorder.clone(),
        });
    }

    let mut plan = Plan::draw(&mut choices, &network.links, &network.hosts);
    loop {
        plan.act(&mut network.sim);
        let stepped = network.sim.step();
        if stepped.unwrap_or_else(|error| panic!("{setup:?}, seed {seed}: {error}")) {
            break;
        }
    }
    Outcome {
        history: recorder.history(),
        faults: plan.begun(),
        hang_ups: recorder.hang_ups(),
        lost: network.lost.load(Ordering::Relaxed),
        outcomes_unknown: recorder.outcomes_unknown(),
    }
}

struct Network {
    sim: Sim<'static>,
    seed: u64,
    /// The hosts that can crash.
    hosts: Vec<String>,
    servers: Vec<String>,
    /// The links that are used.
    links: Vec<(String, String)>,
    lost: Arc<AtomicU64>,
}

impl Network {
    fn new(seed: u64) -> Self {
        let sim = turmoil::Builder::new()
            .rng_seed(seed)
            .epoch(SystemTime::UNIX_EPOCH)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(6))
            .simulation_duration(Duration::from_secs(30))
            .enable_random_order()
            .build();
        Self {
            sim,
            seed,
            hosts: Vec::new(),
            servers: Vec::new(),
            links: Vec::new(),
            lost: Arc::default(),
        }
    }

    /// A server that does something each time it starts.
    fn server<S: Registers>(&mut self, registers: S, starts: impl Fn() + 'static) {
        let name = format!("server-{}", self.servers.len());
        let server = Server {
            registers,
            pace: Pace::of(self.seed, 8 + self.servers.len() as u64),
            lost: Arc::clone(&self.lost),
        };
        self.sim.host(name.as_str(), move || {
            starts();
            serve(server.clone())
        });
        self.hosts.push(name.clone());
        self.servers.push(name);
    }

    fn servers(&mut self, manner: Manner, unanswered: Failure) {
        let table = Table::new(manner, Pace::of(self.seed, 2));
        self.sim
            .host(database::HOST, move || database::serve(table.clone()));
        self.hosts.push(database::HOST.to_owned());
        for _ in 0..2 {
            self.server(OnRows(Database { unanswered }), || {});
        }
        let links = self.servers.iter();
        self.links
            .extend(links.map(|server| (server.clone(), database::HOST.to_owned())));
    }

    fn client(&mut self, client: Client) {
        for server in &self.servers {
            self.links.push((client.name.clone(), server.clone()));
        }
        self.sim.client(client.name.clone(), client.run());
    }
}
