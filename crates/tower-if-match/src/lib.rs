//! A Tower layer that makes lost updates impossible.
//!
//! Two people open the same post, both save, and the second save silently destroys the first. HTTP has
//! a solution: read with an `ETag`, write with `If-Match`, 412 if someone was faster, 428 if no
//! condition was sent (RFC 9110 §13, RFC 6585 §3). This layer implements it for a whole route, before
//! the handler runs, and closes the race that a check in front of the handler cannot close.
//!
//! # What happens to a write
//!
//! 1. Methods that are known to be safe, and OPTIONS, TRACE and CONNECT, are not guarded. All others are.
//! 2. The layer finds the key of the resource in the request's head. A route that does
//!    not fit gets 500; an id that cannot be parsed is left to the handler, which refuses it. A path without
//!    parameters is a collection, and not guarded: see [`Found`].
//! 3. The condition fields are parsed from bytes, across all field lines. A malformed field is 400, never
//!    "no condition".
//! 4. The layer reads the current version from the store, then calls the authorization hook. If the store
//!    fails, the response is 503.
//! 5. The conditions are evaluated: 412 if one is false, 428 if none guards the write. In both cases the
//!    handler does not run, and the body is not read.
//! 6. The handler runs, with [`Expected`] in the request: what the stored version must be. Its write is
//!    conditional on that, in one atomic step, and settles it.
//! 7. A success that did not settle it becomes 500. A write that lost the race is evaluated again, from
//!    step 4. The response to a write that succeeded gets the new version as its `ETag`.
//!
//! # What happens to a read
//!
//! The handler returns [`Versioned`]: the body and the version of the same row. The layer derives `ETag`
//! and `Last-Modified` from it, and responds with 304 or 412 if the request's conditions demand it.
//!
//! # Example
//!
//! ```
//! use axum::extract::{Path, State};
//! use axum::http::StatusCode;
//! use axum::{Json, Router, routing::get};
//! use tower_if_match::{Expected, IfMatchLayer, Lost, MemoryStore, PathKey, Versioned};
//!
//! type Posts = MemoryStore<u64, String>;
//!
//! async fn read(
//!     State(posts): State<Posts>,
//!     Path(id): Path<u64>,
//! ) -> Result<Versioned<Json<String>>, StatusCode> {
//!     posts.get(&id).map(|post| post.map(Json)).ok_or(StatusCode::NOT_FOUND)
//! }
//!
//! async fn replace(
//!     State(posts): State<Posts>,
//!     expected: Expected<Posts>, // what If-Match demands; requests that are bound to fail never get here
//!     Json(text): Json<String>,
//! ) -> Result<Json<String>, Lost> {
//!     posts.put(text.clone(), expected)?; // one atomic step; lost if someone was faster
//!     Ok(Json(text)) // the layer sets the new ETag
//! }
//!
//! let posts = Posts::new();
//! let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
//! let app: Router = Router::new()
//!     .route("/posts/{id}", get(read).put(replace).route_layer(guard))
//!     .with_state(posts);
//! ```
//!
//! # Where to mount it
//!
//! Add it with `MethodRouter::route_layer`, after the handlers: inside routing, so that 404 and 405 do not
//! depend on conditions. From outside in: [`tower_drain::DrainLayer`], request id, trace, CORS, [`VariantLayer`],
//! compression, authentication, declared size; routing and method; media type; this layer; the handler.
//!
//! A refusal does not read the request's body. The server then closes the connection, and the client or a
//! proxy may never see the response. [`tower_drain::DrainLayer`] reads the rest of the body, so that the
//! response arrives.
//!
//! [`tower_drain::DrainLayer`]: https://docs.rs/tower-drain/latest/tower_drain/struct.DrainLayer.html
//!
//! Nothing outside this layer may change a body but keep its `ETag`, as compression layers do: the plain and
//! the encoded body would share a strong tag. [`VariantLayer`] around the compression gives each coding a tag
//! of its own. A handler that sets `Content-Encoding` itself gets such a tag without it.
//!
//! `route_layer` wraps only what was added before it. A `.fallback(handler)`, a method or an
//! `axum::routing::any` that is added or merged later runs **unguarded**: a handler that extracts `Expected`
//! there fails with 500, and one that does not writes blindly. [`GuardedRoute`] adds a route in one step, and
//! replaces its fallback.
//!
//! # Closing the race
//!
//! Between the check and the write anyone may write. You choose the strategy that closes that gap
//! (`docs/closing-the-race.md` helps you decide):
//!
//! | strategy | what the handler does | processes |
//! | --- | --- | --- |
//! | compare and swap, the default | writes conditionally on the expected version, and settles [`Expected`] | any number |
//! | [`Transaction`] | takes [`Tx`], an open transaction of the store, and writes as before | any number |
//! | [`SingleProcess`] | nothing new: it runs under a lock | one |
//! | [`RepresentationLayer`] | nothing new, and there is no store either | one |
//!
//! [`bulk`] guards requests that write several resources.
//!
//! # What it cannot see
//!
//! The layer cannot detect a handler that writes blindly and then settles as written. Writers that bypass
//! the layer are safe as long as they advance the version, as [`VersionStore`] requires.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `axum` | yes | [`PathKey`], [`GuardedRoute`]; [`Expected`] is an extractor, [`Versioned`], [`Lost`] and [`WriteError`] are responses |
//! | `derive` | no | `#[derive(Key)]` makes a struct a key |
//! | `metrics` | no | counts and times through the `metrics` facade; see [`describe_metrics`] |
//! | `bulk` | no | [`bulk::BulkLayer`](bulk): requests that write several resources, all or nothing |
//! | `representation` | no | [`RepresentationLayer`]: guards a whole service without changing it |
//! | `variant` | no | [`VariantLayer`]: gives bodies that are encoded outside the layer tags of their own |
//! | `uuid` | no | `uuid::Uuid` is a key |
//!
//! The crate `if-match-utoipa` describes a guarded route in an OpenAPI document, from [`IfMatchLayer::contract`].

mod body;
#[cfg(feature = "bulk")]
pub mod bulk;
mod config;
pub mod cors;
mod decide;
mod drop_fields;
mod layer;
mod observe;
pub mod problems;
mod read;
mod refusal;
#[cfg(feature = "representation")]
mod representation;
mod request;
mod respond;
mod service;
pub mod stack;
mod strategy;
mod sync;
mod tag;
#[cfg(feature = "variant")]
mod variant;
mod write;

pub use decide::Policy;
#[cfg(feature = "axum")]
pub use layer::GuardedRoute;
pub use layer::{Contract, IfMatchLayer};
#[cfg(feature = "metrics")]
pub use observe::describe_metrics;
pub use refusal::{Denied, Reason, Refusal};
#[cfg(feature = "representation")]
pub use representation::RepresentationLayer;
#[cfg(feature = "axum")]
pub use request::PathKey;
pub use request::{FindKey, Found};
pub use respond::{RefusalResponse, Refusals};
pub use strategy::{SingleProcess, Transaction};
pub use tag::{PUBLIC_TAG_KEY, TagKey, TagMint};
#[cfg(feature = "variant")]
pub use variant::VariantLayer;

#[doc(inline)]
pub use version_store::through_the_layer::Key;
#[doc(inline)]
pub use version_store::{
    Conflict, Conflicts, Demand, Describe, Expected, Lost, MemoryStore, Put, Transactional, Tx,
    Version, VersionStore, Versioned, WriteError,
};
pub use {http_precondition, version_store};
