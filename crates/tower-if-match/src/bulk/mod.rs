//! Several resources in one write: an explicit opt-in for routes such as `PATCH /posts`, where each
//! item of the body names a resource and carries the entity tag of the version on which it is based.
//!
//! Either every item is written, each on the version that it names, or nothing is.
//!
//! # What happens to a bulk write
//!
//! 1. Methods that are known to be safe, and OPTIONS, TRACE and CONNECT, are not guarded. All others are.
//! 2. The condition fields of the request itself apply to the collection, which has no version: an
//!    If-Match is 412, a malformed one 400.
//! 3. The body is read to its end: too large is 413, too slow 408. (The refusal of a single write never
//!    reads the body; here it contains the conditions.)
//! 4. Your function turns it into [`Item`]s: key and conditions. What it cannot read is 400, with its
//!    text; so is a body without items, or one that names a resource twice. Too many items are 413.
//! 5. The layer reads the current version of every item from the store, one after the other. Each item is
//!    decided on like a single write to its resource, by the same code: the authorization hook, the
//!    evaluation, the policy. If one item is refused, so is the request, and the handler never runs.
//! 6. With transactions, the keys are locked in one order, whatever the order of the items, so that two
//!    requests never deadlock; one transaction begins for all, and every item is decided on again.
//! 7. The handler runs, with [`ExpectedItems`] in the request, or with [`Tx`](crate::Tx). With compare and
//!    swap its write is one atomic step over all items, and settles all of them.
//! 8. A success that did not settle them becomes 500. A write that lost the race is evaluated again. In a
//!    transaction the layer advances the versions and commits, or it rolls back.
//! 9. The response has no `ETag` field: there is no single tag. If the handler returns [`ItemTags`], the
//!    layer writes the new tags into the body.
//!
//! If a resource is absent and the item's method does not create, the item is refused with 404; a single
//! write would have got that from its handler.
//!
//! # The response to a refused request
//!
//! The response is a problem document. Its status is that of the refused items if they share one; otherwise
//! 428 if one lacks a condition, else 400 if one is malformed, else 412. Type, title and texts are
//! [those of single writes](crate::problems). Each refused item is described as if it were alone:
//!
//! | member of the document | what |
//! | --- | --- |
//! | `type`, `title`, `status`, `detail`, `instance`, `error` | of the request |
//! | `items` | an array with one object per item, in the order of the body |
//! | `request_id` | the request's `X-Request-Id` |
//!
//! | member of an item | what |
//! | --- | --- |
//! | `index` | its position in the body, from 0 |
//! | `status` | what a single write would have got. Missing, like the rest, if that would have proceeded |
//! | `reason` | the stable code |
//! | `failed_condition` | the condition that failed, by the name of its field |
//! | `current_etag` | the current entity tag, if the resource exists |
//!
//! The document never contains tags that were sent, nor the store's conflict metadata: a client that is
//! refused reads the resources that it may read.
//!
//! # Which strategies it supports
//!
//! [Compare and swap](crate::stack::CompareAndSwap), the default, and [`Transaction`](crate::Transaction).
//! A lock in this process cannot undo half of a bulk write, so it is rejected at compile time:
//!
//! ```compile_fail,E0277
//! # use tower_if_match::{MemoryStore, SingleProcess};
//! # use tower_if_match::bulk::BulkLayer;
//! # let posts: MemoryStore<u64, String> = MemoryStore::new();
//! let bulk = BulkLayer::new("posts", posts, |_, _| Ok(vec![]))
//!     .with_strategy(SingleProcess::new()); // `SingleProcess` cannot make several writes one
//! ```
//!
//! # Example
//!
//! ```
//! use axum::extract::State;
//! use axum::http::request::Parts;
//! use axum::{Json, Router, routing::{get, patch}};
//! use serde::Deserialize;
//! use tower_if_match::bulk::{BulkLayer, ExpectedItems, Item, ItemTags, InvalidItems};
//! use tower_if_match::{Expected, IfMatchLayer, Lost, MemoryStore, PathKey};
//!
//! type Posts = MemoryStore<u64, String>;
//!
//! #[derive(Deserialize)]
//! struct Change {
//!     id: u64,
//!     etag: Option<String>,
//!     text: String,
//! }
//!
//! fn items(_: &Parts, body: &[u8]) -> Result<Vec<Item<u64>>, InvalidItems> {
//!     let changes: Vec<Change> = serde_json::from_slice(body)
//!         .map_err(|_| InvalidItems::new("The body must be an array of {id, etag, text}."))?;
//!     let item = |change: Change| match change.etag {
//!         Some(etag) => Item::new(change.id).with_if_match(etag),
//!         None => Item::new(change.id), // without a condition: 428
//!     };
//!     Ok(changes.into_iter().map(item).collect())
//! }
//!
//! async fn replace_all(
//!     State(posts): State<Posts>,
//!     expected: ExpectedItems<Posts>, // what the items demand, in their order
//!     Json(changes): Json<Vec<Change>>,
//! ) -> Result<ItemTags, Lost> {
//!     let texts = changes.into_iter().map(|change| change.text).collect();
//!     posts.put_all(texts, expected)?; // one atomic step; lost if someone was faster on any of them
//!     Ok(ItemTags) // the layer writes the new tags into the body
//! }
//! # async fn list() {}
//! # async fn replace(_: Expected<Posts>) {}
//!
//! let posts = Posts::new();
//! let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
//! let bulk = BulkLayer::new("posts", posts.clone(), items); // the same scope: the tags are the same
//! let app: Router = Router::new()
//!     .route("/posts", get(list).merge(patch(replace_all).route_layer(bulk)))
//!     .route("/posts/{id}", get(list).put(replace).route_layer(guard))
//!     .with_state(posts);
//! ```
//!
//! A handler with a response of its own mints the tags with [`BulkLayer::tags`], from the versions that
//! its write made.

mod decide;
mod guard;
mod item;
mod items;
mod layer;
mod respond;
mod service;
mod strategy;
mod tags;
#[cfg(test)]
mod tests;
mod write;

pub use item::{InvalidItems, Item};
pub use layer::BulkLayer;
pub use service::{Bulk, BulkFuture};
pub use tags::ItemTags;
#[doc(inline)]
pub use version_store::bulk::ExpectedItems;
