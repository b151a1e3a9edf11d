//! The versions of one key and which write made each of them out of which.

use std::collections::{HashMap, HashSet};

use crate::{
    Kind, Marker, Operation, Outcome, Read, Report, State, ViolationKind, operation::Effect,
};

/// Everything about one key.
pub(crate) struct Story<'h> {
    pub(crate) key: u64,
    pub(crate) initial: &'h State,
    /// In the order in which they began.
    pub(crate) operations: Vec<&'h Operation>,
    pub(crate) reads: Vec<&'h Read>,
    pub(crate) last: &'h State,
}

impl<'h> Story<'h> {
    /// The states that were seen, the one at the end included.
    pub(crate) fn seen(&self) -> impl Iterator<Item = &'h State> {
        self.reads.iter().map(|read| &read.state).chain([self.last])
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Maker<'h> {
    /// It was there at the beginning.
    First,
    Write(&'h Operation),
    /// No write explains it.
    Nobody,
}

/// A write that took effect on a version, and the version it made: none for a delete, or if it was
/// never told.
pub(crate) struct Successor<'h> {
    pub(crate) write: &'h Operation,
    pub(crate) version: Option<usize>,
}

pub(crate) struct Version<'h> {
    pub(crate) tag: &'h str,
    pub(crate) maker: Maker<'h>,
    pub(crate) successors: Vec<Successor<'h>>,
}

/// The versions of one key as a graph; a tree with one path for each incarnation where nothing is wrong.
pub(crate) struct Chain<'h> {
    pub(crate) versions: Vec<Version<'h>>,
    by_tag: HashMap<&'h str, usize>,
    /// The writes with open outcome that were found to have taken effect.
    pub(crate) took_effect: HashSet<Marker>,
}

impl<'h> Chain<'h> {
    /// Puts the versions together and reports what has no explanation. `markers` knows the writes
    /// to all keys.
    pub(crate) fn build(
        story: &Story<'h>,
        markers: &HashMap<Marker, &'h Operation>,
        report: &mut Report,
    ) -> Self {
        let mut chain = Self {
            versions: Vec::new(),
            by_tag: HashMap::new(),
            took_effect: HashSet::new(),
        };
        if let Some(tag) = story.initial.tag() {
            chain.add(tag, Maker::First);
        }
        chain.add_acknowledged(story, report);
        chain.attribute_seen(story, markers, report);
        let gaps = chain.add_sent(story);
        chain.connect(story);
        chain.fill(&gaps, story, report);
        chain.end_incarnations(story);
        chain.report_forks(story.key, report);
        report.counts.took_effect += chain.took_effect.len();
        chain
    }

    pub(crate) fn version_of(&self, tag: &str) -> Option<usize> {
        self.by_tag.get(tag).copied()
    }

    /// The version that this one was made out of.
    pub(crate) fn parent(&self, version: usize) -> Option<usize> {
        match self.versions[version].maker {
            Maker::Write(write) => self.version_of(write.sent.as_deref()?),
            Maker::First | Maker::Nobody => None,
        }
    }

    /// Whether an incarnation begins with this version, or nothing is known about what was before.
    pub(crate) fn is_root(&self, version: usize) -> bool {
        match self.versions[version].maker {
            Maker::First | Maker::Nobody => true,
            Maker::Write(write) => write.kind == Kind::Create,
        }
    }

    /// All versions that a chain connects with a root, each after its parent.
    pub(crate) fn downwards(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.versions.len())
            .filter(|version| self.is_root(*version))
            .collect();
        let mut reached: HashSet<usize> = order.iter().copied().collect();
        let mut next = 0;
        while let Some(version) = order.get(next).copied() {
            next += 1;
            let children = self.versions[version]
                .successors
                .iter()
                .filter_map(|successor| successor.version);
            order.extend(children.filter(|child| reached.insert(*child)));
        }
        order
    }

    fn add(&mut self, tag: &'h str, maker: Maker<'h>) {
        self.by_tag.insert(tag, self.versions.len());
        self.versions.push(Version {
            tag,
            maker,
            successors: Vec::new(),
        });
    }

    fn add_acknowledged(&mut self, story: &Story<'h>, report: &mut Report) {
        for write in &story.operations {
            let Outcome::Acknowledged { tag, created } = &write.outcome else {
                continue;
            };
            if *created != (write.kind == Kind::Create) {
                report.add(
                    story.key,
                    ViolationKind::WrongStatus,
                    format!("{write}, created: {created}"),
                );
            }
            match tag {
                _ if write.kind == Kind::Delete => {}
                None => report.add(story.key, ViolationKind::MissingTag, write.to_string()),
                Some(tag) => match self.version_of(tag) {
                    None => self.add(tag, Maker::Write(write)),
                    Some(first) => {
                        let first = describe(self.versions[first].maker);
                        let text = format!("{tag} was made by {first} and again by {write}");
                        report.add(story.key, ViolationKind::DuplicateTag, text);
                    }
                },
            }
        }
    }

    /// A tag that no answer to a write told: the content that was seen with it says which write
    /// made it.
    fn attribute_seen(
        &mut self,
        story: &Story<'h>,
        markers: &HashMap<Marker, &'h Operation>,
        report: &mut Report,
    ) {
        for state in story.seen() {
            let State::Present { tag, content } = state else {
                continue;
            };
            if self.version_of(tag).is_some() {
                continue;
            }
            let writer = content
                .content
                .and_then(|marker| markers.get(&marker))
                .copied();
            let untold = writer.filter(|write| {
                write.key == story.key && write.kind != Kind::Delete && told_tag(write).is_none()
            });
            let maker = match untold {
                Some(write) if write.effect() == Effect::Nothing => Maker::Nobody,
                Some(write) if self.took_effect.insert(write.marker) => Maker::Write(write),
                Some(write) => {
                    let text = format!("{tag} is a second version with what {write} wrote");
                    report.add(story.key, ViolationKind::TookEffectTwice, text);
                    Maker::Nobody
                }
                None => {
                    let text = format!(
                        "{tag} was seen with {content}, and no write is known that can have made it"
                    );
                    report.add(story.key, ViolationKind::Unexplained, text);
                    Maker::Nobody
                }
            };
            self.add(tag, maker);
        }
    }

    /// Adds the tags that were sent and never seen with content; returns them.
    fn add_sent(&mut self, story: &Story<'h>) -> Vec<usize> {
        let mut gaps = Vec::new();
        for write in story
            .operations
            .iter()
            .filter(|write| write.effect() != Effect::Nothing)
        {
            if let Some(tag) = write.sent.as_deref()
                && self.version_of(tag).is_none()
            {
                gaps.push(self.versions.len());
                self.add(tag, Maker::Nobody);
            }
        }
        gaps
    }

    fn connect(&mut self, story: &Story<'h>) {
        for write in &story.operations {
            if write.effect() == Effect::Happened || self.took_effect.contains(&write.marker) {
                let made = self.made_by(write);
                self.succeed(write, made);
            }
        }
    }

    pub(crate) fn succeed(&mut self, write: &'h Operation, version: Option<usize>) {
        if let Some(parent) = write.sent.as_deref().and_then(|tag| self.version_of(tag)) {
            self.versions[parent]
                .successors
                .push(Successor { write, version });
        }
    }

    fn made_by(&self, write: &Operation) -> Option<usize> {
        match told_tag(write) {
            Some(tag) => self.version_of(tag),
            None => self.versions.iter().position(
                |version| matches!(version.maker, Maker::Write(maker) if maker.marker == write.marker),
            ),
        }
    }

    fn report_forks(&self, key: u64, report: &mut Report) {
        for version in self
            .versions
            .iter()
            .filter(|version| version.successors.len() > 1)
        {
            let writes: Vec<String> = version
                .successors
                .iter()
                .map(|successor| successor.write.to_string())
                .collect();
            let text = format!(
                "{} was replaced {} times: {}",
                version.tag,
                writes.len(),
                writes.join("; ")
            );
            report.add(key, ViolationKind::Fork, text);
            report.counts.forked += 1;
        }
    }
}

pub(crate) fn describe(maker: Maker<'_>) -> String {
    match maker {
        Maker::First => "the first version".to_owned(),
        Maker::Write(write) => write.to_string(),
        Maker::Nobody => "an unknown write".to_owned(),
    }
}

fn told_tag(write: &Operation) -> Option<&str> {
    match &write.outcome {
        Outcome::Acknowledged { tag, .. } => tag.as_deref(),
        Outcome::Refused { .. } | Outcome::Unknown => None,
    }
}
