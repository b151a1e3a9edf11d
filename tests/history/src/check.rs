//! The check of a whole history.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    Counts, History, Kind, Marker, Operation, Outcome, Report, State, ViolationKind,
    chain::{Chain, Maker, Story, describe},
    content,
    operation::Effect,
    time,
};

pub(crate) fn check(history: &History) -> Report {
    let mut report = Report {
        counts: counts(history),
        ..Report::default()
    };
    report_answers(history, &mut report);
    report_foreign_tags(history, &mut report);
    let markers: HashMap<Marker, &Operation> = history
        .operations
        .iter()
        .map(|write| (write.marker, write))
        .collect();
    for story in stories(history, &mut report) {
        let chain = Chain::build(&story, &markers, &mut report);
        report_losses(&story, &chain, &mut report);
        content::check(&story, &chain, &markers, &mut report);
        time::check(&story, &chain, &mut report);
    }
    report
}

fn counts(history: &History) -> Counts {
    let mut counts = Counts {
        attempted: history.operations.len(),
        reads: history.reads.len(),
        ..Counts::default()
    };
    for write in &history.operations {
        match &write.outcome {
            Outcome::Acknowledged { .. } => {
                counts.acknowledged += 1;
                counts.created += usize::from(write.kind == Kind::Create);
                counts.deleted += usize::from(write.kind == Kind::Delete);
            }
            Outcome::Refused { status, reason } => {
                *counts.refused.entry((*status, reason.clone())).or_default() += 1;
            }
            Outcome::Unknown => counts.unknown += 1,
        }
    }
    counts
}

fn report_answers(history: &History, report: &mut Report) {
    for (key, text) in &history.unexpected {
        report.add(*key, ViolationKind::UnexpectedAnswer, text);
    }
    for write in &history.operations {
        if let Outcome::Refused { status, .. } = &write.outcome
            && !matches!(status, 404 | 412 | 503)
        {
            report.add(
                write.key,
                ViolationKind::UnexpectedAnswer,
                write.to_string(),
            );
        }
    }
}

fn report_foreign_tags(history: &History, report: &mut Report) {
    let mut keys = HashMap::<&str, u64>::new();
    for (key, state) in &history.initial {
        keys.extend(state.tag().map(|tag| (tag, *key)));
    }
    for write in &history.operations {
        if let Outcome::Acknowledged { tag: Some(tag), .. } = &write.outcome {
            let key = *keys.entry(tag).or_insert(write.key);
            if key != write.key {
                let text = format!("{write}; {tag} is a version of post {key}");
                report.add(write.key, ViolationKind::ForeignTag, text);
            }
        }
    }
}

fn stories<'h>(history: &'h History, report: &mut Report) -> Vec<Story<'h>> {
    let mut keys: BTreeMap<u64, (Vec<_>, Vec<_>)> = BTreeMap::new();
    for key in history.initial.keys().chain(history.finals.keys()) {
        keys.entry(*key).or_default();
    }
    for write in &history.operations {
        keys.entry(write.key).or_default().0.push(write);
    }
    for read in &history.reads {
        keys.entry(read.key).or_default().1.push(read);
    }
    let mut stories = Vec::new();
    for (key, (mut operations, reads)) in keys {
        // Tasks record side by side. Of several writes without an answer that can have done the
        // same, the one that began first contradicts nothing that a later one does not.
        operations.sort_by_key(|write| write.span.began);
        let initial = history.initial.get(&key).unwrap_or(&State::Absent);
        match history.finals.get(&key) {
            Some(last) => stories.push(Story {
                key,
                initial,
                operations,
                reads,
                last,
            }),
            None => report.add(
                key,
                ViolationKind::NoFinalState,
                "the state at the end is missing",
            ),
        }
    }
    stories
}

/// Every version has to lead to the final state or to the end of an incarnation.
fn report_losses(story: &Story<'_>, chain: &Chain<'_>, report: &mut Report) {
    let last = story.last.tag().and_then(|tag| chain.version_of(tag));
    if let Some(version) = last.map(|last| &chain.versions[last])
        && let Some(successor) = version.successors.first()
    {
        let text = format!(
            "the final state is {}, which was replaced by {}",
            version.tag, successor.write
        );
        report.add(story.key, ViolationKind::FinalReplaced, text);
    }

    let ended = (0..chain.versions.len()).filter(|at| {
        chain.versions[*at]
            .successors
            .iter()
            .any(|successor| successor.version.is_none())
    });
    let mut kept = HashSet::new();
    for end in ended.chain(last) {
        let mut above = Some(end);
        while let Some(version) = above.filter(|version| kept.insert(*version)) {
            above = chain.parent(version);
        }
    }

    let connected: HashSet<usize> = chain.downwards().into_iter().collect();
    for (at, version) in chain.versions.iter().enumerate() {
        if !connected.contains(&at) {
            let text = format!("{} was made by {}", version.tag, describe(version.maker));
            report.add(story.key, ViolationKind::Detached, text);
        }
        if kept.contains(&at) || matches!(version.maker, Maker::Nobody) {
            continue;
        }
        if matches!(version.maker, Maker::Write(write) if write.effect() == Effect::Happened) {
            report.counts.lost += 1;
        }
        let last = story.last.tag().unwrap_or("no post");
        let text = format!(
            "{}, made by {}, leads neither to the final state ({last}) nor to a delete",
            version.tag,
            describe(version.maker)
        );
        report.add(story.key, ViolationKind::Lost, text);
    }
}

#[cfg(test)]
mod tests;
