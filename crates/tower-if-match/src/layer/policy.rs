//! What requests need to be let through.

use http::Method;
use version_store::VersionStore;

use super::layer::IfMatchLayer;
use crate::decide::{Mode, Need};

impl<S: VersionStore, F: Clone, W: Clone> IfMatchLayer<S, F, W> {
    /// Lets writes by this method go without a condition. One that is sent is still evaluated, and
    /// the handler still says how its write ended.
    ///
    /// **Loosens safety**: a client that sends no condition overwrites blindly.
    pub fn with_condition_optional(self, method: Method) -> Self {
        self.with(|config| config.settings.policy.set_need(method, Need::Optional))
    }

    /// As [`with_condition_optional`](Self::with_condition_optional), and does not even ask the
    /// store where no condition was sent: for methods that overwrite nothing, such as a POST that
    /// adds to a resource.
    ///
    /// **Loosens safety**: a client that sends no condition overwrites blindly.
    pub fn with_condition_exempt(self, method: Method) -> Self {
        self.with(|config| config.settings.policy.set_need(method, Need::Exempt))
    }

    /// The methods that create the resource where it is absent. Their conditions are evaluated on an
    /// absent target; other methods go through to the handler's 404 (RFC 9110 §13.2.1).
    ///
    /// Default: PUT.
    pub fn with_creating_methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.with(|config| config.settings.policy.set_creating(methods))
    }

    /// Answers `If-Match: *` with 428: it keeps a client from creating, and from nothing else.
    ///
    /// Default: it satisfies the gate, as RFC 9110 has it.
    pub fn with_wildcard_refused(self) -> Self {
        self.with(|config| config.settings.policy.wildcard_refused = true)
    }

    /// Lets a weak tag satisfy If-Match where this service minted it and it names the current version:
    /// for clients behind a proxy that weakens tags when it compresses, as nginx does.
    ///
    /// **A named deviation** from RFC 9110 §13.1.1, which has a weak tag never match there, because a
    /// weak validator may stay the same over a change that matters. A minted one does not: it changes
    /// with the version, whatever became of its strength on the way. A weak tag of a store's own still
    /// fails. Reads are not concerned.
    ///
    /// Default: 412 `weak_tag`, which tells the client what happened.
    pub fn with_weakened_tags_accepted(self) -> Self {
        self.with(|config| config.settings.policy.weakened_accepted = true)
    }

    /// Refuses nothing for lack of a condition, and tells what it would have refused: for turning the layer
    /// on in front of clients of which nobody knows whether they send conditions. `docs/rollout.md` is
    /// the way from here to enforcing.
    ///
    /// Two refusals are waived: 428 `missing_condition`, and 500 `unguarded_write` for a handler that does not
    /// settle [`Expected`](crate::Expected) yet. The answer bears `If-Match-Report` with the reason, a
    /// warning event names the client ([`with_client_name`](Self::with_client_name)), and with the
    /// feature `metrics` it is counted.
    ///
    /// All else is as ever: a condition that was sent and fails is 412, a malformed one 400, and a store
    /// is asked only for writes with conditions, or where the way holds something. Under
    /// [`Transaction`](crate::Transaction) a handler that takes [`Tx`](crate::Tx) still has to give it
    /// back: what it wrote is undone otherwise, so its success is not let out.
    ///
    /// **Loosens safety**: a client that sends no condition overwrites blindly, as it did before.
    ///
    /// ```
    /// # use tower_if_match::{IfMatchLayer, MemoryStore, PathKey};
    /// # let posts: MemoryStore<u64, String> = MemoryStore::new();
    /// let guard = IfMatchLayer::new("posts", posts, PathKey)
    ///     .with_client_name(|head| {
    ///         let client = head.headers.get("x-client-name")?;
    ///         Some(client.to_str().ok()?.to_owned())
    ///     })
    ///     .with_report_only();
    /// ```
    pub fn with_report_only(self) -> Self {
        self.with(|config| config.settings.policy.mode = Mode::Reporting)
    }
}
