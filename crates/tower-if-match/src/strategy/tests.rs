//! What the trait allows beside the ways that there are: one that opens like compare and swap and
//! finds out late how the write ended.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{IF_MATCH, RETRY_AFTER};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use tower::{ServiceExt, service_fn};
use version_store::handover::Slot;

use http::Extensions;
use tower_service::Service;
use version_store::{Version, VersionStore};

use super::*;
use crate::config::Config;
use crate::refusal::Reason;
use crate::refusal::Refusal;
use crate::request::Unbuffered;
use crate::request::{Fields, Head};
use crate::service::IfMatch;
use crate::write::Guard;
use crate::{Demand, Expected, Found};

/// One row, which answers late.
#[derive(Clone, Default)]
struct Row(Arc<Mutex<u64>>);

impl VersionStore for Row {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        tokio::task::yield_now().await;
        Ok(Some(Version::new(*self.0.lock().unwrap())))
    }
}

/// Compare and swap, but how the write ended is not known at once.
#[derive(Clone)]
struct Slow;

impl Strategy<Row> for Slow {
    type Held = ();
    const HOLDS: bool = false;
    const OPENS_AT_ONCE: bool = false;

    async fn open(&self, store: &Row, key: &u64) -> Result<Opened<u64, ()>, OpenError<Infallible>> {
        CompareAndSwap.open(store, key).await
    }

    fn hand_over(&self, (): &mut (), slot: &Slot<Expected<Row>>, to: &mut Extensions) {
        slot.lend(to);
    }

    fn settle_at_once(&self, (): &mut (), _: &Slot<Expected<Row>>) -> Option<Settled<u64>> {
        None
    }

    async fn settle(&self, (): (), _: &Row, slot: &Slot<Expected<Row>>, _: bool) -> Settled<u64> {
        tokio::task::yield_now().await;
        Settled::Ended(slot.close())
    }
}

impl Buffers<Full<Bytes>> for Slow {
    async fn buffer(&self, body: Full<Bytes>) -> Result<Full<Bytes>, Unbuffered> {
        Ok(body)
    }
}

impl<Svc: Service<Request<Full<Bytes>>>> Runs<Row, Svc, Full<Bytes>> for Slow {
    type Running = Svc::Future;

    fn run(&self, inner: Svc::Future, (): &()) -> Svc::Future {
        inner
    }
}

#[tokio::test]
async fn what_is_found_out_late_to_have_lost_is_evaluated_afresh() {
    let row = Row::default();
    let writer = row.clone();
    let overtaken = move |request: Request<Full<Bytes>>| {
        let expected = Expected::<Row>::from_extensions(request.extensions()).unwrap();
        *writer.0.lock().unwrap() += 1;
        let _lost = expected.lost();
        async { Ok::<_, Infallible>(Response::<Full<Bytes>>::default()) }
    };
    let finder = |_: &Parts| Found::Key(7_u64);
    let config = Arc::new(Config::new("rows".into()));
    let guard = Guard::new(row, Slow, Arc::clone(&config));
    let tag = config.tags.tag(&7, &Version::new(0)).unwrap();
    let put = Request::builder()
        .method(Method::PUT)
        .header(IF_MATCH, tag.to_header_value())
        .body(Full::default());
    let service = IfMatch::new(service_fn(overtaken), finder, Arc::new(guard));
    let response = service.oneshot(put.unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);
}

/// A write whose outcome is not known may have happened: whoever sends it again writes twice.
#[test]
fn an_unknown_outcome_asks_for_no_retry() {
    let config = Config::<u64, u64>::new("rows".into());
    let (parts, ()) = Request::put("/").body(()).unwrap().into_parts();
    let fields = Fields::of(&parts.headers);
    let conditions = config.conditions(&parts, &fields);
    for (reason, retried) in [(Reason::Busy, true), (Reason::OutcomeUnknown, false)] {
        let head = Head::Whole {
            parts: &parts,
            fields: &fields,
            conditions: &conditions,
            taken: None,
        };
        let answer: Response<Full<Bytes>> = config.responder.refuse(head, Refusal::new(reason));
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers().contains_key(RETRY_AFTER), retried);
    }
}

#[test]
fn a_slot_lends_once() {
    let slot: Slot<Expected<Row>> = Slot::new(7, Demand::Any);
    let mut extensions = Extensions::new();
    slot.lend(&mut extensions);
    assert!(Expected::<Row>::from_extensions(&extensions).is_ok());
    assert!(Expected::<Row>::from_extensions(&extensions.clone()).is_err());
}
