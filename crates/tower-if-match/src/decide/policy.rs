use http::Method;
use smallvec::{SmallVec, smallvec};

/// What the methods of a route need. The default is closed: every method that is not known to be
/// safe needs a condition, and only PUT creates.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    needs: SmallVec<[(Method, Need); 2]>,
    creating: Creating,
    pub(crate) wildcard_refused: bool,
    /// Whether a tag that something on the way weakened still names the version that it was minted for.
    pub(crate) weakened_accepted: bool,
    pub(crate) mode: Mode,
}

/// Whether writes that nothing guards are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They are.
    #[default]
    Enforcing,
    /// They go on, and it is told what they would have been refused for.
    Reporting,
}

/// The methods that create the resource where it is absent.
#[derive(Clone, Debug)]
enum Creating {
    All,
    These(SmallVec<[Method; 2]>),
}

/// Whether a write needs a condition. One that was sent is evaluated in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Without one: 428.
    Required,
    /// Without one the write goes on, on whatever version there is, which the store is asked for.
    Optional,
    /// Without one the write goes on and the store is not even asked.
    Exempt,
}

impl Policy {
    pub(crate) fn need(&self, method: &Method) -> Need {
        let rule = self.needs.iter().find(|(named, _)| named == method);
        rule.map_or(Need::Required, |(_, need)| *need)
    }

    /// Whether a write by this method goes on without a condition, and nobody needs to know what it
    /// writes over.
    pub(crate) fn asks_nothing(&self, method: &Method) -> bool {
        match self.need(method) {
            Need::Exempt => true,
            Need::Required => self.mode == Mode::Reporting,
            Need::Optional => false,
        }
    }

    pub(crate) fn creates(&self, method: &Method) -> bool {
        match &self.creating {
            Creating::All => true,
            Creating::These(methods) => methods.contains(method),
        }
    }

    pub(crate) fn set_need(&mut self, method: Method, need: Need) {
        self.needs.retain(|(named, _)| *named != method);
        self.needs.push((method, need));
    }

    pub(crate) fn set_creating(&mut self, methods: impl IntoIterator<Item = Method>) {
        self.creating = Creating::These(methods.into_iter().collect());
    }

    /// For handlers of which nothing is known: any of them may create what is absent.
    pub(crate) fn set_all_creating(&mut self) {
        self.creating = Creating::All;
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            needs: SmallVec::new(),
            creating: Creating::These(smallvec![Method::PUT]),
            wildcard_refused: false,
            weakened_accepted: false,
            mode: Mode::default(),
        }
    }
}
