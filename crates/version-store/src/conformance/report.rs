use std::fmt;

use super::suite::Fault;

/// One check of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// Equal keys are one row and one encoding, unequal keys are not.
    Keys,
    /// Each demand admits what it names; a refused write changes nothing.
    Demands,
    /// `Expected` is settled with what happened.
    Settlement,
    /// No version of a key ever comes back.
    Versions,
    /// Modification dates advance, if the store says so.
    Dates,
    /// A write of one key leaves all others unchanged.
    Independence,
    /// An acknowledged write is visible at once, also through another handle.
    Freshness,
    /// `current` is ready when first polled, if the store says so.
    AnswersAtOnce,
    /// Of many concurrent writes on one version, one succeeds.
    OneSuccessor,
    /// Of many concurrent increments, none is lost.
    Counting,
    /// A write that is dropped halfway took place or did not, and holds nothing.
    Cancellation,
}

impl Check {
    /// How to fix what it finds.
    fn cure(self) -> &'static str {
        match self {
            Self::Keys => {
                "equal keys must mean the same row and have the same encoding: fold in the key type what the \
                 store folds (case, leading zeros), and nothing else"
            }
            Self::Demands => {
                "carry out each `Demand` as the table in the documentation of `Expected` says; if it does not \
                 admit the stored version, write nothing and return `expected.lost()`"
            }
            Self::Settlement => {
                "settle after the write has taken effect (after the commit), never before, and with the \
                 version that this very write made (`RETURNING`), complete as `current` returns it"
            }
            Self::Versions => {
                "a pair of incarnation and revision must never return for a key: keep the last \
                 incarnation of what was deleted, count the revisions of the whole table, or draw \
                 incarnations at random"
            }
            Self::Dates => {
                "write max(now, last date + 1 s), and keep the last date of what was deleted; or let \
                 `dates_advance` return false"
            }
            Self::Independence => "let the whole key decide which row is written",
            Self::Freshness => {
                "`current` must read what every acknowledged write has reached: the primary, not a \
                 replica or a cache that lags"
            }
            Self::AnswersAtOnce => "let `ANSWERS_AT_ONCE` be false unless `current` never waits",
            Self::OneSuccessor | Self::Counting => {
                "compare and write in one atomic step: in one statement (`… WHERE id = ? AND version = \
                 ?`), or under one lock from the comparison to the write"
            }
            Self::Cancellation => {
                "a write that is dropped at an await point must have taken place or not: use one \
                 statement, or a transaction that rolls back when it is dropped; release locks and \
                 connections in `Drop`; settle after the write, without an await point in between"
            }
        }
    }
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct Finding {
    check: Check,
    text: String,
}

impl Finding {
    /// Which check found it.
    pub fn check(&self) -> Check {
        self.check
    }

    /// What was done and what happened.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Which promise is broken, and how to fix it.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, text } = self;
        write!(f, "{check:?}: {text}\n  to fix: {}", check.cure())
    }
}

/// What the suite found in a store.
#[derive(Clone, Debug)]
#[must_use = "read the report: it does not fail the test by itself"]
pub struct Report {
    passed: Vec<Check>,
    findings: Vec<Finding>,
    left_out: Vec<Check>,
    hangs: bool,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            passed: Vec::new(),
            findings: Vec::new(),
            left_out: Vec::new(),
            hangs: false,
        }
    }

    pub(super) async fn run(&mut self, check: Check, run: impl Future<Output = Result<(), Fault>>) {
        if self.hangs {
            self.left_out.push(check);
            return;
        }
        match run.await {
            Ok(()) => self.passed.push(check),
            Err(Fault { text, hung }) => {
                self.findings.push(Finding { check, text });
                self.hangs = hung;
            }
        }
    }

    /// Whether the store keeps every promise.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The findings, in the order of the checks.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The checks that found nothing.
    pub fn passed(&self) -> &[Check] {
        &self.passed
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, all) = (
            self.findings.len(),
            self.findings.len() + self.passed.len() + self.left_out.len(),
        );
        write!(f, "{found} of {all} checks failed")?;
        for finding in &self.findings {
            write!(f, "\n{finding}")?;
        }
        if !self.left_out.is_empty() {
            write!(f, "\nnot run, because the store hangs: {:?}", self.left_out)?;
        }
        Ok(())
    }
}
