//! What becomes of a write from whose head the hooks took nothing. [`Guard::take`] rules it out; if it did not,
//! nothing may be agreed to, and nothing told, that a hook has not seen.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use version_store::{Conflict, Conflicts, Version, VersionStore};

use super::*;
use crate::config::Config;
use crate::refusal::{Reason, Refusal};
use crate::request::{Fields, Kept};
use crate::strategy::CompareAndSwap;

/// One row, with something to tell.
#[derive(Clone)]
struct Row;

impl VersionStore for Row {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        Ok(Some(Version::new(6)))
    }
}

impl Conflicts for Row {
    async fn conflict(&self, _: &u64, _: Option<&Version>) -> Result<Option<Conflict>, Infallible> {
        let conflict = Conflict::new(Version::new(6));
        Ok(Some(conflict.with_current("\"secret\"".to_owned())))
    }
}

fn guard(change: impl FnOnce(&mut Config<u64, u64>)) -> Guard<Row, CompareAndSwap> {
    let mut config = Config::new("rows".into());
    change(&mut config);
    Guard::new(Row, CompareAndSwap, Arc::new(config))
}

fn kept(guard: &Guard<Row, CompareAndSwap>, hooked: bool) -> Kept {
    let (parts, ()) = Request::put("/").body(()).unwrap().into_parts();
    let fields = Fields::of(&parts.headers);
    let taken = if hooked { guard.take(&parts) } else { None };
    assert_eq!(taken.is_some(), hooked);
    guard.keep(&parts, &fields, taken)
}

#[test]
fn without_a_note_nobody_is_authorized() {
    let guard = guard(|config| config.add_authorization(|_| (), |(), _, _| Ok(())));
    for hooked in [true, false] {
        let kept = kept(&guard, hooked);
        let answer = guard.authorize(kept.head().taken(), &7, None);
        assert_eq!(answer.is_ok(), hooked);
    }
}

#[tokio::test]
async fn without_a_note_nothing_is_told_that_would_be_redacted() {
    let mut guard = guard(|_| ());
    guard.conflicts.told = Some((Audience::Everybody, Arc::new(ask)));
    guard.conflicts.add_redaction(|_| (), |(), _, _| ());
    let tag = guard.config.tags.tag(&7, &Version::new(6));
    assert!(tag.is_some());
    for told in [true, false] {
        let kept = kept(&guard, told);
        let refusal = Refusal::new(Reason::StaleVersion).with_current_tag(tag.clone());
        let response: Response<Full<Bytes>> = guard.tell(kept.head(), &7, refusal, None).await;
        assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);
        let text = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert_eq!(text.contains("secret"), told, "{text}");
    }
}
