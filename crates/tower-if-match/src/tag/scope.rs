use std::sync::Arc;

use version_store::KeyEncoder;

/// The name of a kind of resource.
#[derive(Clone, Debug)]
pub struct Scope {
    /// With which every encoding begins.
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

    /// The encoding of what belongs to this scope begins with this.
    pub(crate) fn encoded(&self) -> &KeyEncoder {
        &self.encoded
    }

    /// As the owner named it.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }
}
