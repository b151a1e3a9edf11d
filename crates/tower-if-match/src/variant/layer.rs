use tower_layer::Layer;

use super::service::Varied;

/// The layer around an encoder, such as tower-http's `CompressionLayer`, that gives encoded bodies their
/// own variant of the entity tag.
///
/// Without it the plain and the encoded body of one version share a strong tag, which promises that they are
/// equal byte by byte (RFC 9110 §8.8.3.3): a cache or a resumed download then mixes them. With it the plain
/// body has `"v6-9f1c2ab04d77e310"` and the encoded one `"v6-9f1c2ab04d77e310.gzip"`, in 200, 206 and a
/// matching 304. Writes accept both, because they compare the state. If the handler named a variant, the
/// coding comes after it: `"v6-9f1c2ab04d77e310.fr.gzip"`.
///
/// It belongs outside the encoder, which belongs outside the [`IfMatchLayer`](crate::IfMatchLayer):
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
/// It changes responses that are a success or 304 and have exactly one `ETag`.
///
/// | response | tag |
/// | --- | --- |
/// | encoded, strong tag of the form that the layer mints | gets the coding as its variant; several: `.gzip.br` |
/// | encoded, any other strong tag | becomes weak |
/// | encoded by the handler, inside the `IfMatchLayer` | already has its variant |
/// | not encoded, or weak | stays |
///
/// All these responses get `Vary: Accept-Encoding`. If the `If-None-Match` of a read lists a minted tag or is
/// `*`, it is evaluated here, on the tag of the response, and removed from the request. So a handler that
/// responds with 304 itself to save work does not see it; nor do the layer's metrics. Conditions on other
/// tags, conditions next to `Range`, and those of writes are passed on unchanged.
///
/// Any variant of the current state satisfies `If-Match` on a read, as it does on a write. Exclusions
/// (`identity;q=0`) are removed from `Accept-Encoding`: otherwise tower-http's encoder turns any response that it
/// cannot encode into 406, even one that reports a successful write.
///
/// If a coding is not a word of `A–Z a–z 0–9 _ -`, or the variant is longer than 64 bytes, the tag becomes weak.
/// If a store's own tag happens to have the form of a minted one, it is mistaken for it, and writes do not accept
/// its encoded variants.
///
/// # HEAD
///
/// An encoder that looks at the size of a body does not encode the response to a HEAD whose body is already gone,
/// so the response carries the plain tag. Added with `Router::layer`, as above, the layers see the body of the GET,
/// and HEAD has the fields of GET. Around a whole `Router`, or another service that answers HEAD without a body,
/// use [`with_head_as_get`](Self::with_head_as_get).
///
/// # Bodies
///
/// A 304 that is made here has the default of the body type, which must be the empty body. That is the case
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

    /// Passes HEAD on as GET and drops the body of the response, so that an encoder that looks at bodies
    /// decides as it does for GET. `Content-Length` is that of the GET if it is known, and absent otherwise
    /// (RFC 9110 §9.3.2); `Range` is ignored (§14.2).
    ///
    /// Services inside never see a HEAD then: a route that has only a HEAD handler returns 405, and logs show
    /// GET. So this is not the default.
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
