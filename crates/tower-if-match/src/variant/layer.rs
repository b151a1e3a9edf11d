use tower_layer::Layer;

use super::service::Varied;

/// The layer around an encoder, such as tower-http's `CompressionLayer`, that gives coded bodies their
/// own variant of the entity tag.
///
/// Without it the plain and the coded body of one version share a strong tag, which promises that they
/// are equal octet by octet (RFC 9110 §8.8.3.3): a cache or a resumed download then mixes them. With it
/// the plain body has `"v6-9f1c2ab04d77e310"` and the coded one `"v6-9f1c2ab04d77e310.gzip"`, in 200, 206
/// and the 304 that matched; both write, because writes compare the state. Behind a variant of the
/// handler's the coding comes last: `"v6-9f1c2ab04d77e310.fr.gzip"`.
///
/// It stands outside the encoder, which stands outside the [`IfMatchLayer`](crate::IfMatchLayer):
///
/// ```
/// use axum::{Router, routing::get};
/// use tower::ServiceBuilder;
/// use tower_http::compression::CompressionLayer;
/// use tower_if_match::{IfMatchLayer, MemoryStore, PathKey, VariantLayer};
/// # async fn read() {}
/// # async fn replace() {}
///
/// let posts: MemoryStore<u64, String> = MemoryStore::new();
/// let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
/// let app: Router = Router::new()
///     .route("/posts/{id}", get(read).put(replace).route_layer(guard))
///     .layer(
///         ServiceBuilder::new()
///             .layer(VariantLayer::new())
///             .layer(CompressionLayer::new()),
///     );
/// ```
///
/// # What it changes
///
/// Answers that are a success or 304 and have one `ETag`.
///
/// | answer | tag |
/// | --- | --- |
/// | encoded, strong tag of the form that the layer mints | gets the coding as variant; several: `.gzip.br` |
/// | encoded, any other strong tag | becomes weak |
/// | encoded by the handler, inside the `IfMatchLayer` | has its variant already |
/// | not encoded, or weak | stays |
///
/// All these answers get `Vary: Accept-Encoding`. `If-None-Match` of reads on tags of that form is evaluated
/// here, on the tag that is sent. That takes them from what stands inside, so a handler that answers 304
/// by itself, to spare its work, does not see `If-None-Match` where it lists a minted tag or is `*`; nor
/// do the layer's metrics. Conditions on other tags, with `Range`, and those of writes go inside as they
/// are.
///
/// Any variant of the current state satisfies `If-Match` on a read, as it does on a write. Exclusions
/// (`identity;q=0`) are taken off `Accept-Encoding`: tower-http's encoder makes 406 of any answer that it
/// cannot encode then, also of one that says that a write took place.
///
/// A coding that is no word of `A–Z a–z 0–9 _ -`, or a variant of more than 64 octets, makes the tag weak.
/// A tag of the store's own that happens to have the form of a minted one would be taken for it, and its
/// coded variants would not write.
///
/// # HEAD
///
/// An encoder that looks at the size of a body leaves a HEAD answer alone whose body is gone already, and
/// so its tag is the plain one. Added with `Router::layer`, as above, the layers see the body of the GET,
/// and HEAD has the fields of GET. Around a whole `Router`, or another service that answers HEAD without
/// a body, [`with_head_as_get`](Self::with_head_as_get) does it.
///
/// # Bodies
///
/// A 304 that is made here has the body type's default, which has to be the empty body, as it is
/// for axum's `Body`, `Full`, `Empty`, the box bodies and tower-http's `CompressionBody` around them.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct VariantLayer {
    head_as_get: bool,
}

impl VariantLayer {
    /// A layer for any encoder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers HEAD by what stands inside does to GET, without the body, so that an encoder that looks
    /// at bodies decides as it does for GET. `Content-Length` is that of the GET where it is known, else
    /// absent (RFC 9110 §9.3.2); `Range` is ignored (§14.2).
    ///
    /// Inside there is no HEAD then: a route that has a HEAD handler alone answers 405, and logs tell
    /// GET. So it is not the default.
    pub fn with_head_as_get(mut self) -> Self {
        self.head_as_get = true;
        self
    }
}

impl<Svc> Layer<Svc> for VariantLayer {
    type Service = Varied<Svc>;

    fn layer(&self, inner: Svc) -> Varied<Svc> {
        Varied::new(inner, self.head_as_get)
    }
}
