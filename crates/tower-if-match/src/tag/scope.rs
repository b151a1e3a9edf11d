use std::sync::Arc;

use version_store::KeyEncoder;

/// The name of a kind of resource.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The prefix of every encoding.
    pub(super) encoded: KeyEncoder,
    name: Arc<str>,
}

impl Default for Scope {
    fn default() -> Self {
        Self::new("")
    }
}

impl Scope {
    pub(super) fn new(name: &str) -> Self {
        let mut encoded = KeyEncoder::new();
        encoded.text(name);
        Self {
            encoded,
            name: Arc::from(name),
        }
    }

    /// The prefix of every encoding in this scope.
    pub(crate) fn encoded(&self) -> &KeyEncoder {
        &self.encoded
    }

    /// The name that you gave it.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }
}
