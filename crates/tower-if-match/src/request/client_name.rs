//! The names that you give to clients, for the log and for metrics.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;

/// How many clients are distinguished. A name may come from a field that the client controls, and every name
/// is a time series that is kept as long as the process runs.
const MOST_NAMES: usize = 64;

/// The maximum length of a name, in characters.
const MOST_CHARACTERS: usize = 64;

/// Names clients, if there is a hook that does.
#[derive(Clone, Default)]
pub(crate) struct Clients {
    name: Option<Arc<NameClient>>,
    known: Arc<Mutex<BTreeSet<Arc<str>>>>,
}

type NameClient = dyn Fn(&Parts) -> Option<String> + Send + Sync;

impl Clients {
    pub(crate) fn named_by(name: Arc<NameClient>) -> Self {
        Self {
            name: Some(name),
            known: Arc::default(),
        }
    }

    /// Whether there is a hook that names them.
    pub(crate) fn are_named(&self) -> bool {
        self.name.is_some()
    }

    /// The name of the client that sent this, truncated for use as a label: `unknown` if the hook returns none,
    /// `other` if there are too many already. `None` without a hook.
    pub(crate) fn name(&self, head: &Parts) -> Option<Cow<'static, str>> {
        let name = self.name.as_ref()?(head);
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Some(Cow::Borrowed("unknown"));
        };
        let name: String = name.chars().take(MOST_CHARACTERS).collect();
        // A panic elsewhere cannot have corrupted the set.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(name.as_str()) {
            if known.len() >= MOST_NAMES {
                return Some(Cow::Borrowed("other"));
            }
            known.insert(Arc::from(name.as_str()));
        }
        Some(Cow::Owned(name))
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients")
            .field("named", &self.are_named())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Parts {
        http::Request::new(()).into_parts().0
    }

    #[test]
    fn names_are_bounded_in_number_and_length() {
        let counter = Arc::new(Mutex::new(0));
        let clients = Clients::named_by(Arc::new(move |_| {
            let mut counter = counter.lock().unwrap_or_else(PoisonError::into_inner);
            *counter += 1;
            Some(format!("{counter:0>100}"))
        }));
        let names: BTreeSet<_> = (0..1000).filter_map(|_| clients.name(&parts())).collect();
        assert!(names.iter().all(|name| name.len() <= MOST_CHARACTERS));
        // Once truncated, they all have the same name.
        assert_eq!(names.len(), 1);

        let counter = Arc::new(Mutex::new(0));
        let clients = Clients::named_by(Arc::new(move |_| {
            let mut counter = counter.lock().unwrap_or_else(PoisonError::into_inner);
            *counter += 1;
            Some(counter.to_string())
        }));
        let names: BTreeSet<_> = (0..1000).filter_map(|_| clients.name(&parts())).collect();
        assert_eq!(names.len(), MOST_NAMES + 1);
        assert!(names.contains("other"));
    }

    #[test]
    fn a_client_without_a_name_is_unknown_and_without_a_hook_there_are_none() {
        let clients = Clients::named_by(Arc::new(|_| None));
        assert_eq!(clients.name(&parts()).as_deref(), Some("unknown"));
        assert_eq!(Clients::default().name(&parts()), None);
    }
}
