//! Content belongs to its tag.

use std::collections::{HashMap, HashSet};

use crate::{
    Content, Kind, Marker, Operation, Report, State, ViolationKind,
    chain::{Chain, Maker, Story, describe},
    operation::Effect,
};

/// Compares everything that was seen with what the write that made its tag must have left.
pub(crate) fn check(
    story: &Story<'_>,
    chain: &Chain<'_>,
    markers: &HashMap<Marker, &Operation>,
    report: &mut Report,
) {
    let written = written(story, chain);
    let mut reported = HashSet::new();
    for state in story.seen() {
        let State::Present { tag, content } = state else {
            continue;
        };
        // One wrong version may have been read a thousand times.
        if reported.contains(&(tag, content)) {
            continue;
        }
        let seen = [content.title, content.content];
        let refused = seen
            .iter()
            .flatten()
            .filter_map(|marker| markers.get(marker))
            .find(|write| write.effect() == Effect::Nothing);
        if let Some(write) = refused {
            reported.insert((tag, content));
            report.add(
                story.key,
                ViolationKind::RefusedSeen,
                format!("{write} was seen under {tag}"),
            );
            continue;
        }
        let Some(version) = chain.version_of(tag) else {
            continue;
        };
        if let Some(expected) = written[version]
            && expected != *content
        {
            reported.insert((tag, content));
            let maker = describe(chain.versions[version].maker);
            let text = format!("{tag} was seen with {content}; {maker} left {expected}");
            report.add(story.key, ViolationKind::WrongContent, text);
        }
    }
}

/// What each version must contain, where that is known.
fn written(story: &Story<'_>, chain: &Chain<'_>) -> Vec<Option<Content>> {
    let mut written = vec![None; chain.versions.len()];
    for version in chain.downwards() {
        written[version] = match chain.versions[version].maker {
            Maker::Nobody => None,
            Maker::First => match story.initial {
                State::Present { content, .. } => Some(*content),
                State::Absent => None,
            },
            Maker::Write(write) if write.kind == Kind::Patch => chain
                .parent(version)
                .and_then(|parent| written[parent])
                .map(|before| before.patched(write.marker)),
            Maker::Write(write) => Some(Content::replaced(write.marker)),
        };
    }
    written
}
