//! The transaction strategy under each of PostgreSQL's isolation levels.

use contest::campaign::{Campaign, Row};
use contest::cell::{Cell, Store, Strategy};
use services::Product;

use crate::campaign;

const LEVELS: [&str; 3] = ["read-committed", "repeatable-read", "serializable"];

async fn race(level: &str, unprotected: bool) -> Option<Row> {
    let cell = Cell {
        store: Store::Server(Product::Postgres),
        strategy: Strategy::Transaction,
    };
    let campaign = Campaign {
        unprotected,
        more: vec!["--isolation".to_owned(), level.to_owned()],
        ..campaign(1_200, 0)
    };
    campaign.run(cell, |_| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_level_loses_anything() {
    for level in LEVELS {
        let Some(row) = race(level, false).await else {
            return;
        };
        assert!(row.report.is_clean(), "{level}: {}", row.report);
        assert!(
            row.report.counts.acknowledged > 20,
            "{level}: {}",
            row.report
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_no_level_protects_by_itself() {
    for level in LEVELS {
        let Some(row) = race(level, true).await else {
            return;
        };
        assert!(row.lost() + row.forked() > 0, "{level}: {}", row.report);
    }
}
