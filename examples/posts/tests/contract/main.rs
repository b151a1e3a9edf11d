//! The contract of the posts API, request by request, over sockets against the program itself.
//!
//! Each test is written once and run on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

/// Runs each of these functions as a test on either store.
macro_rules! on_both_stores {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::api::Api::in_memory().await).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::api::Api::on_sqlite().await).await;
            })*
        }
    };
}

mod api;
mod conditions;
mod conflicts;
mod content;
mod fields;
mod lives;
mod process;
mod reads;
mod refusals;
mod sqlite_file;
mod triggers;
mod writes;
