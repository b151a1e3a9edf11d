//! One task of a race.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::sleep;

use crate::{
    Control, History, Kind, Marker, Moment, Operation, Outcome, Race, Read, Span, State,
    client::{Client, Failure, HangUp},
    posts,
};

/// How often a task writes under the tag it holds instead of reading first.
const HELD_TAG: f64 = 0.5;

/// How long a client that vanishes when the answer begins waits for that.
const ANSWER: Duration = Duration::from_secs(2);

/// A server that is gone, or whose store is, tells nobody when it is back. Asking without a pause
/// would take the time from whatever starts it.
pub(crate) const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// What all tasks of a race share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) race: Race,
    pub(crate) control: Control,
    pub(crate) until: Instant,
    /// Set by the first task that finds nobody there.
    pub(crate) gone: OnceLock<wire::Error>,
}

impl Shared {
    pub(crate) fn is_over(&self) -> bool {
        self.race.is_reached(&self.control)
            || self.control.is_stopped()
            || self.gone.get().is_some()
            || Instant::now() >= self.until
    }
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    client: Client,
    rng: StdRng,
    author: String,
    held: HashMap<u64, State>,
    history: History,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, task: u64) -> Self {
        Self {
            client: Client::new(shared.race.addr_of(task)),
            // Spread, so that neighbouring seeds have no task in common.
            rng: StdRng::seed_from_u64(shared.race.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ task),
            author: format!("task-{task}"),
            held: HashMap::new(),
            history: History::default(),
            shared,
        }
    }

    /// Writes until the race is over.
    pub(crate) async fn write(mut self) -> History {
        while !self.shared.is_over() {
            let key = self.choose();
            let held = self
                .held
                .remove(&key)
                .filter(|_| self.rng.random_bool(HELD_TAG));
            let state = match held {
                Some(state) => state,
                None => match self.read_one(key).await {
                    Some(state) => state,
                    None => continue,
                },
            };
            let (kind, sent) = match state {
                State::Absent => (Kind::Create, None),
                State::Present { ref tag, .. } => match self.rng.random_range(0..100) {
                    0..70 => (Kind::Put, Some(tag.clone())),
                    70..85 => (Kind::Patch, Some(tag.clone())),
                    85..90 => (Kind::Delete, Some(tag.clone())),
                    // Only looks.
                    _ => {
                        self.held.insert(key, state);
                        continue;
                    }
                },
            };
            self.write_one(key, kind, sent).await;
        }
        self.history
    }

    /// Reads until the race is over.
    pub(crate) async fn read(mut self) -> History {
        while !self.shared.is_over() {
            let key = self.choose();
            self.read_one(key).await;
        }
        self.history
    }

    fn choose(&mut self) -> u64 {
        let posts = &self.shared.race.posts;
        posts[self.rng.random_range(0..posts.len())]
    }

    async fn read_one(&mut self, key: u64) -> Option<State> {
        let began = Moment::now();
        let answer = match self.client.exchange(&posts::read(key)).await {
            Ok(answer) => answer,
            Err(failure) => {
                self.note(key, failure).await;
                return None;
            }
        };
        let span = Span {
            began,
            ended: Moment::now(),
        };
        match posts::state(&answer) {
            Ok(Some(state)) => {
                self.history.reads.push(Read {
                    key,
                    state: state.clone(),
                    span,
                });
                Some(state)
            }
            Ok(None) => {
                sleep(BETWEEN_LOOKS).await;
                None
            }
            Err(text) => {
                self.history.unexpected.push((key, text));
                None
            }
        }
    }

    async fn write_one(&mut self, key: u64, kind: Kind, sent: Option<String>) {
        let marker = Marker::fresh();
        let request = posts::write(key, kind, sent.as_deref(), marker, &self.author);
        let began = Moment::now();
        let unknown = Span {
            began,
            ended: Moment::NEVER,
        };

        if self.rng.random_bool(self.shared.race.hang_ups) {
            let how = self.hang_up();
            match self.client.vanish(&request, how).await {
                Ok(()) => self.record(key, kind, sent, marker, Outcome::Unknown, unknown),
                Err(error) => self.note(key, Failure::Gone(error)).await,
            }
            return;
        }

        match self.client.exchange(&request).await {
            Err(failure) => {
                if matches!(failure, Failure::Unanswered(_)) {
                    self.record(key, kind, sent, marker, Outcome::Unknown, unknown);
                }
                self.note(key, failure).await;
            }
            Ok(answer) => {
                let span = Span {
                    began,
                    ended: Moment::now(),
                };
                let answer = posts::answer(kind, &answer);
                if kind == Kind::Delete && matches!(answer.outcome, Outcome::Acknowledged { .. }) {
                    self.held.insert(key, State::Absent);
                }
                if let Some(text) = answer.fault {
                    self.history
                        .unexpected
                        .push((key, format!("{kind:?} {marker}: {text}")));
                }
                if let Some(state) = answer.state {
                    // Only states that were seen whole are held: every tag that is sent can then be
                    // attributed.
                    self.held.insert(key, state.clone());
                    self.history.reads.push(Read { key, state, span });
                }
                self.record(key, kind, sent, marker, answer.outcome, span);
            }
        }
    }

    /// Within the request, at once after it, while it is worked on, or when the answer begins to
    /// arrive.
    fn hang_up(&mut self) -> HangUp {
        let resets = self.rng.random();
        let (share, patience) = match self.rng.random_range(0..4) {
            0 => (self.rng.random_range(0.0..1.0), Duration::ZERO),
            1 => (1.0, Duration::ZERO),
            2 => (1.0, Duration::from_micros(self.rng.random_range(0..2_000))),
            _ => (1.0, ANSWER),
        };
        HangUp {
            share,
            patience,
            resets,
        }
    }

    fn record(
        &mut self,
        key: u64,
        kind: Kind,
        sent: Option<String>,
        marker: Marker,
        outcome: Outcome,
        span: Span,
    ) {
        let acknowledged = matches!(outcome, Outcome::Acknowledged { .. });
        self.shared.control.count(acknowledged);
        self.history.operations.push(Operation {
            key,
            kind,
            sent,
            marker,
            outcome,
            span,
        });
    }

    /// A broken connection is the network's, a malformed answer the server's.
    async fn note(&mut self, key: u64, failure: Failure) {
        match failure {
            Failure::Gone(_) if self.shared.race.outlives_servers => sleep(BETWEEN_LOOKS).await,
            Failure::Gone(error) => {
                let _ = self.shared.gone.set(error);
            }
            Failure::Unanswered(error) if error.kind() == wire::ErrorKind::Malformed => {
                self.history.unexpected.push((key, error.to_string()));
            }
            Failure::Unanswered(_) => {}
        }
    }
}
