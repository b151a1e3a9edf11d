//! What becomes of tags and conditions on their way through real proxies.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod document;
mod keep_alive;
mod matrix;
mod origins;
mod refusals;
mod routes;

use crate::matrix::{measure, violations};
use crate::origins::Origin;

#[tokio::test]
async fn a_tag_read_through_any_proxy_writes_through_any_or_is_refused_as_weak() {
    for origin in [Origin::Guarded, Origin::Encodes, Origin::Posts] {
        let rows = measure(origin).await;
        assert_eq!(violations(&rows), [""; 0], "{origin:?}");
    }
}

#[tokio::test]
async fn every_tag_writes_where_weakened_ones_are_taken_or_the_origin_encodes() {
    for origin in [Origin::TakesWeakened, Origin::Encodes] {
        for row in measure(origin).await {
            assert!(row.all_written(), "{row:?}");
        }
    }
}

#[tokio::test]
async fn control_weakened_tags_do_not_write_where_they_are_not_taken() {
    for row in measure(Origin::Guarded).await {
        assert_eq!(row.all_written(), !row.is_weakened(), "{row:?}");
    }
}

/// The first test, of handlers that compare tags byte by byte: a tag that a proxy changed never writes, and
/// nobody says why.
#[tokio::test]
async fn control_handlers_that_compare_bytes_refuse_what_proxies_changed() {
    let rows = measure(Origin::Naive).await;
    for row in &rows {
        let found = violations(std::slice::from_ref(row));
        // Once on each way, and the next write.
        let expected = if row.encodes() { rows.len() + 1 } else { 0 };
        assert_eq!(found.len(), expected, "{}: {found:?}", row.way());
    }
}
