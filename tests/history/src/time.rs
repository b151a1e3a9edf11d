//! What began after something had ended must know of it.

use crate::{
    Moment, Operation, Read, Report, State, ViolationKind,
    chain::{Chain, Maker, Story, describe},
    operation::Effect,
};

/// Looks for stale reads, for absence seen during an incarnation, for incarnations that overlap, and for versions
/// that were there before the write that made them.
pub(crate) fn check(story: &Story<'_>, chain: &Chain<'_>, report: &mut Report) {
    let mut deleted = deleted(chain);
    let incarnations = incarnations(chain, &existed(story, chain, &deleted));
    for incarnation in &incarnations {
        if let Some(last) = incarnation.last {
            deleted[last] = deleted[last].min(over(incarnation, &incarnations, &story.reads));
        }
    }
    let existed = existed(story, chain, &deleted);
    report_early(story.key, chain, &existed, report);
    report_overlaps(story.key, &incarnations, report);
    for read in &story.reads {
        match &read.state {
            State::Present { tag, .. } => {
                if let Some(version) = chain.version_of(tag)
                    && replaced(chain, &existed, &deleted, version) < read.span.began
                {
                    let text = format!("{tag} was read after it had been replaced or deleted");
                    report.add(story.key, ViolationKind::StaleRead, text);
                }
            }
            State::Absent => {
                let during = incarnations.iter().find(|incarnation| {
                    incarnation.since < read.span.began && read.span.ended < incarnation.until
                });
                if let Some(incarnation) = during {
                    let text = format!(
                        "no post was seen in the incarnation that {} began",
                        incarnation.name
                    );
                    report.add(story.key, ViolationKind::AbsentWhileLive, text);
                }
            }
        }
    }
}

/// The moment by which each version had certainly been deleted, as far as the answers to deletes
/// tell.
fn deleted(chain: &Chain<'_>) -> Vec<Moment> {
    let deleted = chain.versions.iter().map(|version| {
        let deletes = version
            .successors
            .iter()
            .filter(|successor| successor.version.is_none());
        let answered = deletes.map(|successor| acknowledged(successor.write));
        answered.min().unwrap_or(Moment::NEVER)
    });
    deleted.collect()
}

/// The moment by which each version had certainly come into being: the earliest end of an answer
/// that showed it, or that acknowledged it or anything after it.
fn existed(story: &Story<'_>, chain: &Chain<'_>, deleted: &[Moment]) -> Vec<Moment> {
    let mut existed = vec![Moment::NEVER; chain.versions.len()];
    for read in &story.reads {
        if let Some(version) = read.state.tag().and_then(|tag| chain.version_of(tag)) {
            existed[version] = existed[version].min(read.span.ended);
        }
    }
    for version in chain.downwards().into_iter().rev() {
        let made = match chain.versions[version].maker {
            Maker::First => Moment::START,
            Maker::Write(write) => acknowledged(write),
            Maker::Nobody => Moment::NEVER,
        };
        existed[version] = existed[version]
            .min(made)
            .min(replaced(chain, &existed, deleted, version));
    }
    existed
}

/// The moment by which the version had certainly been replaced or deleted.
fn replaced(chain: &Chain<'_>, existed: &[Moment], deleted: &[Moment], version: usize) -> Moment {
    let successors = chain.versions[version].successors.iter();
    let next = successors.filter_map(|successor| successor.version);
    next.map(|next| existed[next])
        .min()
        .unwrap_or(Moment::NEVER)
        .min(deleted[version])
}

fn acknowledged(write: &Operation) -> Moment {
    match write.effect() {
        Effect::Happened => write.span.ended,
        Effect::Nothing | Effect::Open => Moment::NEVER,
    }
}

/// While the post certainly existed: after `since` and before `until`.
struct Incarnation {
    since: Moment,
    until: Moment,
    /// The version that was deleted.
    last: Option<usize>,
    name: String,
}

fn incarnations(chain: &Chain<'_>, existed: &[Moment]) -> Vec<Incarnation> {
    let mut incarnations = Vec::new();
    for (root, version) in chain.versions.iter().enumerate() {
        if chain.is_root(root) && !matches!(version.maker, Maker::Nobody) {
            let (last, until) = end(chain, root);
            incarnations.push(Incarnation {
                since: existed[root],
                until,
                last,
                name: describe(version.maker),
            });
        }
    }
    incarnations.sort_by_key(|incarnation| incarnation.since);
    incarnations
}

/// Which version was deleted, and when the delete was sent.
fn end(chain: &Chain<'_>, root: usize) -> (Option<usize>, Moment) {
    let mut version = root;
    // A broken history may go in circles.
    for _ in 0..=chain.versions.len() {
        match chain.versions[version].successors.first() {
            None => break,
            Some(successor) => match successor.version {
                Some(next) => version = next,
                None => return (Some(version), successor.write.span.began),
            },
        }
    }
    (None, Moment::NEVER)
}

/// The moment by which an incarnation had certainly ended, as far as others tell than the delete: what saw
/// no post and began after the post had been there, and the next incarnation.
fn over(incarnation: &Incarnation, incarnations: &[Incarnation], reads: &[&Read]) -> Moment {
    let absent = reads
        .iter()
        .filter(|read| read.state == State::Absent && incarnation.since < read.span.began);
    let next = incarnations
        .iter()
        .filter(|next| incarnation.since < next.since && next.since < next.until);
    absent
        .map(|read| read.span.ended)
        .chain(next.map(|next| next.since))
        .min()
        .unwrap_or(Moment::NEVER)
}

fn report_early(key: u64, chain: &Chain<'_>, existed: &[Moment], report: &mut Report) {
    for (version, existed) in chain.versions.iter().zip(existed) {
        if let Maker::Write(write) = version.maker
            && *existed < write.span.began
        {
            let text = format!("{} was there before {write} was sent", version.tag);
            report.add(key, ViolationKind::Unexplained, text);
        }
    }
}

fn report_overlaps(key: u64, incarnations: &[Incarnation], report: &mut Report) {
    let mut longest: Option<&Incarnation> = None;
    for incarnation in incarnations
        .iter()
        .filter(|incarnation| incarnation.since < incarnation.until)
    {
        if let Some(before) = longest.filter(|before| incarnation.since < before.until) {
            let text = format!(
                "{} began an incarnation in the one that {} began",
                incarnation.name, before.name
            );
            report.add(key, ViolationKind::CreatedOverLive, text);
        }
        if longest.is_none_or(|before| before.until < incarnation.until) {
            longest = Some(incarnation);
        }
    }
}
