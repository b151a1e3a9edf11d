//! The short form of the campaign: nothing is lost in any cell; without the protection, it is found
//! out in every cell.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write as _;
use std::time::Duration;

use contest::campaign::{Campaign, Program, Row};
use contest::cell::{Cell, Store};
use contest::table;

const ATTEMPTS: u64 = 1_500;

fn campaign(cell: Cell) -> Campaign {
    let server = Program {
        path: env!("CARGO_BIN_EXE_contest-server").into(),
        arguments: Vec::new(),
    };
    let kills = match cell.store {
        Store::Memory => 0,
        Store::Sqlite => 2,
        Store::Server(_) => 3,
    };
    Campaign {
        deadline: Duration::from_mins(2),
        ..Campaign::new(server, ATTEMPTS, kills)
    }
}

/// One after the other: side by side they would take the processors from one another, and the races
/// would be fewer.
async fn each_cell(unprotected: bool, judge: impl Fn(&Row)) {
    for cell in Cell::ALL {
        let campaign = Campaign {
            unprotected,
            ..campaign(cell)
        };
        let quietly = |_: &str| {};
        if let Some(row) = campaign.run(cell, quietly).await.unwrap() {
            let form = if unprotected { "  unprotected" } else { "" };
            // Not captured: these are the figures.
            let _ = writeln!(std::io::stderr(), "{}{form}", table::row(&row));
            judge(&row);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cell_and_its_control() {
    let _ = writeln!(std::io::stderr(), "{}", table::head());
    each_cell(false, |row| {
        let report = &row.report;
        assert!(report.is_clean(), "{}: {report}", row.cell);
        let counts = &report.counts;
        assert!(counts.attempted as u64 >= ATTEMPTS, "{}", row.cell);
        // Without writes that fail there was no race; without writes that succeed, nothing to lose.
        assert!(counts.acknowledged > 40 && row.refused() > 100, "{counts}");
        assert!(row.unknown() > 50, "{counts}");
    })
    .await;
    each_cell(true, |row| {
        assert!(
            row.lost() + row.forked() > 0,
            "{}: {}",
            row.cell,
            row.report
        );
    })
    .await;
}
