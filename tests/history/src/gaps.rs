//! What writes without a definite answer must have done, so that the rest fits together.

use crate::{
    Kind, Operation, Report, State, ViolationKind,
    chain::{Chain, Maker, Story},
    operation::Effect,
};

impl<'h> Chain<'h> {
    /// Explains each gap by a write whose outcome is open: one under a version that nothing else
    /// followed, and only without such a one a create.
    pub(crate) fn fill(&mut self, gaps: &[usize], story: &Story<'h>, report: &mut Report) {
        for gap in gaps.iter().copied() {
            let open = story.operations.iter().copied().filter(|write| {
                write.effect() == Effect::Open
                    && write.kind != Kind::Delete
                    && !self.took_effect.contains(&write.marker)
            });
            let fitting = open.filter(|write| self.can_have_made(write, gap, story.last));
            if let Some(write) = fitting.min_by_key(|write| write.kind == Kind::Create) {
                self.took_effect.insert(write.marker);
                self.versions[gap].maker = Maker::Write(write);
                self.succeed(write, Some(gap));
            } else {
                let tag = self.versions[gap].tag;
                let text = format!(
                    "a write was sent under {tag}, and no write is known that can have made it"
                );
                report.add(story.key, ViolationKind::Unexplained, text);
            }
        }
    }

    fn can_have_made(&self, write: &Operation, gap: usize, last: &State) -> bool {
        let Some(tag) = write.sent.as_deref() else {
            return write.kind == Kind::Create;
        };
        let Some(parent) = self.version_of(tag) else {
            return false;
        };
        let mut above = Some(parent);
        while let Some(version) = above {
            if version == gap {
                return false;
            }
            above = self.parent(version);
        }
        self.versions[parent].successors.is_empty() && last.tag() != Some(tag)
    }

    /// A version that nothing follows and that is not there at the end may have fallen to a delete
    /// without an answer: to the first one that named it, for all that is known.
    pub(crate) fn end_incarnations(&mut self, story: &Story<'h>) {
        for write in &story.operations {
            let Some(tag) = write.sent.as_deref() else {
                continue;
            };
            let ends = write.kind == Kind::Delete
                && write.effect() == Effect::Open
                && story.last.tag() != Some(tag)
                && self
                    .version_of(tag)
                    .is_some_and(|at| self.versions[at].successors.is_empty());
            if ends {
                self.took_effect.insert(write.marker);
                self.succeed(write, None);
            }
        }
    }
}
