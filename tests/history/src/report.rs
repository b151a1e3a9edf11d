//! What the check found.

use std::{collections::BTreeMap, fmt};

/// The result of [`History::check`](crate::History::check). Its `Display` is meant for a failing
/// test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How much of what there was.
    pub counts: Counts,
    /// Everything that cannot have happened; empty in a correct history.
    pub violations: Vec<Violation>,
}

/// How much of what there was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All writes.
    pub attempted: usize,
    /// Acknowledged writes, all kinds.
    pub acknowledged: usize,
    /// Acknowledged creates.
    pub created: usize,
    /// Acknowledged deletes.
    pub deleted: usize,
    /// Refused writes by status and reason.
    pub refused: BTreeMap<(u16, String), usize>,
    /// Writes without an answer. Those whose answer says that the outcome is unknown are among the
    /// refused.
    pub unknown: usize,
    /// Those of the writes without a definite answer that must have taken effect.
    pub took_effect: usize,
    /// Reads, those in the answers to writes included.
    pub reads: usize,
    /// Acknowledged writes that were overwritten by a write which did not know them, or vanished.
    pub lost: usize,
    /// Versions with more than one successor.
    pub forked: usize,
}

/// Something that cannot have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The post's id.
    pub key: u64,
    /// Which rule is broken.
    pub kind: ViolationKind,
    /// What happened, for people.
    pub explanation: String,
}

/// The rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ViolationKind {
    /// A version has two successors that took effect: one of them did not see the other.
    Fork,
    /// Two writes to a key were given the same tag, or one the tag that it replaced.
    DuplicateTag,
    /// Writes to two keys were given the same tag.
    ForeignTag,
    /// An acknowledged write is in no chain that ends in the final state or in a delete.
    Lost,
    /// A tag that was seen or accepted, and that no write can have made, or none that had begun.
    Unexplained,
    /// The content of one write appeared under two tags.
    TookEffectTwice,
    /// A write that no chain connects with the beginning of an incarnation.
    Detached,
    /// The final state is a version that a write has replaced.
    FinalReplaced,
    /// The marker of a refused write was seen.
    RefusedSeen,
    /// Content that the write which made its tag did not write.
    WrongContent,
    /// A incarnation began while another one went on.
    CreatedOverLive,
    /// A read showed a version that had been replaced or deleted before the read began.
    StaleRead,
    /// A read showed no post while there was one all the time.
    AbsentWhileLive,
    /// A status other than the contract's.
    UnexpectedAnswer,
    /// An acknowledged write without a tag.
    MissingTag,
    /// A create answered as a replacement, or the other way round.
    WrongStatus,
    /// The state at the end was not read: nothing can be said about lost writes.
    NoFinalState,
}

/// More would bury the first.
const SHOWN: usize = 20;

impl Report {
    /// Whether there is no violation.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// Whether there is a violation of this kind.
    pub fn has(&self, kind: ViolationKind) -> bool {
        self.violations
            .iter()
            .any(|violation| violation.kind == kind)
    }

    pub(crate) fn add(&mut self, key: u64, kind: ViolationKind, explanation: impl Into<String>) {
        self.violations.push(Violation {
            key,
            kind,
            explanation: explanation.into(),
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.counts)?;
        let mut kinds = BTreeMap::<ViolationKind, usize>::new();
        for violation in &self.violations {
            *kinds.entry(violation.kind).or_default() += 1;
        }
        for (kind, count) in kinds {
            writeln!(f, "violation: {count} x {kind:?}")?;
        }
        for Violation {
            key,
            kind,
            explanation,
        } in self.violations.iter().take(SHOWN)
        {
            writeln!(f, "  post {key}: {kind:?}: {explanation}")?;
        }
        match self.violations.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more"),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            attempted,
            acknowledged,
            created,
            deleted,
            unknown,
            took_effect,
            reads,
            lost,
            forked,
            ..
        } = self;
        writeln!(
            f,
            "attempted {attempted}, acknowledged {acknowledged} (created {created}, deleted {deleted}), lost {lost}, forked {forked}"
        )?;
        writeln!(
            f,
            "unknown {unknown}, open outcomes that took effect {took_effect}, reads {reads}"
        )?;
        for ((status, reason), count) in &self.refused {
            writeln!(f, "refused {status} {reason}: {count}")?;
        }
        Ok(())
    }
}
