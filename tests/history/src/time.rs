//! What began after something had ended must know of it.

use crate::{
    Moment, Operation, Report, State, ViolationKind,
    chain::{Chain, Maker, Story, describe},
    operation::Effect,
};

/// Looks for stale reads, for absence seen during a life, and for lives that overlap.
pub(crate) fn check(story: &Story<'_>, chain: &Chain<'_>, report: &mut Report) {
    let existed = existed(story, chain);
    let lives = lives(chain, &existed);
    report_overlaps(story.key, &lives, report);
    for read in &story.reads {
        match &read.state {
            State::Present { tag, .. } => {
                if let Some(version) = chain.version_of(tag)
                    && replaced(chain, &existed, version) < read.span.began
                {
                    let text = format!("{tag} was read after it had been replaced");
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

/// The moment by which each version had certainly come into being: the earliest end of an answer
/// that showed it, or that acknowledged it or anything after it.
fn existed(story: &Story<'_>, chain: &Chain<'_>) -> Vec<Moment> {
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
            .min(replaced(chain, &existed, version));
    }
    existed
}

/// The moment by which the version had certainly been replaced or deleted.
fn replaced(chain: &Chain<'_>, existed: &[Moment], version: usize) -> Moment {
    let after =
        chain.versions[version]
            .successors
            .iter()
            .map(|successor| match successor.version {
                Some(next) => existed[next],
                None => acknowledged(successor.write),
            });
    after.min().unwrap_or(Moment::NEVER)
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
    name: String,
}

fn lives(chain: &Chain<'_>, existed: &[Moment]) -> Vec<Life> {
    let mut lives = Vec::new();
    for (root, version) in chain.versions.iter().enumerate() {
        if chain.is_root(root) && !matches!(version.maker, Maker::Nobody) {
            let (since, until) = (existed[root], until(chain, root));
            lives.push(Life {
                since,
                until,
                name: describe(version.maker),
            });
        }
    }
    lives.sort_by_key(|life| life.since);
    lives
}

/// When the delete that ended the life was sent.
fn until(chain: &Chain<'_>, root: usize) -> Moment {
    let mut version = root;
    // A broken history may go in circles.
    for _ in 0..=chain.versions.len() {
        match chain.versions[version].successors.first() {
            None => break,
            Some(successor) => match successor.version {
                Some(next) => version = next,
                None => return successor.write.span.began,
            },
        }
    }
    Moment::NEVER
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
