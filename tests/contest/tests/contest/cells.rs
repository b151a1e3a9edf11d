//! Nothing is lost in any cell; without the protection, it is found out in every cell.

use std::io::Write as _;
use std::sync::Once;

use contest::campaign::{Campaign, Row};
use contest::cell::{Cell, Store};
use contest::table;
use services::Product;

use crate::campaign;

const ATTEMPTS: u64 = 1_500;

static HEAD: Once = Once::new();

/// The cells of a store, one after the other, and then their controls.
async fn hold(store: Store) {
    let cells = Cell::ALL.into_iter().filter(|cell| cell.store == store);
    for cell in cells.clone() {
        let Some(row) = run(cell, false).await else {
            return;
        };
        let report = &row.report;
        assert!(report.is_clean(), "{cell}: {report}");
        let counts = &report.counts;
        assert!(counts.attempted as u64 >= ATTEMPTS, "{cell}: {counts}");
        // Without writes that fail there was no race; without writes that succeed, nothing to lose.
        assert!(
            counts.acknowledged > 40 && row.refused() > 100 && row.unknown() > 50,
            "{cell}: {counts}"
        );
    }
    for cell in cells {
        if let Some(row) = run(cell, true).await {
            assert!(row.lost() + row.forked() > 0, "{cell}: {}", row.report);
        }
    }
}

async fn run(cell: Cell, unprotected: bool) -> Option<Row> {
    let kills = match cell.store {
        Store::Memory => 0,
        Store::Sqlite => 2,
        Store::Server(_) => 3,
    };
    let campaign = Campaign {
        unprotected,
        ..campaign(ATTEMPTS, kills)
    };
    let row = campaign.run(cell, |_| {}).await.unwrap()?;
    assert_eq!(row.kills, kills, "{cell}");

    // Not captured: these are the figures.
    HEAD.call_once(|| drop(writeln!(std::io::stderr(), "{}", table::head())));
    let form = if unprotected { "  unprotected" } else { "" };
    let _ = writeln!(std::io::stderr(), "{}{form}", table::row(&row));
    Some(row)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory() {
    hold(Store::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    hold(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    hold(Store::Server(Product::Postgres)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb() {
    hold(Store::Server(Product::MariaDb)).await;
}
