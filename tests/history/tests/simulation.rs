//! Random histories of a simulated register: the checker accepts every correct one, finds every
//! single fault, and agrees with a search through all orders.
#![cfg(test)]

mod search;

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use history::{
    Content, History, Kind, Marker, Moment, Operation, Outcome, Read, Span, State, ViolationKind,
};
use proptest::{collection::vec, prelude::*, sample::Index};

const KEYS: u64 = 2;

/// Moments from one step to the next.
const STEP: u64 = 10;

#[derive(Clone, Copy, Debug)]
struct Step {
    client: usize,
    key: u64,
    action: Action,
    network: Network,
    /// How long before its effect it began and how long after it it ended, in steps.
    around: (u64, u64),
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
    /// It delivers the request so many steps late, when nobody waits for the answer any more.
    Delays(usize),
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
    some_steps(0..KEYS, 1..150)
}

fn some_steps(keys: Range<u64>, length: Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    let action = prop_oneof![
        3 => Just(Action::Look),
        4 => Just(Action::Write(Kind::Put)),
        2 => Just(Action::Write(Kind::Patch)),
        2 => Just(Action::Write(Kind::Delete)),
    ];
    let network = prop_oneof![
        6 => Just(Network::Works),
        1 => Just(Network::LosesRequest),
        1 => Just(Network::LosesAnswer),
        1 => (1..12usize).prop_map(Network::Delays),
    ];
    let step = (0..5usize, keys, action, network, (0..4u64, 0..4u64)).prop_map(
        |(client, key, action, network, around)| Step {
            client,
            key,
            action,
            network,
            around,
        },
    );
    vec(step, length)
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
    /// Until when each client waits for an answer.
    free: HashMap<usize, u64>,
    /// Every write with its client.
    writes: Vec<(usize, Operation)>,
    late: Vec<Late>,
    /// Every state that there was.
    all: Vec<(u64, State)>,
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

/// A write that is still on its way.
struct Late {
    due: usize,
    key: u64,
    kind: Kind,
    sent: Option<String>,
    marker: Marker,
}

/// Somebody else's read, of something that there was sometime.
#[derive(Clone, Debug)]
struct Glance {
    state: Index,
    began: u64,
    length: u64,
}

fn glance() -> impl Strategy<Value = Glance> {
    (any::<Index>(), 1..24 * STEP, 1..3 * STEP).prop_map(|(state, began, length)| Glance {
        state,
        began,
        length,
    })
}

impl Simulation {
    /// One thing after the other, as far as the clients know, so that a fault can be seen.
    fn run(steps: &[Step], fault: Option<Fault>) -> Self {
        let narrow: Vec<Step> = steps
            .iter()
            .map(|step| Step {
                around: (0, 0),
                ..*step
            })
            .collect();
        Self::run_overlapping(&narrow, fault)
    }

    fn run_overlapping(steps: &[Step], fault: Option<Fault>) -> Self {
        let mut simulation = Self {
            fault,
            ..Self::default()
        };
        simulation.put_state(
            0,
            State::Present {
                tag: "first".into(),
                content: Content::replaced(Marker(u64::MAX)),
            },
        );
        simulation.put_state(1, State::Absent);
        simulation.history.initial.extend(simulation.states.clone());
        for (now, step) in steps.iter().enumerate() {
            simulation.clock += STEP;
            simulation.deliver(now);
            let waits = simulation.free.get(&step.client) >= Some(&simulation.clock);
            match step.action {
                _ if waits => {}
                Action::Look => simulation.look(*step),
                Action::Write(kind) => simulation.write(*step, kind, now),
            }
        }
        simulation.history.finals.extend(simulation.states.clone());
        simulation.record();
        simulation
    }

    /// As a race does: one client's writes after the other's.
    fn record(&mut self) {
        self.writes.sort_by_key(|(client, _)| *client);
        let writes = self.writes.drain(..).map(|(_, write)| write);
        self.history.operations.extend(writes);
    }

    /// Whether to do wrong now, if this is the fault and it has not happened yet.
    fn strikes(&mut self, fault: Fault, opportunity: bool) -> bool {
        let strikes = self.fault == Some(fault) && !self.happened && opportunity;
        self.happened |= strikes;
        strikes
    }

    /// The span of something that has its effect now. A client does one thing at a time.
    fn span(&mut self, step: Step) -> Span {
        let (before, after) = step.around;
        let free = self.free.get(&step.client).copied().unwrap_or_default();
        let began = (self.clock - 1).saturating_sub(before * STEP);
        let span = Span {
            began: Moment(began.max(free + 1)),
            ended: Moment(self.clock + 1 + after * STEP),
        };
        self.free.insert(step.client, span.ended.0);
        span
    }

    fn deliver(&mut self, now: usize) {
        let (due, late) = self.late.drain(..).partition(|late| late.due <= now);
        self.late = late;
        for write in due {
            let Late {
                key, kind, marker, ..
            } = write;
            if self.states[&key].tag() == write.sent.as_deref() {
                let tag = self.mint(kind);
                let state = self.after(key, kind, tag.as_deref(), marker, &State::Absent);
                self.put_state(key, state);
            }
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
        let span = self.span(step);
        self.history.reads.push(Read {
            key: step.key,
            state,
            span,
        });
    }

    fn write(&mut self, step: Step, kind: Kind, now: usize) {
        let Some(held) = self.held.remove(&(step.client, step.key)) else {
            return self.look(step);
        };
        let sent = held.tag().map(str::to_owned);
        let kind = if sent.is_some() { kind } else { Kind::Create };
        let current = self.states[&step.key].tag().map(str::to_owned);
        let mut span = self.span(step);
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

        let outcome = if let Network::Delays(steps) = step.network {
            self.late.push(Late {
                due: now + steps,
                key: step.key,
                kind,
                sent: sent.clone(),
                marker,
            });
            Outcome::Unknown
        } else if matches!(step.network, Network::LosesRequest) {
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
            self.free.insert(step.client, span.began.0);
            self.in_doubt.extend(sent.clone());
        }
        let write = Operation {
            key: step.key,
            kind,
            sent,
            marker,
            outcome,
            span,
        };
        self.writes.push((step.client, write));
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

    fn any_state(&self, which: Index) -> (u64, State) {
        let states: Vec<&State> = self
            .all
            .iter()
            .filter(|(key, _)| *key == 0)
            .map(|(_, state)| state)
            .chain([&State::Absent])
            .collect();
        (0, which.get(&states).to_owned().clone())
    }

    fn glance(&mut self, glance: &Glance) {
        let (key, state) = self.any_state(glance.state);
        let span = Span {
            began: Moment(glance.began),
            ended: Moment(glance.began + glance.length),
        };
        self.history.reads.push(Read { key, state, span });
    }

    fn put_state(&mut self, key: u64, state: State) {
        self.all.push((key, state.clone()));
        if let Some(State::Present { content, .. }) = self.states.insert(key, state) {
            self.before.insert(key, content);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn correct_histories_are_clean(steps in steps()) {
        let report = Simulation::run(&steps, None).history.check();
        prop_assert!(report.is_clean(), "{report}");
    }

    #[test]
    fn correct_histories_of_overlapping_operations_are_clean(steps in steps()) {
        let report = Simulation::run_overlapping(&steps, None).history.check();
        prop_assert!(report.is_clean(), "{report}");
    }

    #[test]
    fn a_history_is_clean_if_and_only_if_some_order_explains_it(
        steps in some_steps(0..1, 1..24),
        glances in vec(glance(), 0..3),
        last in proptest::option::weighted(0.2, any::<Index>()),
    ) {
        let mut simulation = Simulation::run_overlapping(&steps, None);
        for glance in &glances {
            simulation.glance(glance);
        }
        if let Some(last) = last {
            let (key, state) = simulation.any_state(last);
            simulation.history.finals.insert(key, state);
        }
        let report = simulation.history.check();
        let explained = search::explains(&simulation.history, 0);
        prop_assert_eq!(report.is_clean(), explained, "{}{:#?}", report, simulation.history);
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
