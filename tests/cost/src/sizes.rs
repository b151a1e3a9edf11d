//! How large the values are that move with every request.

use std::fmt::Write;

use axum::body::Bytes;
use axum::extract::Request;
use axum::routing::Route;
use http_precondition::{Conditions, EntityTag};
use tower_if_match::stack::{IfMatch, Varied};
use tower_if_match::{Demand, Expected, IfMatchLayer, PathKey, Version, Versioned};
use tower_service::Service;

use crate::noop::Noop;
use crate::posts::Posts;

type Store = Posts<false>;
type Guarded = IfMatch<Route, Store, PathKey>;
type Future<Svc> = <Svc as Service<Request>>::Future;

/// In bytes, as the layer's public types have them around a route of axum's.
const SIZES: [(&str, usize); 14] = [
    ("layer", size_of::<IfMatchLayer<Store, PathKey>>()),
    ("service, no-op", size_of::<Noop<Route>>()),
    ("service, guarded", size_of::<Guarded>()),
    (
        "service, in drain",
        size_of::<tower_drain::Drain<Guarded>>(),
    ),
    ("service, in variants", size_of::<Varied<Guarded>>()),
    ("future, no-op", size_of::<Future<Noop<Route>>>()),
    ("future, guarded", size_of::<Future<Guarded>>()),
    ("future, variants", size_of::<Future<Varied<Route>>>()),
    ("Conditions", size_of::<Conditions>()),
    ("EntityTag", size_of::<EntityTag>()),
    ("Version", size_of::<Version>()),
    ("Demand", size_of::<Demand<u64>>()),
    ("Expected", size_of::<Expected<Store>>()),
    ("Versioned<Bytes>", size_of::<Versioned<Bytes>>()),
];

/// The table as text.
pub(crate) fn table() -> String {
    let mut text = format!("{:<28}{:>12}\n", "value", "bytes");
    for (name, bytes) in SIZES {
        let _ = writeln!(text, "{name:<28}{bytes:>12}");
    }
    text
}
