//! Several resources in one write, by a transaction over all of them.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, patch};
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_if_match::bulk::{BulkLayer, ExpectedItems, ItemTags};
use tower_if_match::version_store::{Begun, EndError, Versions};
use tower_if_match::{Transaction, Transactional, Tx, Version, VersionStore, Versioned};

use crate::bulk::{bulk, items, told};
use crate::ledger::{Fault, Ledger, Pages};
use crate::posts::Answer;

/// The ledger, and what a test has it do.
#[derive(Clone)]
struct Books {
    ledger: Ledger,
    script: Arc<Script>,
}

#[derive(Default)]
struct Script {
    flaw: Option<Flaw>,
    /// What was asked to begin, in the order of the calls.
    begun: Mutex<Vec<Vec<u64>>>,
    /// The versions that plain reads saw.
    seen: Mutex<Vec<(u64, Option<Version>)>>,
    /// Written by someone else just before the next transaction begins.
    overtaken: Mutex<Option<u64>>,
}

/// What a control takes away.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    /// Every other transaction takes its rows in the opposite order, and waits for each a number of
    /// turns, not for ever.
    TakesInAnyOrder,
    /// It begins with what plain reads saw, so that the second evaluation learns nothing.
    BeginsWithWhatWasSeen,
}

impl Books {
    fn new() -> Self {
        Self::with(None)
    }

    fn with(flaw: Option<Flaw>) -> Self {
        let ledger = Ledger::new();
        ledger.write(8, Some("first".to_owned()));
        let script = Script {
            flaw,
            ..Script::default()
        };
        Self {
            ledger,
            script: Arc::new(script),
        }
    }

    fn texts(&self) -> [Option<String>; 2] {
        [7, 8].map(|number| self.ledger.text(number))
    }

    fn begun(&self) -> Vec<Vec<u64>> {
        self.script.begun.lock().unwrap().clone()
    }
}

impl VersionStore for Books {
    type Key = u64;
    type Revision = u64;
    type Error = <Ledger as VersionStore>::Error;

    fn is_busy(error: &Self::Error) -> bool {
        Ledger::is_busy(error)
    }

    async fn current(&self, number: &u64) -> Result<Option<Version>, Self::Error> {
        let current = self.ledger.current(number).await?;
        let mut seen = self.script.seen.lock().unwrap();
        seen.push((*number, current.clone()));
        Ok(current)
    }
}

/// A transaction of the ledger for each row, which holds it, and one that is written in.
struct Open {
    pages: <Ledger as Transactional>::Transaction,
    _rows: Vec<<Ledger as Transactional>::Transaction>,
}

impl Deref for Open {
    type Target = Pages;

    fn deref(&self) -> &Pages {
        &self.pages
    }
}

impl DerefMut for Open {
    fn deref_mut(&mut self) -> &mut Pages {
        &mut self.pages
    }
}

impl Transactional for Books {
    type Transaction = Open;

    async fn begin(&self, numbers: &[u64]) -> Result<Begun<Self>, Self::Error> {
        let overtaken = self.script.overtaken.lock().unwrap().take();
        if let Some(number) = overtaken {
            self.ledger.write(number, Some("faster".to_owned()));
        }
        let turn = {
            let mut begun = self.script.begun.lock().unwrap();
            begun.push(numbers.to_vec());
            begun.len()
        };
        let mut taken = numbers.to_vec();
        if self.script.flaw == Some(Flaw::TakesInAnyOrder) && turn % 2 == 0 {
            taken.reverse();
        }
        let mut rows = Vec::new();
        for number in taken {
            // With a turn for others after each.
            rows.push(self.ledger.begin(&[number]).await?.transaction);
        }
        let seen = self.script.seen.lock().unwrap().clone();
        let current = numbers.iter().map(|number| {
            if self.script.flaw == Some(Flaw::BeginsWithWhatWasSeen) {
                let first = seen.iter().find(|(of, _)| of == number);
                return first.and_then(|(_, version)| version.clone());
            }
            let row = self.ledger.row(*number);
            row.map(|(revision, _)| Version::new(revision))
        });
        let current = current.collect();
        let pages = self.ledger.begin(&[]).await?.transaction;
        Ok(Begun {
            transaction: Open { pages, _rows: rows },
            current,
        })
    }

    async fn advance(
        &self,
        transaction: &mut Open,
        numbers: &[u64],
        before: &[Option<Version>],
    ) -> Result<Versions<Self>, EndError<Self::Error>> {
        let pages = &mut transaction.pages;
        self.ledger.advance(pages, numbers, before).await
    }

    async fn commit(&self, transaction: Open) -> Result<(), EndError<Self::Error>> {
        self.ledger.commit(transaction.pages).await
    }

    async fn rollback(&self, transaction: Open) {
        self.ledger.rollback(transaction.pages).await;
    }
}

fn layer(books: &Books) -> BulkLayer<Books> {
    BulkLayer::new("rows", books.clone(), items)
}

fn app(books: &Books, methods: MethodRouter<Books>) -> Router {
    let bulk = layer(books).with_strategy(Transaction::new());
    Router::new()
        .route("/posts", methods.route_layer(bulk))
        .with_state(books.clone())
}

async fn write_all(mut tx: Tx<Books>, Json(entries): Json<Vec<Value>>) -> ItemTags {
    for entry in entries {
        tokio::task::yield_now().await;
        let number = entry[0].as_u64().unwrap();
        match entry[2].as_str() {
            Some(text) => tx.put(number, text.to_owned()),
            None => tx.remove(number),
        }
    }
    ItemTags
}

fn tag(books: &Books, number: u64) -> String {
    let (revision, _) = books.ledger.row(number).unwrap();
    let tag = layer(books).tags().tag(&number, &Version::new(revision));
    tag.unwrap().to_string()
}

/// Rows 8 and 7, in this order, on the versions that they have.
fn both(books: &Books, text: &str) -> Value {
    json!([[8, tag(books, 8), text], [7, tag(books, 7), text]])
}

fn texts(text: &str) -> [Option<String>; 2] {
    [7, 8].map(|_| Some(text.to_owned()))
}

#[tokio::test]
async fn everything_is_committed_together_and_its_tags_told() {
    let books = Books::new();
    let app = app(&books, patch(write_all));
    let answer = bulk(&app, &both(&books, "second")).await;
    assert_eq!((answer.status, answer.etag()), (StatusCode::OK, None));
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    let expected = json!({"items": [
        {"index": 0, "etag": tag(&books, 8)},
        {"index": 1, "etag": tag(&books, 7)},
    ]});
    assert_eq!(told, expected);
    assert_eq!(books.texts(), texts("second"));
    // In the order of the keys, whatever that of the items.
    assert_eq!(books.begun(), [[7, 8]]);

    let content = json!([
        [8, tag(&books, 8), null],
        [5, null, "new", "create"],
        [7, tag(&books, 7), "third"]
    ]);
    let answer = bulk(&app, &content).await;
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    let expected = json!({"items": [
        {"index": 0},
        {"index": 1, "etag": tag(&books, 5)},
        {"index": 2, "etag": tag(&books, 7)},
    ]});
    assert_eq!(told, expected);
    assert_eq!(books.ledger.row(8), None);
    assert_eq!(books.ledger.open().0, 0);
}

#[tokio::test]
async fn the_hopeless_begins_no_transaction() {
    let books = Books::new();
    let app = app(&books, patch(write_all));
    let content = json!([[7, tag(&books, 7), "x"], [8, tag(&books, 7), "x"]]);
    let answer = bulk(&app, &content).await;
    assert_eq!(told(&answer), json!([null, [412, "foreign_tag"]]));
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(books.begun(), Vec::<Vec<u64>>::new());
    assert_eq!(books.texts(), texts("first"));
}

/// Someone writes row 7 between the plain read and the transaction.
async fn overtaken(books: &Books) -> Answer {
    let app = app(books, patch(write_all));
    *books.script.overtaken.lock().unwrap() = Some(7);
    bulk(&app, &both(books, "late")).await
}

#[tokio::test]
async fn what_changed_before_the_transaction_is_seen_in_it() {
    let books = Books::new();
    let answer = overtaken(&books).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(told(&answer), json!([null, [412, "stale_version"]]));
    let [seven, eight] = books.texts();
    assert_eq!(seven.as_deref(), Some("faster"));
    assert_eq!(eight.as_deref(), Some("first"));
    assert_eq!(books.ledger.open().0, 0);
}

#[tokio::test]
async fn without_the_second_evaluation_an_update_is_lost() {
    let books = Books::with(Some(Flaw::BeginsWithWhatWasSeen));
    let answer = overtaken(&books).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(books.texts(), texts("late"), "the faster write is gone");
}

/// Two requests over the same rows in opposite orders, each through a layer of its own, as if in two
/// processes: so only the order of the rows keeps them from waiting for each other.
async fn in_opposite_orders(books: &Books, patience: Duration, rounds: usize) -> Vec<Vec<u16>> {
    let apps = [(); 2].map(|()| {
        let bulk = layer(books).with_strategy(Transaction::new().with_wait_timeout(patience));
        Router::new()
            .route("/posts", patch(write_all).route_layer(bulk))
            .with_state(books.clone())
    });
    let mut statuses = Vec::new();
    for round in 0..rounds {
        let content = both(books, &round.to_string());
        let opposite = json!([content[1], content[0]]);
        let [one, other] = &apps;
        let (one, other) = tokio::join!(bulk(one, &content), bulk(other, &opposite));
        let mut of_round = [one.status.as_u16(), other.status.as_u16()];
        of_round.sort_unstable();
        statuses.push(of_round.to_vec());
        if of_round.contains(&503) {
            break;
        }
    }
    statuses
}

#[tokio::test]
async fn of_two_in_opposite_orders_one_takes_effect() {
    let books = Books::new();
    assert_eq!(
        in_opposite_orders(&books, Duration::from_secs(10), 100).await,
        vec![vec![200, 412]; 100]
    );
    assert!(books.begun().iter().all(|numbers| *numbers == [7, 8]));
    assert_eq!(books.ledger.open().0, 0);
}

#[tokio::test]
async fn rows_taken_in_any_order_wait_for_each_other() {
    let books = Books::with(Some(Flaw::TakesInAnyOrder));
    let statuses = in_opposite_orders(&books, Duration::from_millis(50), 1).await;
    assert!(statuses[0].contains(&503), "{statuses:?}");
}

/// Whoever waited in vain is not told to try again with a tag that has become stale.
#[tokio::test]
async fn who_waited_in_vain_is_told_what_became_of_its_versions() {
    let books = Books::new();
    let bulk_layer = layer(&books)
        .with_strategy(Transaction::new().with_wait_timeout(Duration::from_millis(50)));
    let app = Router::new()
        .route("/posts", patch(write_all).route_layer(bulk_layer))
        .with_state(books.clone());
    let content = both(&books, "second");
    let held = books.ledger.begin(&[8]).await.unwrap();
    let answer = bulk(&app, &content).await;
    assert_eq!(answer.reason(), "busy");
    *books.script.overtaken.lock().unwrap() = Some(7);
    let answer = bulk(&app, &content).await;
    assert_eq!(told(&answer), json!([null, [412, "stale_version"]]));
    drop(held);
    assert_eq!(books.ledger.open().0, 0);
}

#[tokio::test]
async fn a_handler_that_does_not_write_in_the_transaction_is_an_error() {
    async fn ignores() {}
    async fn keeps(tx: Tx<Books>) {
        std::mem::forget(tx);
    }
    async fn ends(mut tx: Tx<Books>) {
        tx.put(7, "x".to_owned());
        tx.end();
    }
    async fn asks_for_items(_: ExpectedItems<Books>) {}
    async fn fails(mut tx: Tx<Books>) -> StatusCode {
        tx.put(7, "x".to_owned());
        StatusCode::CONFLICT
    }
    for (methods, status) in [
        (patch(ignores), 500),
        (patch(keeps), 500),
        (patch(ends), 500),
        (patch(asks_for_items), 500),
        (patch(fails), 409),
    ] {
        let books = Books::new();
        let app = app(&books, methods);
        let answer = bulk(&app, &both(&books, "second")).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(books.texts(), texts("first"));
    }
}

/// Until the layer takes the mark off a `Versioned` answer its status is 500, which must not roll back
/// what is then answered as a success.
#[tokio::test]
async fn a_versioned_answer_is_a_success() {
    async fn versioned(mut tx: Tx<Books>) -> Versioned<&'static str> {
        tx.put(7, "second".to_owned());
        tx.put(8, "second".to_owned());
        Versioned::new(Version::new(1), "body")
    }
    let books = Books::new();
    let app = app(&books, patch(versioned));
    let answer = bulk(&app, &both(&books, "second")).await;
    assert_eq!((answer.status, answer.etag()), (StatusCode::OK, None));
    assert_eq!(books.texts(), texts("second"));
}

#[tokio::test]
async fn a_commit_that_fails_is_no_success() {
    for (fault, reason, text) in [
        (Fault::Deadlock, "busy", "first"),
        (Fault::Full, "store_unavailable", "first"),
        (Fault::AcknowledgementLost, "outcome_unknown", "second"),
    ] {
        let books = Books::new();
        let app = app(&books, patch(write_all));
        let content = both(&books, "second");
        books.ledger.fail_next_commit(fault);
        let answer = bulk(&app, &content).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.reason(), reason);
        assert_eq!(books.texts(), texts(text));
    }
}

#[tokio::test]
async fn a_failure_after_which_a_condition_is_false_has_lost() {
    async fn overtaken(State(books): State<Books>, mut tx: Tx<Books>) -> StatusCode {
        tx.put(7, "x".to_owned());
        // A writer that no lock holds off.
        books.ledger.write(8, Some("faster".to_owned()));
        StatusCode::INTERNAL_SERVER_ERROR
    }
    let books = Books::new();
    let app = app(&books, patch(overtaken));
    let answer = bulk(&app, &both(&books, "second")).await;
    assert_eq!(told(&answer), json!([[412, "stale_version"], null]));
}

/// A client that leaves at any point leaves no transaction and no half of a write behind.
#[tokio::test]
async fn whoever_leaves_leaves_nothing_behind() {
    use std::task::{Context, Poll, Waker};
    let mut finished = false;
    for polls in 1..100 {
        let books = Books::new();
        let app = app(&books, patch(write_all));
        let content = both(&books, "second");
        let mut answer = Box::pin(bulk(&app, &content));
        let mut cx = Context::from_waker(Waker::noop());
        let ready = (0..polls).any(|_| matches!(answer.as_mut().poll(&mut cx), Poll::Ready(_)));
        drop(answer);
        assert_eq!(books.ledger.open().0, 0, "after {polls} polls");
        let text = if ready { "second" } else { "first" };
        assert_eq!(books.texts(), texts(text));
        if ready {
            finished = true;
            break;
        }
    }
    assert!(finished);
}
