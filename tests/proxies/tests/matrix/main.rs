//! What becomes of tags and conditions on their way through real proxies.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod document;
mod keep_alive;
mod matrix;
mod origins;
mod refusals;
mod rest;
mod routes;

use crate::matrix::{measure, violations};
use crate::origins::Origin;

#[tokio::test]
async fn a_tag_read_through_any_proxy_writes_through_any_or_is_refused_as_weak() {
    for origin in [Origin::Guarded, Origin::Posts] {
        let rows = measure(origin).await;
        assert_eq!(violations(&rows), [""; 0], "{origin:?}");
    }
}

/// The same of handlers that compare tags octet by octet: a tag that a proxy changed never writes, and
/// nobody says why.
#[tokio::test]
async fn control_handlers_that_compare_octets_refuse_what_proxies_changed() {
    let rows = measure(Origin::Naive).await;
    for row in &rows {
        let found = violations(std::slice::from_ref(row));
        let expected = if row.encodes() { rows.len() } else { 0 };
        assert_eq!(found.len(), expected, "{}: {found:?}", row.way());
    }
}
