//! The contract of the posts API, request by request, over sockets against the program itself.
//!
//! Each test is written once and run on every store, under both strategies where the store has transactions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

/// Runs each of these functions as a test on every store.
macro_rules! on_every_store {
    ($($test:ident),* $(,)?) => {
        on_every_store!(@ in_memory $($test)*);
        on_every_store!(@ on_sqlite $($test)*);
        on_every_store!(@ on_sqlite_in_transactions $($test)*);
        on_every_store!(@ on_postgres $($test)*);
        on_every_store!(@ on_postgres_in_transactions $($test)*);
    };
    (@ $store:ident $($test:ident)*) => {
        mod $store {
            $(#[tokio::test]
            async fn $test() {
                if let Some(api) = crate::api::Api::$store().await {
                    super::$test(api).await;
                }
            })*
        }
    };
}

mod api;
mod compression;
mod conditions;
mod conflicts;
mod content;
mod fields;
mod incarnations;
mod postgres;
mod postgres_triggers;
mod process;
mod reads;
mod refusals;
mod sqlite_file;
mod triggers;
mod writes;
