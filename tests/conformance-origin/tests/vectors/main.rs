//! Every conformance vector over real sockets, against the origin with the real layer.

#![allow(clippy::unwrap_used)] // That is how a test fails.

mod observation;
mod vector;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use tokio::process::Command;
use wire::Server;

use crate::observation::{BEFORE_THE_LAYER, NOT_FOUND_BY_HANDLER, Observation, PASS};
use crate::vector::Vector;

#[tokio::test]
async fn every_vector_gets_what_it_is_owed() {
    let mut server = origin(&[]).await;
    let report = replay(&server).await;
    println!("{report}");
    assert!(report.wrong.is_empty(), "{report}");
    assert_eq!(report.before_the_layer, 0, "{report}");
    for outcome in [PASS, NOT_FOUND_BY_HANDLER, "304", "400", "412", "428"] {
        assert!(
            report.by_outcome.contains_key(outcome),
            "no vector came to {outcome}"
        );
    }
    server.terminate().unwrap();
    assert!(
        server.wait().await.unwrap().success(),
        "{}",
        server.stderr()
    );
}

/// The negative control: without the layer the replay finds exactly what only the layer gives.
#[tokio::test]
async fn without_the_layer_the_replay_fails() {
    let server = origin(&["--without-layer"]).await;
    let report = replay(&server).await;
    println!("without the layer: {report}");

    let vectors = Vector::all();
    let needs_layer = |vector: &&Vector| {
        let refused = !vector.accepts(PASS) && !vector.accepts(NOT_FOUND_BY_HANDLER);
        let tagged = vector.is_read() && vector.handler_status() == 200 && vector.etag().is_some();
        refused || tagged
    };
    let owed: BTreeSet<&str> = vectors
        .iter()
        .filter(needs_layer)
        .map(|vector| vector.id.as_str())
        .collect();
    let found: BTreeSet<&str> = report.wrong.keys().map(String::as_str).collect();
    assert_eq!(found, owed);
    assert!(
        found.len() > 150,
        "only {} vectors need the layer",
        found.len()
    );
}

async fn origin(arguments: &[&str]) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conformance-origin"));
    command.args(["--listen", "127.0.0.1:0"]).args(arguments);
    Server::spawn(command).await.unwrap()
}

/// What a replay of all vectors came to.
#[derive(Default)]
struct Report {
    vectors: usize,
    by_kind: BTreeMap<String, usize>,
    by_outcome: BTreeMap<String, usize>,
    /// Answered by a layer outside the one under test, so that they say nothing about it.
    outside: usize,
    /// Other than expected, and the RFC allows that too.
    as_rfc_allows: Vec<String>,
    /// Refused by the HTTP library, so that the layer never saw them.
    before_the_layer: usize,
    /// By the vector's id.
    wrong: BTreeMap<String, String>,
}

async fn replay(server: &Server) -> Report {
    let mut report = Report::default();
    // The name is a number, so that no answer repeats a tag by naming its resource.
    for (number, vector) in Vector::all().iter().enumerate() {
        let observation = Observation::of(vector, server.addr(), &number.to_string()).await;
        let observation = observation.unwrap_or_else(|error| panic!("{}: {error}", vector.id));
        report.add(vector, &observation);
    }
    report
}

impl Report {
    fn add(&mut self, vector: &Vector, observation: &Observation) {
        let outcome = observation.outcome(vector);
        self.vectors += 1;
        *self.by_kind.entry(vector.kind.clone()).or_default() += 1;
        *self.by_outcome.entry(outcome.clone()).or_default() += 1;
        self.outside += usize::from(vector.status_outside().is_some());
        self.before_the_layer += usize::from(outcome == BEFORE_THE_LAYER);
        let mut faults = observation.faults(vector);
        if !vector.accepts(&outcome) {
            faults.insert(0, format!("expected {}, got {outcome}", vector.expect));
        } else if outcome != vector.expect {
            self.as_rfc_allows
                .push(format!("{} ({outcome})", vector.id));
        }
        if !faults.is_empty() {
            self.wrong.insert(vector.id.clone(), faults.join("; "));
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} vectors, {} wrong", self.vectors, self.wrong.len())?;
        writeln!(f, "by kind {:?}", self.by_kind)?;
        writeln!(f, "by outcome {:?}", self.by_outcome)?;
        writeln!(f, "answered outside the layer: {}", self.outside)?;
        writeln!(
            f,
            "not as expected, but as the RFC allows: {:?}",
            self.as_rfc_allows
        )?;
        writeln!(f, "refused before the layer: {}", self.before_the_layer)?;
        for (id, wrong) in &self.wrong {
            writeln!(f, "{id}: {wrong}")?;
        }
        Ok(())
    }
}
