//! Random histories of a simulated register: the checker accepts every correct one, and finds every
//! single fault.
#![cfg(test)]

use std::collections::{HashMap, HashSet};

use history::{
    Content, History, Kind, Marker, Moment, Operation, Outcome, Read, Span, State, ViolationKind,
};
use proptest::{collection::vec, prelude::*};

const KEYS: u64 = 2;

#[derive(Clone, Copy, Debug)]
struct Step {
    client: usize,
    key: u64,
    action: Action,
    network: Network,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Look,
    Write(Kind),
}

#[derive(Clone, Copy, Debug)]
enum Network {
    Works,
    LosesRequest,
    LosesAnswer,
}

/// What the register does wrong, at the first opportunity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It writes although the tag is stale.
    DropCompare,
    /// It creates although there is a post.
    CreateOver,
    /// It acknowledges and does not write. (Another client's delete without an answer could hide a
    /// delete.)
    DropWrite,
    /// It refuses and writes.
    RefuseAndWrite,
    /// It answers a read with the content that was there before.
    OldContent,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let action = prop_oneof![
        3 => Just(Action::Look),
        5 => Just(Action::Write(Kind::Put)),
        3 => Just(Action::Write(Kind::Patch)),
        1 => Just(Action::Write(Kind::Delete)),
    ];
    let network = prop_oneof![
        8 => Just(Network::Works),
        1 => Just(Network::LosesRequest),
        1 => Just(Network::LosesAnswer),
    ];
    let step =
        (0..4usize, 0..KEYS, action, network).prop_map(|(client, key, action, network)| Step {
            client,
            key,
            action,
            network,
        });
    vec(step, 1..150)
}

#[derive(Default)]
struct Simulation {
    history: History,
    states: HashMap<u64, State>,
    /// What was there before the current state.
    before: HashMap<u64, Content>,
    held: HashMap<(usize, u64), State>,
    tags: u64,
    clock: u64,
    /// The versions that an acknowledged write replaced.
    replaced: HashSet<String>,
    /// The versions that some client knows of: without that, nobody can tell that one was
    /// overwritten.
    known: HashSet<String>,
    /// The versions that a write without an answer named.
    in_doubt: HashSet<String>,
    fault: Option<Fault>,
    happened: bool,
}

impl Simulation {
    fn run(steps: &[Step], fault: Option<Fault>) -> Self {
        let mut simulation = Self {
            fault,
            ..Self::default()
        };
        simulation.states.insert(
            0,
            State::Present {
                tag: "first".into(),
                content: Content::replaced(Marker(u64::MAX)),
            },
        );
        simulation.states.insert(1, State::Absent);
        simulation.history.initial.extend(simulation.states.clone());
        for step in steps {
            match step.action {
                Action::Look => simulation.look(*step),
                Action::Write(kind) => simulation.write(*step, kind),
            }
        }
        simulation.history.finals.extend(simulation.states.clone());
        simulation
    }

    /// Whether to do wrong now, if this is the fault and it has not happened yet.
    fn strikes(&mut self, fault: Fault, opportunity: bool) -> bool {
        let strikes = self.fault == Some(fault) && !self.happened && opportunity;
        self.happened |= strikes;
        strikes
    }

    fn span(&mut self) -> Span {
        self.clock += 2;
        Span {
            began: Moment(self.clock - 1),
            ended: Moment(self.clock),
        }
    }

    fn look(&mut self, step: Step) {
        let mut state = self.states[&step.key].clone();
        self.held.insert((step.client, step.key), state.clone());
        self.known.extend(state.tag().map(str::to_owned));
        let before = self.before.get(&step.key).copied();
        if let State::Present { content, .. } = &mut state
            && let Some(before) = before
            && self.strikes(Fault::OldContent, before != *content)
        {
            *content = before;
        }
        let span = self.span();
        self.history.reads.push(Read {
            key: step.key,
            state,
            span,
        });
    }

    fn write(&mut self, step: Step, kind: Kind) {
        let Some(held) = self.held.remove(&(step.client, step.key)) else {
            return self.look(step);
        };
        let sent = held.tag().map(str::to_owned);
        let kind = if sent.is_some() { kind } else { Kind::Create };
        let current = self.states[&step.key].tag().map(str::to_owned);
        let mut span = self.span();
        let marker = Marker(self.clock);

        let answered = matches!(step.network, Network::Works);
        let fits = sent == current;
        let stale = answered && sent.as_ref().is_some_and(|tag| self.replaced.contains(tag));
        let over = answered
            && sent.is_none()
            && current
                .as_ref()
                .is_some_and(|tag| self.known.contains(tag) && !self.in_doubt.contains(tag));
        let blind = !fits
            && (self.strikes(Fault::DropCompare, stale) || self.strikes(Fault::CreateOver, over));

        let outcome = if matches!(step.network, Network::LosesRequest) {
            Outcome::Unknown
        } else if fits || blind {
            let tag = self.mint(kind);
            if !self.strikes(Fault::DropWrite, answered && kind != Kind::Delete) {
                let state = self.after(step.key, kind, tag.as_deref(), marker, &held);
                self.put_state(step.key, state.clone());
                if answered {
                    self.held.insert((step.client, step.key), state);
                }
            }
            let refuses = self.strikes(Fault::RefuseAndWrite, answered && kind != Kind::Delete);
            if refuses {
                self.held.remove(&(step.client, step.key));
                Outcome::Refused {
                    status: 503,
                    reason: "busy".into(),
                }
            } else if answered {
                self.replaced.extend(sent.clone());
                self.known.extend(tag.clone());
                Outcome::Acknowledged {
                    tag,
                    created: kind == Kind::Create,
                }
            } else {
                Outcome::Unknown
            }
        } else if answered {
            Outcome::Refused {
                status: 412,
                reason: "stale_version".into(),
            }
        } else {
            Outcome::Unknown
        };
        if outcome == Outcome::Unknown {
            span.ended = Moment::NEVER;
            self.in_doubt.extend(sent.clone());
        }
        self.history.operations.push(Operation {
            key: step.key,
            kind,
            sent,
            marker,
            outcome,
            span,
        });
    }

    fn mint(&mut self, kind: Kind) -> Option<String> {
        self.tags += 1;
        (kind != Kind::Delete).then(|| format!("t{}", self.tags))
    }

    fn after(
        &self,
        key: u64,
        kind: Kind,
        tag: Option<&str>,
        marker: Marker,
        held: &State,
    ) -> State {
        let Some(tag) = tag else { return State::Absent };
        let content = match (kind, &self.states[&key], held) {
            (Kind::Patch, State::Present { content, .. }, _)
            | (Kind::Patch, State::Absent, State::Present { content, .. }) => {
                content.patched(marker)
            }
            _ => Content::replaced(marker),
        };
        State::Present {
            tag: tag.to_owned(),
            content,
        }
    }

    fn put_state(&mut self, key: u64, state: State) {
        if let Some(State::Present { content, .. }) = self.states.insert(key, state) {
            self.before.insert(key, content);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn correct_histories_are_clean(steps in steps()) {
        let report = Simulation::run(&steps, None).history.check();
        prop_assert!(report.is_clean(), "{report}");
    }

    #[test]
    fn a_dropped_compare_is_a_fork(steps in steps()) {
        let simulation = Simulation::run(&steps, Some(Fault::DropCompare));
        prop_assume!(simulation.happened);
        let report = simulation.history.check();
        prop_assert!(report.has(ViolationKind::Fork), "{report}");
    }

    #[test]
    fn a_create_over_a_living_post_is_found(steps in steps()) {
        let simulation = Simulation::run(&steps, Some(Fault::CreateOver));
        prop_assume!(simulation.happened);
        let report = simulation.history.check();
        prop_assert!(report.has(ViolationKind::Lost) || report.has(ViolationKind::CreatedOverLive), "{report}");
    }

    #[test]
    fn a_dropped_write_is_found(steps in steps()) {
        let simulation = Simulation::run(&steps, Some(Fault::DropWrite));
        prop_assume!(simulation.happened);
        let report = simulation.history.check();
        prop_assert!(!report.is_clean(), "{report}");
    }

    #[test]
    fn a_refused_write_that_took_effect_is_found(steps in steps()) {
        let simulation = Simulation::run(&steps, Some(Fault::RefuseAndWrite));
        prop_assume!(simulation.happened);
        let report = simulation.history.check();
        prop_assert!(report.has(ViolationKind::RefusedSeen), "{report}");
    }

    #[test]
    fn old_content_under_a_new_tag_is_found(steps in steps()) {
        let simulation = Simulation::run(&steps, Some(Fault::OldContent));
        prop_assume!(simulation.happened);
        let report = simulation.history.check();
        prop_assert!(!report.is_clean(), "{report}");
    }
}
