//! What began after something had ended must know of it.

use crate::{
    Moment, Operation, Read, Report, State, ViolationKind,
    chain::{Chain, Maker, Story, describe},
    operation::Effect,
};

/// Looks for stale reads, for absence seen during a life, for lives that overlap, and for versions
/// that were there before the write that made them.
pub(crate) fn check(story: &Story<'_>, chain: &Chain<'_>, report: &mut Report) {
    let mut deleted = deleted(chain);
    let lives = lives(chain, &existed(story, chain, &deleted));
    for life in &lives {
        if let Some(last) = life.last {
            deleted[last] = deleted[last].min(over(life, &lives, &story.reads));
        }
    }
    let existed = existed(story, chain, &deleted);
    report_early(story.key, chain, &existed, report);
    report_overlaps(story.key, &lives, report);
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
                let during = lives
                    .iter()
                    .find(|life| life.since < read.span.began && read.span.ended < life.until);
                if let Some(life) = during {
                    let text = format!("no post was seen in the life that {} began", life.name);
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
struct Life {
    since: Moment,
    until: Moment,
    /// The version that was deleted.
    last: Option<usize>,
    name: String,
}

fn lives(chain: &Chain<'_>, existed: &[Moment]) -> Vec<Life> {
    let mut lives = Vec::new();
    for (root, version) in chain.versions.iter().enumerate() {
        if chain.is_root(root) && !matches!(version.maker, Maker::Nobody) {
            let (last, until) = end(chain, root);
            lives.push(Life {
                since: existed[root],
                until,
                last,
                name: describe(version.maker),
            });
        }
    }
    lives.sort_by_key(|life| life.since);
    lives
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

/// The moment by which a life had certainly ended, as far as others tell than the delete: what saw
/// no post and began after the post had been there, and the next life.
fn over(life: &Life, lives: &[Life], reads: &[&Read]) -> Moment {
    let absent = reads
        .iter()
        .filter(|read| read.state == State::Absent && life.since < read.span.began);
    let next = lives
        .iter()
        .filter(|next| life.since < next.since && next.since < next.until);
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

fn report_overlaps(key: u64, lives: &[Life], report: &mut Report) {
    let mut longest: Option<&Life> = None;
    for life in lives.iter().filter(|life| life.since < life.until) {
        if let Some(before) = longest.filter(|before| life.since < before.until) {
            let text = format!(
                "{} began a life in the one that {} began",
                life.name, before.name
            );
            report.add(key, ViolationKind::CreatedOverLive, text);
        }
        if longest.is_none_or(|before| before.until < life.until) {
            longest = Some(life);
        }
    }
}
