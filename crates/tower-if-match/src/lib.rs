//! A Tower layer that makes lost updates impossible.
//!
//! Two people open the same post, both save, and the second save silently destroys the first. HTTP
//! has the answer: read with an `ETag`, write with `If-Match`, 412 if someone was faster, 428 if no
//! condition was sent (RFC 9110 §13, RFC 6585 §3). This layer gives it for a whole route, before the
//! handler runs, and closes the race that a check in front of the handler cannot close.
//!
//! # The way of a write
//!
//! 1. A method that is known to be safe, or OPTIONS, TRACE, CONNECT, is not guarded. All others are.
//! 2. The key of the resource is found in the request's head. A route that gives none is 500, an id
//!    that cannot be read goes to the handler, which refuses it.
//! 3. The condition fields are parsed from octets, over all field lines. Malformed is 400, not "no
//!    condition".
//! 4. The store is asked for the current version, then the authorization hook. A store that cannot
//!    answer is 503.
//! 5. The conditions are evaluated: 412 where one is false, 428 where none guards the write. The
//!    handler never ran, and the body was never read.
//! 6. The handler runs, with [`Expected`] in the request: what is demanded of the stored version. Its
//!    write is conditional on that, in one atomic step, and settles it.
//! 7. A success that did not settle it becomes 500. A write that came too late is evaluated afresh,
//!    from step 4. A write that took place has its new version as the answer's `ETag`.
//!
//! # The way of a read
//!
//! The handler answers with [`Versioned`]: the body and the version of the same row. The layer makes
//! `ETag` and `Last-Modified` of it, and answers 304 or 412 where the request's conditions say so.
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
//!     expected: Expected<Posts>, // what If-Match demands; hopeless requests never get here
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
//! As `MethodRouter::route_layer`, after the handlers: inside routing, so that 404 and 405 do not
//! depend on conditions. From outside in: [`tower_drain::DrainLayer`], request id, trace, CORS, [`VariantLayer`],
//! compression, authentication, declared size; routing and method; media type; this layer; the handler.
//!
//! A refusal does not read the request's body. The server then closes the connection, and the client or a
//! proxy may lose the answer. [`tower_drain::DrainLayer`] reads what is left of the body, so that it arrives.
//!
//! [`tower_drain::DrainLayer`]: https://docs.rs/tower-drain/latest/tower_drain/struct.DrainLayer.html
//!
//! Nothing outside may change a body and leave its `ETag`, as compression layers do: plain and encoded
//! bodies would share a strong tag. [`VariantLayer`] around the compression gives each coding its own. A
//! handler that answers with `Content-Encoding` has one without it.
//!
//! `route_layer` wraps what was added before it. A `.fallback(handler)`, a method or an
//! `axum::routing::any` that is added or merged later runs **unguarded**. A handler in there that asks
//! for `Expected` answers 500, one that does not writes blindly. [`GuardedRoute`] adds a route in one
//! step, and replaces its fallback.
//!
//! # Closing the race
//!
//! Between the check and the write anybody may write. What closes that gap is a choice
//! (`docs/closing-the-race.md` helps with it):
//!
//! | way | the handler's part | processes |
//! | --- | --- | --- |
//! | compare and swap, the default | writes on the expected version, and settles [`Expected`] | any number |
//! | [`Transaction`] | takes [`Tx`], an open transaction of the store's, and writes as it always did | any number |
//! | [`SingleProcess`] | none: it runs under a lock | one |
//! | [`RepresentationLayer`] | none, and no store either | one |
//!
//! [`bulk`] guards requests that write several resources.
//!
//! # What it cannot see
//!
//! A handler that writes blindly and then settles as written. A writer that goes past the layer is
//! safe as long as it advances the version, as [`VersionStore`] demands.
//!
//! # Features
//!
//! | feature | default | what |
//! | --- | --- | --- |
//! | `axum` | yes | [`PathKey`], [`GuardedRoute`]; [`Expected`] is an extractor, [`Versioned`], [`Lost`] and [`WriteError`] are responses |
//! | `derive` | no | `#[derive(Key)]` makes a struct a key |
//! | `metrics` | no | counts and times through the `metrics` facade: [`describe_metrics`] has the list |
//! | `bulk` | no | [`bulk::BulkLayer`](bulk): requests that write several resources, all or nothing |
//! | `representation` | no | [`RepresentationLayer`]: guards a whole service that stays as it is |
//! | `variant` | no | [`VariantLayer`]: bodies that are encoded outside the layer have tags of their own |
//! | `uuid` | no | `uuid::Uuid` is a key |
//!
//! The crate `if-match-utoipa` describes a guarded route in an OpenAPI document, from [`IfMatchLayer::contract`].

mod body;
#[cfg(feature = "bulk")]
pub mod bulk;
mod config;
pub mod cors;
mod decide;
mod fields;
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
