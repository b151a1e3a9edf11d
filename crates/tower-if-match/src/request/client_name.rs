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

    /// Asks your hook who sent this. `None` without a hook.
    pub(crate) fn ask(&self, head: &Parts) -> Option<Caller> {
        Some(Caller(self.name.as_ref()?(head)))
    }

    /// The name of a client, truncated for use as a label: `unknown` if the hook returned none, `other` if there are
    /// too many already.
    pub(crate) fn name(&self, Caller(name): &Caller) -> Cow<'static, str> {
        let name = name.as_deref();
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Cow::Borrowed("unknown");
        };
        let name: String = name.chars().take(MOST_CHARACTERS).collect();
        // A panic elsewhere cannot have corrupted the set.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(name.as_str()) {
            if known.len() >= MOST_NAMES {
                return Cow::Borrowed("other");
            }
            known.insert(Arc::from(name.as_str()));
        }
        Cow::Owned(name)
    }
}

/// What your hook calls the client that sent a request.
pub(crate) struct Caller(Option<String>);

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

    fn named(clients: &Clients) -> Option<Cow<'static, str>> {
        let (head, ()) = http::Request::new(()).into_parts();
        Some(clients.name(&clients.ask(&head)?))
    }

    #[test]
    fn names_are_bounded_in_number_and_length() {
        let counter = Arc::new(Mutex::new(0));
        let clients = Clients::named_by(Arc::new(move |_| {
            let mut counter = counter.lock().unwrap_or_else(PoisonError::into_inner);
            *counter += 1;
            Some(format!("{counter:0>100}"))
        }));
        let names: BTreeSet<_> = (0..1000).filter_map(|_| named(&clients)).collect();
        assert!(names.iter().all(|name| name.len() <= MOST_CHARACTERS));
        // Once truncated, they all have the same name.
        assert_eq!(names.len(), 1);

        let counter = Arc::new(Mutex::new(0));
        let clients = Clients::named_by(Arc::new(move |_| {
            let mut counter = counter.lock().unwrap_or_else(PoisonError::into_inner);
            *counter += 1;
            Some(counter.to_string())
        }));
        let names: BTreeSet<_> = (0..1000).filter_map(|_| named(&clients)).collect();
        assert_eq!(names.len(), MOST_NAMES + 1);
        assert!(names.contains("other"));
    }

    #[test]
    fn a_client_without_a_name_is_unknown_and_without_a_hook_there_are_none() {
        let clients = Clients::named_by(Arc::new(|_| None));
        assert_eq!(named(&clients).as_deref(), Some("unknown"));
        assert_eq!(named(&Clients::default()), None);
    }
}
