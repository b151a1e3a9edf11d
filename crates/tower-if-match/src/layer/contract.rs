use http::Method;
use version_store::VersionStore;

use super::layer::IfMatchLayer;
use crate::decide::{Need, Policy};

/// What a layer demands of requests and adds to responses, for tools that describe an API.
///
/// ```
/// use http::Method;
/// use tower_if_match::{IfMatchLayer, MemoryStore, PathKey};
///
/// let posts: MemoryStore<u64, String> = MemoryStore::new();
/// let contract = IfMatchLayer::new("posts", posts, PathKey).contract();
/// assert!(contract.requires_condition(&Method::PATCH));
/// assert!(contract.creates(&Method::PUT) && !contract.creates(&Method::PATCH));
/// ```
#[derive(Clone, Debug)]
pub struct Contract {
    policy: Policy,
    dates_advance: bool,
    reads_ask_store: bool,
    tells_conflicts: bool,
}

impl<S: VersionStore, F, W> IfMatchLayer<S, F, W> {
    /// What this layer does to the requests and responses of a route. Call it after you have made all settings.
    pub fn contract(&self) -> Contract {
        Contract {
            policy: self.guard.config.policy.clone(),
            dates_advance: self.guard.store.dates_advance(),
            reads_ask_store: self.guard.config.version_before_body,
            tells_conflicts: self.guard.conflicts.told.is_some(),
        }
    }
}

impl Contract {
    /// Whether a write with this method is refused with 428 if no condition guards it.
    pub fn requires_condition(&self, method: &Method) -> bool {
        !self.policy.reports_only() && self.policy.need(method) == Need::Required
    }

    /// Whether the method creates the resource if it is absent.
    pub fn creates(&self, method: &Method) -> bool {
        self.policy.creates(method)
    }

    /// Whether `If-Match: *` counts as a condition where one is required.
    pub fn accepts_wildcard(&self) -> bool {
        !self.policy.refuses_wildcard()
    }

    /// Whether `If-Unmodified-Since` alone counts as a condition.
    pub fn accepts_dates(&self) -> bool {
        self.dates_advance
    }

    /// Whether the layer is in report-only mode, and responses to writes may carry `If-Match-Report`.
    pub fn reports_only(&self) -> bool {
        self.policy.reports_only()
    }

    /// Whether reads query the store first, and can therefore be answered with 503.
    pub fn reads_ask_store(&self) -> bool {
        self.reads_ask_store
    }

    /// Whether a 412 carries conflict metadata.
    pub fn tells_conflicts(&self) -> bool {
        self.tells_conflicts
    }
}
