//! The definition of linearizability, tried out: slow, and nothing of the checker's reasoning in it.

use std::collections::HashSet;

use history::{Content, History, Kind, Marker, Moment, Operation, Outcome, Span, State};

#[derive(Clone, Copy)]
enum Event<'h> {
    Shows(&'h State),
    Writes(&'h Operation),
    /// No answer tells whether it took effect.
    MayWrite(&'h Operation),
}

/// Whether one register can have gone through this key's history: in some order in which nothing
/// comes before what had ended when it began, every read shows what the writes before it left, every
/// write that took effect found the version that it names, and the final state is what is left.
pub(crate) fn explains(history: &History, key: u64) -> bool {
    let search = Search::new(history, key);
    assert!(search.events.len() < 64, "too long to try every order");
    let mut tried = HashSet::new();
    let mut open = vec![(0, history.initial[&key].clone())];
    while let Some((done, state)) = open.pop() {
        if search.all_shown(done) && state == history.finals[&key] {
            return true;
        }
        if !tried.insert((done, state.clone())) {
            continue;
        }
        let next = (0..search.events.len()).filter(|at| done & (1 << at) == 0);
        for at in next.filter(|at| search.events[*at].0.began <= search.first_end(done)) {
            let after = match search.events[at].1 {
                Event::Shows(seen) => (*seen == state).then(|| state.clone()),
                Event::Writes(write) | Event::MayWrite(write) => search.write(write, &state),
            };
            open.extend(after.map(|after| (done | (1 << at), after)));
        }
    }
    false
}

struct Search<'h> {
    events: Vec<(Span, Event<'h>)>,
    last: &'h State,
}

impl<'h> Search<'h> {
    fn new(history: &'h History, key: u64) -> Self {
        let reads = history.reads.iter().filter(|read| read.key == key);
        let reads = reads.map(|read| (read.span, Event::Shows(&read.state)));
        let writes = history.operations.iter().filter(|write| write.key == key);
        let writes = writes.filter_map(|write| match write.outcome {
            Outcome::Acknowledged { .. } => Some((write.span, Event::Writes(write))),
            Outcome::Unknown => Some((write.span, Event::MayWrite(write))),
            Outcome::Refused { .. } => None,
        });
        Self {
            events: reads.chain(writes).collect(),
            last: &history.finals[&key],
        }
    }

    fn all_shown(&self, done: u64) -> bool {
        self.events
            .iter()
            .enumerate()
            .all(|(at, (_, event))| done & (1 << at) != 0 || matches!(event, Event::MayWrite(_)))
    }

    /// The earliest end of what has no place in the order yet.
    fn first_end(&self, done: u64) -> Moment {
        let ends = self.events.iter().enumerate();
        let ends = ends.filter(|(at, _)| done & (1 << at) == 0);
        ends.map(|(_, (span, _))| span.ended)
            .min()
            .unwrap_or(Moment::NEVER)
    }

    fn write(&self, write: &Operation, state: &State) -> Option<State> {
        if write.sent.as_deref() != state.tag() {
            return None;
        }
        let content = match (write.kind, state) {
            (Kind::Delete, _) => return Some(State::Absent),
            (Kind::Patch, State::Present { content, .. }) => content.patched(write.marker),
            _ => Content::replaced(write.marker),
        };
        let tag = match &write.outcome {
            Outcome::Acknowledged { tag, .. } => tag.clone()?,
            Outcome::Refused { .. } | Outcome::Unknown => self.tag_with(write.marker),
        };
        Some(State::Present { tag, content })
    }

    /// The tag under which this was seen, or one that nobody saw.
    fn tag_with(&self, marker: Marker) -> String {
        let shown = self.events.iter().filter_map(|(_, event)| match event {
            Event::Shows(state) => Some(*state),
            Event::Writes(_) | Event::MayWrite(_) => None,
        });
        let mut tags = shown.chain([self.last]).filter_map(|state| match state {
            State::Present { tag, content } if content.content == Some(marker) => Some(tag.clone()),
            _ => None,
        });
        tags.next().unwrap_or_else(|| format!("made by {marker}"))
    }
}
