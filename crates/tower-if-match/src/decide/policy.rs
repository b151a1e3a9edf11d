use http::Method;
use smallvec::SmallVec;

/// What requests need to pass: a value that every layer takes.
///
/// The default is strict: every method that is not known to be safe needs a condition, and only PUT creates.
///
/// ```
/// use http::Method;
/// use tower_if_match::{IfMatchLayer, MemoryStore, PathKey, Policy};
/// # let posts: MemoryStore<u64, String> = MemoryStore::new();
///
/// let policy = Policy::new()
///     .with_condition_exempt(Method::POST)
///     .with_wildcard_refused();
/// let guard = IfMatchLayer::new("posts", posts, PathKey).with_policy(policy);
/// ```
#[derive(Clone, Debug)]
#[must_use = "it changes nothing until a layer takes it"]
pub struct Policy {
    needs: SmallVec<[(Method, Need); 2]>,
    creating: Creating,
    wildcard_refused: bool,
    weakened_accepted: bool,
    report_only: bool,
}

/// The methods that create the resource if it is absent.
#[derive(Clone, Debug)]
enum Creating {
    /// Not set: PUT, or all methods if nothing is known about the handlers.
    Unsaid {
        all: bool,
    },
    These(SmallVec<[Method; 2]>),
}

/// Whether a write needs a condition. One that was sent is evaluated in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Without one: 428.
    Required,
    /// Without one the write proceeds on whatever version there is, which is read from the store.
    Optional,
    /// Without one the write proceeds, and the store is not even queried.
    Exempt,
}

impl Policy {
    /// The default.
    pub fn new() -> Self {
        Self {
            needs: SmallVec::new(),
            creating: Creating::Unsaid { all: false },
            wildcard_refused: false,
            weakened_accepted: false,
            report_only: false,
        }
    }

    /// Lets writes with this method pass without a condition. A condition that is sent is still evaluated, and
    /// the handler still has to settle its write.
    ///
    /// **Loosens safety**: a client that sends no condition overwrites blindly.
    pub fn with_condition_optional(self, method: Method) -> Self {
        self.with_need(method, Need::Optional)
    }

    /// Like [`with_condition_optional`](Self::with_condition_optional), but does not even query the store if no
    /// condition is sent, unless there is an authorization hook or the strategy holds something: for methods that overwrite nothing, such as a POST that adds to a resource. Under a
    /// [`RepresentationLayer`](crate#closing-the-race) the write still waits for the lock.
    ///
    /// **Loosens safety**: a client that sends no condition overwrites blindly.
    pub fn with_condition_exempt(self, method: Method) -> Self {
        self.with_need(method, Need::Exempt)
    }

    /// The methods that create the resource if it is absent: these and no others, PUT only if you name it. Their conditions are evaluated even if the
    /// target is absent; other methods reach the handler, which responds with 404 (RFC 9110 §13.2.1).
    ///
    /// Default: PUT. Around a whole service ([`RepresentationLayer`](crate#closing-the-race)): all methods,
    /// because nothing is known about its handlers.
    pub fn with_creating_methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.creating = Creating::These(methods.into_iter().collect());
        self
    }

    /// Rejects `If-Match: *` with 428: it proves that the resource exists, not that the client has seen the
    /// latest version. Where no condition is required, `*` still passes, because so would no condition at all.
    ///
    /// Default: `If-Match: *` counts as a condition, as in RFC 9110.
    pub fn with_wildcard_refused(mut self) -> Self {
        self.wildcard_refused = true;
        self
    }

    /// Lets a weak tag satisfy If-Match if this service minted it and it names the current version: for
    /// clients behind a proxy that weakens tags when it compresses, as nginx does.
    ///
    /// **Loosens safety, and deviates deliberately** from RFC 9110 §13.1.1, under which a weak tag never matches, because a weak
    /// validator may stay the same across a significant change. A minted one does not: it changes with the
    /// version, even if an intermediary weakened it. A weak tag that the store itself supplied still fails.
    /// Reads are not affected.
    ///
    /// Default: 412 `weak_tag`, which tells the client what happened.
    pub fn with_weakened_tags_accepted(mut self) -> Self {
        self.weakened_accepted = true;
        self
    }

    /// Does not refuse writes without a condition, but reports what would have been refused: for introducing
    /// the layer while you do not know yet whether clients send conditions. `docs/rollout.md` leads from here
    /// to enforcing.
    ///
    /// Two refusals are waived: 428 `missing_condition`, and 500 `unguarded_write` for a handler that does not
    /// settle [`Expected`](crate::Expected) yet. The response carries `If-Match-Report` with the reason, a
    /// warning names the client ([`Refusals::with_client_name`](crate::Refusals::with_client_name)), and with
    /// the feature `metrics` it is counted.
    ///
    /// Everything else stays as it is: a condition that was sent and fails is 412, a malformed one is 400, and
    /// the store is queried only for writes with conditions, for an authorization hook, or if the strategy holds
    /// something. A [`BulkLayer`](crate#features) has no such mode, and panics. Under
    /// [`Transaction`](crate::Transaction) a handler that takes [`Tx`](crate::Tx) still has to give it back:
    /// otherwise its write is rolled back, so its success must not reach the client.
    ///
    /// **Loosens safety**: a client that sends no condition overwrites blindly, as it did before.
    ///
    /// ```
    /// use tower_if_match::{Policy, Refusals};
    /// # use tower_if_match::{IfMatchLayer, MemoryStore, PathKey};
    /// # let posts: MemoryStore<u64, String> = MemoryStore::new();
    ///
    /// let refusals = Refusals::new().with_client_name(|head| {
    ///     let client = head.headers.get("x-client-name")?;
    ///     Some(client.to_str().ok()?.to_owned())
    /// });
    /// let guard = IfMatchLayer::new("posts", posts, PathKey)
    ///     .with_refusals(refusals)
    ///     .with_policy(Policy::new().with_report_only());
    /// ```
    pub fn with_report_only(mut self) -> Self {
        self.report_only = true;
        self
    }

    fn with_need(mut self, method: Method, need: Need) -> Self {
        self.needs.retain(|(named, _)| *named != method);
        self.needs.push((method, need));
        self
    }

    /// For handlers about which nothing is known: any method may create what is absent, unless you set which do.
    #[cfg(feature = "representation")]
    pub(crate) fn where_any_method_may_create(mut self) -> Self {
        if let Creating::Unsaid { all } = &mut self.creating {
            *all = true;
        }
        self
    }
}

impl Policy {
    pub(crate) fn need(&self, method: &Method) -> Need {
        let rule = self.needs.iter().find(|(named, _)| named == method);
        rule.map_or(Need::Required, |(_, need)| *need)
    }

    /// Whether a write with this method proceeds without a condition and without reading the current version.
    pub(crate) fn asks_nothing(&self, method: &Method) -> bool {
        match self.need(method) {
            Need::Exempt => true,
            Need::Required => self.report_only,
            Need::Optional => false,
        }
    }

    pub(crate) fn creates(&self, method: &Method) -> bool {
        match &self.creating {
            Creating::Unsaid { all } => *all || *method == Method::PUT,
            Creating::These(methods) => methods.contains(method),
        }
    }

    pub(crate) fn refuses_wildcard(&self) -> bool {
        self.wildcard_refused
    }

    pub(crate) fn accepts_weakened(&self) -> bool {
        self.weakened_accepted
    }

    /// Whether unguarded writes proceed, and the layer only reports why it would have refused them.
    pub(crate) fn reports_only(&self) -> bool {
        self.report_only
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}
