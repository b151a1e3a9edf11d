use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response};
use http_precondition::EntityTag;
use serde::Serialize;
use version_store::{Key, Revision, Version};

use crate::body::RefusalBody;
use crate::tag::TagMint;

/// A handler's response to a bulk write into whose body the layer writes the new entity tags:
///
/// ```json
/// {"items":[{"index":0,"etag":"\"v6-9f1c2ab04d77e310\""},{"index":1}]}
/// ```
///
/// The items are in the order of the request; `etag` is missing if the resource was removed. With
/// transactions only the layer knows the tags, because the versions are made after the handler.
///
/// With axum it is a response, also with a status: `(StatusCode::OK, ItemTags)`.
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing until it is returned"]
pub struct ItemTags;

impl ItemTags {
    /// Has the layer write the body of this response, for services that are not axum handlers.
    pub fn mark<B>(response: &mut Response<B>) {
        response.extensions_mut().insert(Self);
    }

    /// Writes the body of a response that was marked.
    pub(super) fn fill<K: Key, R: Revision, B: RefusalBody>(
        response: &mut Response<B>,
        tags: &TagMint<K, R>,
        keys: &[K],
        versions: &[Option<Version<R>>],
    ) {
        if response.extensions_mut().remove::<Self>().is_none() {
            return;
        }
        let made = keys.iter().zip(versions).enumerate();
        let items: Vec<Tagged> = made
            .map(|(index, (key, version))| Tagged {
                index,
                etag: version.as_ref().and_then(|version| tags.tag(key, version)),
            })
            .collect();
        // Numbers and tags always serialise.
        let text = serde_json::to_vec(&Content { items }).unwrap_or_default();
        *response.body_mut() = B::from_text(Bytes::from(text));
        let fields = response.headers_mut();
        fields.remove(CONTENT_LENGTH);
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
}

#[derive(Serialize)]
struct Content {
    items: Vec<Tagged>,
}

#[derive(Serialize)]
struct Tagged {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<EntityTag>,
}

#[cfg(feature = "axum")]
impl axum_core::response::IntoResponse for ItemTags {
    fn into_response(self) -> axum_core::response::Response {
        let mut response = ().into_response();
        Self::mark(&mut response);
        response
    }
}
