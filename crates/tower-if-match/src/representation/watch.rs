//! Detects resources whose representation changes by itself, because it contains a time, a counter or a random
//! value. Every write to such a resource is refused as stale, for no apparent reason.

use std::collections::HashMap;
use std::fmt;

use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was last seen of each resource, and how many writes there were.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Mutex<SeenTable>>);

/// Identifies a resource and the client that reads it.
pub(super) type Id = [u8; 32];

/// A time at which no write was running, as the number of writes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(u64);

#[derive(Default)]
struct SeenTable {
    began: u64,
    ended: u64,
    seen: HashMap<Id, LastSeen>,
}

struct LastSeen {
    revision: String,
    /// When it was seen, if no write was running.
    moment: Option<Moment>,
    /// Whether it was read a second time because of a stale tag.
    looked_again: bool,
    /// Whether it is known to change by itself, and was reported.
    reported: bool,
}

/// For how many resources the last sight is remembered.
pub(super) const MOST: usize = 1024;

impl Watch {
    /// Records that a write begins. It ends when the returned value is dropped.
    pub(super) fn began(&self) -> WriteAtWork {
        self.table().began += 1;
        WriteAtWork(self.clone())
    }

    /// Now, if no write is running.
    pub(super) fn moment(&self) -> Option<Moment> {
        let table = self.table();
        (table.began == table.ended).then_some(Moment(table.began))
    }

    /// Whether this differs from what was seen last, with no write in between. A read that began at `moment`
    /// saw it.
    pub(super) fn differs(&self, id: Id, moment: Option<Moment>, revision: &str) -> bool {
        let mut table = self.table();
        if let Some(seen) = table.seen.get_mut(&id) {
            let since = moment.is_some() && seen.moment == moment;
            let differs = since && seen.revision != revision && !seen.reported;
            revision.clone_into(&mut seen.revision);
            seen.moment = moment;
            return differs;
        }
        if table.seen.len() >= MOST
            && let Some(any) = table.seen.keys().next().copied()
        {
            table.seen.remove(&any);
        }
        let seen = LastSeen {
            revision: revision.to_owned(),
            moment,
            looked_again: false,
            reported: false,
        };
        table.seen.insert(id, seen);
        false
    }

    /// Whether this is the first stale tag of this resource, and so worth a second look.
    pub(super) fn first_stale(&self, id: &Id) -> bool {
        let mut table = self.table();
        let seen = table.seen.get_mut(id);
        seen.is_some_and(|seen| !std::mem::replace(&mut seen.looked_again, true))
    }

    /// Whether this resource is not known yet to change by itself. From now on it is.
    pub(super) fn first_report(&self, id: &Id) -> bool {
        let mut table = self.table();
        let seen = table.seen.get_mut(id);
        seen.is_none_or(|seen| !std::mem::replace(&mut seen.reported, true))
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.table().seen.len()
    }

    fn table(&self) -> MutexGuard<'_, SeenTable> {
        // Nothing panics while it is held, and a wrong guess costs only one more GET.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does not show what clients have seen.
impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// A running write.
#[derive(Debug)]
pub(super) struct WriteAtWork(Watch);

impl Drop for WriteAtWork {
    fn drop(&mut self) {
        self.0.table().ended += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_counts_only_where_no_write_was_at_work_in_between() {
        let watch = Watch::default();
        let id = [7; 32];
        assert!(!watch.differs(id, watch.moment(), "a"), "the first look");
        assert!(!watch.differs(id, watch.moment(), "a"));
        assert!(watch.differs(id, watch.moment(), "b"));
        let writing = watch.began();
        assert!(
            !watch.differs(id, watch.moment(), "c"),
            "a write is at work"
        );
        drop(writing);
        assert!(!watch.differs(id, watch.moment(), "d"), "one was");
        assert!(watch.differs(id, watch.moment(), "e"));
        assert!(watch.first_report(&id));
        assert!(!watch.first_report(&id));
        assert!(!watch.differs(id, watch.moment(), "f"), "known already");
    }

    #[test]
    fn one_stale_tag_is_worth_a_second_look() {
        let watch = Watch::default();
        watch.differs([7; 32], watch.moment(), "a");
        assert!(watch.first_stale(&[7; 32]));
        assert!(!watch.first_stale(&[7; 32]));
    }

    #[test]
    fn it_remembers_no_more_than_so_many() {
        let watch = Watch::default();
        for resource in 0..MOST as u64 * 2 {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&resource.to_be_bytes());
            watch.differs(id, watch.moment(), "a");
        }
        assert_eq!(watch.len(), MOST);
    }
}
