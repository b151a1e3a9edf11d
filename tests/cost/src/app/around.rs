//! Layers around the whole router, as `examples/posts` mounts them.

use tower_drain::DrainLayer;
use tower_if_match::VariantLayer;

use super::App;
use crate::noop::NoopLayer;

impl App {
    /// The layer that does nothing.
    pub(crate) fn in_noop(self) -> Self {
        let router = self.router.layer(NoopLayer);
        Self { router, ..self }
    }

    /// The layer that reads what a refusal leaves of the body.
    pub(crate) fn in_drain(self) -> Self {
        let router = self.router.layer(DrainLayer::new());
        Self { router, ..self }
    }

    /// The layer for tags of encoded bodies. Nothing encodes here.
    pub(crate) fn in_variants(self) -> Self {
        let router = self.router.layer(VariantLayer::new());
        Self { router, ..self }
    }
}
