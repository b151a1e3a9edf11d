//! Two more ways in miniature, to hold the trait to what it is for: a lock around a handler that
//! knows nothing of versions, and a transaction that the handler writes in. Both keep something from
//! `open` to `settle`, and settling takes waiting.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{ETAG, IF_MATCH, RETRY_AFTER};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tower::{ServiceExt, service_fn};
use tower_service::Service;

use super::*;
use crate::config::Config;
use crate::head::Head;
use crate::refusal::Refusal;
use crate::service::IfMatch;
use crate::{Demand, Expected, Found, Reason};

/// One row, whose version changes with its data.
#[derive(Clone, Default)]
struct Row {
    row: Arc<Mutex<(u64, String)>>,
    lock: Arc<AsyncMutex<()>>,
}

impl Row {
    fn write(&self, text: &str) {
        let mut row = self.row.lock().unwrap();
        *row = (row.0 + 1, text.to_owned());
    }

    fn text(&self) -> String {
        self.row.lock().unwrap().1.clone()
    }
}

impl VersionStore for Row {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        tokio::task::yield_now().await;
        Ok(Some(Version::new(self.row.lock().unwrap().0)))
    }
}

/// The handler runs under the row's lock, and what it did is read off the version.
#[derive(Clone)]
struct Locked(Row);

struct UnderLock {
    _lock: OwnedMutexGuard<()>,
    before: u64,
}

impl Way<Row> for Locked {
    type Held = UnderLock;
    const OPENS_AT_ONCE: bool = false;

    async fn open(&self, store: &Row, key: &u64) -> Result<Opened<u64, UnderLock>, Infallible> {
        let lock = Arc::clone(&self.0.lock).lock_owned().await;
        let current = store.current(key).await?;
        let before = current.as_ref().map_or(0, |version| *version.revision());
        Ok(Opened {
            current,
            held: UnderLock {
                _lock: lock,
                before,
            },
        })
    }

    fn hand_over(&self, _: &mut UnderLock, _: &Slot<Row>, _: &mut Extensions) {}

    fn settle_at_once(&self, _: &mut UnderLock, _: &Slot<Row>) -> Option<Ending<u64>> {
        None
    }

    async fn settle(&self, held: UnderLock, slot: &Slot<Row>, _: bool) -> Ending<u64> {
        let Ok(version) = self.0.current(slot.key()).await;
        let version = version.unwrap();
        if *version.revision() == held.before {
            return Ending::Unchanged;
        }
        Ending::Written {
            version,
            verbatim: false,
        }
    }
}

/// The handler writes into a transaction, which is committed only with a success.
#[derive(Clone)]
struct Transacted(Row);

/// What the handler writes in: the texts that are not committed yet.
#[derive(Clone)]
struct Transaction(Arc<Mutex<Vec<String>>>);

struct InTransaction {
    _lock: OwnedMutexGuard<()>,
    transaction: Transaction,
}

impl Way<Row> for Transacted {
    type Held = InTransaction;
    const OPENS_AT_ONCE: bool = false;

    async fn open(&self, store: &Row, key: &u64) -> Result<Opened<u64, InTransaction>, Infallible> {
        let lock = Arc::clone(&self.0.lock).lock_owned().await;
        let current = store.current(key).await?;
        let transaction = Transaction(Arc::default());
        Ok(Opened {
            current,
            held: InTransaction {
                _lock: lock,
                transaction,
            },
        })
    }

    fn hand_over(&self, held: &mut InTransaction, _: &Slot<Row>, to: &mut Extensions) {
        to.insert(held.transaction.clone());
    }

    fn settle_at_once(&self, _: &mut InTransaction, _: &Slot<Row>) -> Option<Ending<u64>> {
        None
    }

    async fn settle(&self, held: InTransaction, slot: &Slot<Row>, success: bool) -> Ending<u64> {
        let staged = std::mem::take(&mut *held.transaction.0.lock().unwrap());
        if !success || staged.is_empty() {
            return Ending::Unchanged;
        }
        for text in staged {
            self.0.write(&text);
        }
        let Ok(version) = self.0.current(slot.key()).await;
        let version = version.unwrap();
        Ending::Written {
            version,
            verbatim: false,
        }
    }
}

/// Two PUTs with the same tag, at the same time, through this way and handler.
async fn two_puts<W, H, R>(row: Row, way: W, handler: H) -> [StatusCode; 2]
where
    W: Way<Row>,
    H: Fn(Request<Full<Bytes>>) -> R + Clone + Send + 'static,
    R: Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send + 'static,
{
    let finder = |_: &Parts| Found::Key(7_u64);
    let config = Arc::new(Config::new("rows", row, finder, way));
    let tag = config.tags.tag(&7, &Version::new(0)).unwrap();
    let service = IfMatch::new(service_fn(handler), config);
    let put = |service: IfMatch<_, _, _, _>| {
        let request = Request::builder()
            .method(Method::PUT)
            .header(IF_MATCH, tag.to_header_value())
            .body(Full::default());
        tokio::spawn(service.oneshot(request.unwrap()))
    };
    let (first, second) = (put(service.clone()), put(service));
    let answers = [
        first.await.unwrap().unwrap(),
        second.await.unwrap().unwrap(),
    ];
    for answer in &answers {
        assert!(answer.headers().contains_key(ETAG));
    }
    answers.map(|answer| answer.status())
}

async fn answer(status: StatusCode) -> Result<Response<Full<Bytes>>, Infallible> {
    tokio::task::yield_now().await;
    let mut response = Response::default();
    *response.status_mut() = status;
    Ok(response)
}

#[tokio::test]
async fn a_lock_fits_in_as_a_way() {
    let row = Row::default();
    let writer = row.clone();
    let statuses = two_puts(row.clone(), Locked(row.clone()), move |_| {
        writer.write("blindly");
        answer(StatusCode::OK)
    })
    .await;
    assert_eq!(statuses, [StatusCode::OK, StatusCode::PRECONDITION_FAILED]);
    assert_eq!(row.row.lock().unwrap().0, 1);
}

#[tokio::test]
async fn a_transaction_fits_in_as_a_way() {
    let row = Row::default();
    let statuses = two_puts(row.clone(), Transacted(row.clone()), |request| {
        let transaction = request.extensions().get::<Transaction>().unwrap();
        transaction.0.lock().unwrap().push("staged".to_owned());
        answer(StatusCode::OK)
    })
    .await;
    assert_eq!(statuses, [StatusCode::OK, StatusCode::PRECONDITION_FAILED]);
    assert_eq!(row.text(), "staged");
}

/// A redirect after a write is a success, 400 is none.
#[tokio::test]
async fn only_a_success_is_committed() {
    for (status, text) in [
        (StatusCode::SEE_OTHER, "staged"),
        (StatusCode::BAD_REQUEST, ""),
    ] {
        let row = Row::default();
        let finder = |_: &Parts| Found::Key(7_u64);
        let way = Transacted(row.clone());
        let config = Arc::new(Config::new("rows", row.clone(), finder, way));
        let tag = config.tags.tag(&7, &Version::new(0)).unwrap();
        let handler = move |request: Request<Full<Bytes>>| {
            let transaction = request.extensions().get::<Transaction>().unwrap();
            transaction.0.lock().unwrap().push("staged".to_owned());
            answer(status)
        };
        let put = Request::put("/")
            .header(IF_MATCH, tag.to_header_value())
            .body(Full::default());
        let mut service = IfMatch::new(service_fn(handler), config);
        let response = service.call(put.unwrap()).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(row.text(), text);
    }
}

/// Compare and swap, but how the write ended is not known at once.
#[derive(Clone)]
struct Slow;

impl Way<Row> for Slow {
    type Held = ();
    const OPENS_AT_ONCE: bool = false;

    async fn open(&self, store: &Row, key: &u64) -> Result<Opened<u64, ()>, Infallible> {
        CompareAndSwap.open(store, key).await
    }

    fn hand_over(&self, (): &mut (), slot: &Slot<Row>, to: &mut Extensions) {
        slot.lend(to);
    }

    fn settle_at_once(&self, (): &mut (), _: &Slot<Row>) -> Option<Ending<u64>> {
        None
    }

    async fn settle(&self, (): (), slot: &Slot<Row>, _: bool) -> Ending<u64> {
        tokio::task::yield_now().await;
        slot.close()
    }
}

#[tokio::test]
async fn what_is_found_out_late_to_have_lost_is_evaluated_afresh() {
    let row = Row::default();
    let writer = row.clone();
    let overtaken = move |request: Request<Full<Bytes>>| {
        let expected = Expected::<Row>::from_extensions(request.extensions()).unwrap();
        writer.write("faster");
        let _lost = expected.lost();
        answer(StatusCode::OK)
    };
    let statuses = two_puts(row, Slow, overtaken).await;
    assert_eq!(statuses, [StatusCode::PRECONDITION_FAILED; 2]);
}

/// The negative control of both: the same blind handler under compare and swap. Nothing keeps the
/// second from passing, so both would be acknowledged, were it not that neither settled.
#[tokio::test]
async fn without_the_lock_a_blind_handler_is_found_out() {
    let row = Row::default();
    let writer = row.clone();
    let finder = |_: &Parts| Found::Key(7_u64);
    let config = Arc::new(Config::new("rows", row.clone(), finder, CompareAndSwap));
    let tag = config.tags.tag(&7, &Version::new(0)).unwrap();
    let mut service = IfMatch::new(
        service_fn(move |_: Request<Full<Bytes>>| {
            writer.write("blindly");
            answer(StatusCode::OK)
        }),
        config,
    );
    let put = Request::put("/")
        .header(IF_MATCH, tag.to_header_value())
        .body(Full::default());
    let response = service.call(put.unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(row.text(), "blindly", "found out, not undone");
}

/// A write whose outcome is not known may have happened: whoever sends it again writes twice.
#[test]
fn an_unknown_outcome_asks_for_no_retry() {
    let finder = |_: &Parts| Found::Key(7_u64);
    let config = Config::new("rows", Row::default(), finder, CompareAndSwap);
    let (parts, ()) = Request::put("/").body(()).unwrap().into_parts();
    let conditions = config.conditions(&parts);
    for (reason, retried) in [(Reason::Busy, true), (Reason::OutcomeUnknown, false)] {
        let head = Head::Whole(&parts, &conditions);
        let answer: Response<Full<Bytes>> = config.refuse(head, Refusal::new(reason), None);
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers().contains_key(RETRY_AFTER), retried);
    }
}

#[test]
fn a_slot_lends_once() {
    let slot: Slot<Row> = Slot::new(7, Demand::Anything);
    let mut extensions = Extensions::new();
    slot.lend(&mut extensions);
    assert!(Expected::<Row>::from_extensions(&extensions).is_ok());
    assert!(Expected::<Row>::from_extensions(&extensions.clone()).is_err());
}
