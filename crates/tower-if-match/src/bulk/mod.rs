//! Several resources in one write: an explicit opt-in for routes such as `PATCH /posts`, where each
//! item of the content names a resource and brings the entity tag of the version that it is based on.
//!
//! Either every item is written, each on the version that it names, or nothing is.
//!
//! # The way of a bulk write
//!
//! 1. A method that is known to be safe, or OPTIONS, TRACE, CONNECT, is not guarded. All others are.
//! 2. The condition fields of the request itself are about the collection, which has no version: an
//!    If-Match is 412, a malformed one 400.
//! 3. The content is read to its end: too much is 413, too slow 408. (A refusal of a single write never
//!    reads it; here the conditions are in it.)
//! 4. The owner's function makes [`Item`]s of it: key and conditions. What it cannot read is 400, with its
//!    text; so is a content without items, and one that names a resource twice. Too many are 413.
//! 5. The store is asked for the current version of every item, one after the other. Each item is decided
//!    on as a single write to its resource would be, by the same code: the authorization hook, the
//!    evaluation, the gate. One refused item refuses the request, and the handler never runs.
//! 6. By transactions: the keys are locked in one order, whatever that of the items, so that two requests
//!    never wait for each other; one transaction is begun for all, and every item is decided on again.
//! 7. The handler runs, with [`ExpectedItems`] in the request, or with [`Tx`](crate::Tx). By compare and
//!    swap its write is one atomic step over all items, and settles all of them.
//! 8. A success that did not settle them becomes 500. A write that came too late is evaluated afresh. A
//!    transaction is given its new versions and committed, or rolled back.
//! 9. The answer has no `ETag` field: there is no single tag. A handler that answers with [`ItemTags`] has
//!    the layer tell the new ones.
//!
//! A resource that is absent is refused with 404 where the item's method does not create; a single
//! write would have got that from its handler.
//!
//! # The answer to a refusal
//!
//! A problem document. Its status is that of the refused items if they have one in common; otherwise
//! 428 if one lacks a condition, else 400 if one is malformed, else 412. Type, title and texts are
//! [those of single writes](crate::problems). The refusal of one item is told as if it were alone:
//!
//! | member of the document | what |
//! | --- | --- |
//! | `type`, `title`, `status`, `detail`, `instance`, `error` | of the request |
//! | `items` | an array with one object for each item, in the order of the content |
//! | `request_id` | the request's `X-Request-Id` |
//!
//! | member of an item | what |
//! | --- | --- |
//! | `index` | its place in the content, from 0 |
//! | `status` | what a single write would have got. Missing, as the rest, where that would have gone on |
//! | `reason` | the stable code |
//! | `failed_condition` | the condition that failed, by the name of its field |
//! | `current_etag` | the current entity tag, where the resource exists |
//!
//! Sent tags are never in it, nor what a store tells about conflicts: whoever is refused reads the
//! resources that are theirs.
//!
//! # Which ways of closing the race
//!
//! [Compare and swap](crate::stack::CompareAndSwap), the default, and [`Transaction`](crate::Transaction).
//! A lock in this process cannot undo half of a bulk write; it is refused where the layer is made:
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
//! fn items(_: &Parts, content: &[u8]) -> Result<Vec<Item<u64>>, InvalidItems> {
//!     let changes: Vec<Change> = serde_json::from_slice(content)
//!         .map_err(|_| InvalidItems::new("The content is an array of {id, etag, text}."))?;
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
//!     Ok(ItemTags) // the layer tells the new tags
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
//! A handler with an answer of its own mints the tags with [`BulkLayer::tags`], from the versions that
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
