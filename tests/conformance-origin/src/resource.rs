//! A resource in the state that a script gave it, as the layer's store sees it and as it counts.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use http::{Method, StatusCode};
use serde::Deserialize;
use tower_if_match::{Version, VersionStore};

/// The state of a resource and of the stack around it. It never changes; a new state is a new
/// resource.
#[derive(Debug)]
pub(crate) struct Script {
    /// The current version, or `None` where the resource is absent.
    pub(crate) version: Option<Version>,
    /// Whether a request's method, whichever it is, creates an absent resource. Otherwise PUT does.
    pub(crate) missing_creates: Option<bool>,
    /// What the rest of the stack answers.
    pub(crate) inner: Option<Inner>,
    /// What the server takes the time for.
    pub(crate) clock: Option<SystemTime>,
}

/// An answer of the rest of the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inner {
    pub(crate) status: StatusCode,
    pub(crate) phase: Phase,
}

/// When the rest of the stack knows its answer.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// Before the body is read, in a layer outside the precondition layer.
    #[default]
    Head,
    /// In the handler, once it has read the body.
    Content,
}

impl Script {
    pub(crate) fn creates(&self, method: &Method) -> bool {
        self.missing_creates.unwrap_or(method == Method::PUT)
    }

    pub(crate) fn inner_in(&self, phase: Phase) -> Option<StatusCode> {
        self.inner
            .filter(|inner| inner.phase == phase)
            .map(|inner| inner.status)
    }
}

/// A script and what happened under it.
#[derive(Debug)]
pub(crate) struct Resource {
    script: Script,
    runs: AtomicU64,
    polled: AtomicU64,
}

impl Resource {
    pub(crate) fn new(script: Script) -> Self {
        Self {
            script,
            runs: AtomicU64::new(0),
            polled: AtomicU64::new(0),
        }
    }

    pub(crate) fn script(&self) -> &Script {
        &self.script
    }

    /// Counts a run of the handler.
    pub(crate) fn count_run(&self) {
        self.runs.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a request whose body somebody polled.
    pub(crate) fn count_polled(&self) {
        self.polled.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::SeqCst)
    }

    pub(crate) fn polled(&self) -> u64 {
        self.polled.load(Ordering::SeqCst)
    }
}

/// The store of one resource, whose name is the only key that the layer's finder gives.
#[derive(Clone)]
pub(crate) struct Store(pub(crate) Arc<Resource>);

impl VersionStore for Store {
    type Key = String;
    type Revision = u64;
    type Error = Infallible;

    const ANSWERS_AT_ONCE: bool = true;

    /// The vectors are written for a store whose dates do.
    fn dates_advance(&self) -> bool {
        true
    }

    async fn current(&self, _: &String) -> Result<Option<Version>, Infallible> {
        Ok(self.0.script().version.clone())
    }
}
