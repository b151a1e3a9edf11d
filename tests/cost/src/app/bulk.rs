//! Several posts in one write. The body has a line for each, so that who reads them costs little.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{MethodRouter, patch};
use tower_if_match::bulk::{BulkLayer, ExpectedItems, InvalidItems, Item, ItemTags};
use tower_if_match::{Lost, Version};

use super::twice;
use crate::noop::NoopLayer;
use crate::posts::Posts;

/// A service with posts 1 to [`ITEMS`](Self::ITEMS), each in revision 2, that are written together.
pub(crate) struct BulkApp {
    pub(crate) router: Router,
    tag_of: Box<dyn Fn(u64, u64) -> String>,
}

impl BulkApp {
    pub(crate) const ITEMS: u64 = 10;
    pub(crate) const PATH: &str = "/posts";

    /// The layer that does nothing.
    pub(crate) fn noop() -> Self {
        let layer = BulkLayer::new("posts", Posts::<false>::default(), items);
        Self::on(
            &layer,
            patch(write_blindly).route_layer(NoopLayer),
            Posts::default(),
        )
    }

    /// Our layer, with minted tags.
    pub(crate) fn guarded() -> Self {
        let posts = Posts::<false>::default();
        let layer = BulkLayer::new("posts", posts.clone(), items);
        Self::on(&layer, patch(write).route_layer(layer.clone()), posts)
    }

    fn on(
        layer: &BulkLayer<Posts<false>>,
        methods: MethodRouter<Posts<false>>,
        posts: Posts<false>,
    ) -> Self {
        for id in 1..=Self::ITEMS {
            twice(|text| posts.overwrite(id, text));
        }
        let tags = layer.tags();
        Self {
            router: Router::new().route(Self::PATH, methods).with_state(posts),
            tag_of: Box::new(move |id, revision| {
                let tag = tags.tag(&id, &Version::new(revision));
                tag.map(|tag| tag.to_string()).unwrap_or_default()
            }),
        }
    }

    /// The body of a request whose items name these revisions.
    pub(crate) fn body(&self, revision_of: impl Fn(u64) -> u64) -> String {
        let line = |id| format!("{id} {} Hello\n", (self.tag_of)(id, revision_of(id)));
        (1..=Self::ITEMS).map(line).collect()
    }
}

fn items(_: &Parts, body: &[u8]) -> Result<Vec<Item<u64>>, InvalidItems> {
    let body = std::str::from_utf8(body).map_err(|_| invalid())?;
    let item = |line| {
        let (id, tag, _) = entry(line).ok_or_else(invalid)?;
        Ok(Item::new(id).with_if_match(tag))
    };
    body.lines().map(item).collect()
}

fn invalid() -> InvalidItems {
    InvalidItems::new("A line is an id, a tag and a text.")
}

/// A line: the id, the tag, the text.
fn entry(line: &str) -> Option<(u64, &str, &str)> {
    let mut parts = line.splitn(3, ' ');
    Some((parts.next()?.parse().ok()?, parts.next()?, parts.next()?))
}

fn entries(body: &Bytes) -> Vec<(u64, Bytes)> {
    let lines = std::str::from_utf8(body).unwrap_or_default().lines();
    let entry = |line| entry(line).map(|(id, _, text)| (id, body.slice_ref(text.as_bytes())));
    lines.filter_map(entry).collect()
}

async fn write(
    State(posts): State<Posts<false>>,
    expected: ExpectedItems<Posts<false>>,
    body: Bytes,
) -> Result<ItemTags, Lost> {
    posts.put_all(entries(&body), expected)?;
    Ok(ItemTags)
}

async fn write_blindly(State(posts): State<Posts<false>>, body: Bytes) -> StatusCode {
    posts.overwrite_all(entries(&body));
    StatusCode::OK
}
