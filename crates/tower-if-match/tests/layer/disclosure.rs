//! What a 412 tells about a conflict: how much at most, and what the owner takes out.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, put};
use serde_json::{Value, json};
use tower_if_match::{
    Conflict, Conflicts, Expected, IfMatchLayer, PathKey, Refusals, Version, VersionStore,
    Versioned,
};

use crate::posts::{self, Answer};

/// Has one document, and tells as much about a conflict as a test wants.
#[derive(Clone)]
struct Telling {
    changed: usize,
    current: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl VersionStore for Telling {
    type Key = u64;
    type Revision = u64;
    type Error = Never;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Never> {
        Ok(Some(Version::new(6)))
    }
}

impl Conflicts for Telling {
    async fn conflict(&self, _: &u64, _: Option<&Version>) -> Result<Option<Conflict>, Never> {
        let made = std::time::SystemTime::UNIX_EPOCH;
        let version = Version::new(6)
            .with_modified_by("ada")
            .with_modified_at(made);
        let changed = vec!["/x".to_owned(); self.changed];
        let current = json!({"text": "x".repeat(self.current), "secret": 42});
        Ok(Some(
            Conflict::new(version)
                .with_changed(changed)
                .with_current(current.to_string()),
        ))
    }
}

type Guard = IfMatchLayer<Telling, PathKey>;

/// A stale write to a document that has this much to tell.
async fn refused(changed: usize, current: usize, told: impl FnOnce(Guard) -> Guard) -> Answer {
    let guard = told(IfMatchLayer::new(
        "telling",
        Telling { changed, current },
        PathKey,
    ));
    let app: Router = Router::new().route(
        "/posts/{id}",
        get(async || Versioned::new(Version::new(6_u64), "body"))
            .put(async |expected: Expected<Telling>| expected.lost())
            .route_layer(guard),
    );
    let answer = posts::put(&app, "\"stale\"", "content").await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(answer.problem()["current_etag"], answer.etag().unwrap());
    answer
}

fn has(problem: &Value) -> [bool; 5] {
    let conflict = &problem["conflict"];
    [
        conflict.get("modified_by").is_some(),
        conflict.get("modified_at").is_some(),
        conflict.get("changed").is_some(),
        conflict.get("current").is_some(),
        problem.get("last_modified").is_some(),
    ]
}

#[tokio::test]
async fn what_is_too_long_is_left_out_the_longest_first() {
    let limited = |octets| {
        move |guard: Guard| {
            guard
                .with_public_conflicts()
                .with_refusals(Refusals::new().with_conflict_limit(octets))
        }
    };
    let all = refused(3, 100, limited(1000)).await.problem();
    assert_eq!(has(&all), [true; 5]);
    let no_current = refused(3, 1000, limited(1000)).await.problem();
    assert_eq!(has(&no_current), [true, true, true, false, true]);
    let no_changed = refused(300, 1000, limited(1000)).await.problem();
    assert_eq!(has(&no_changed), [true, true, false, false, true]);
    let no_author = refused(300, 1000, limited(50)).await.problem();
    assert_eq!(has(&no_author), [false, true, false, false, true]);
    let nothing = refused(300, 1000, limited(5)).await.problem();
    assert_eq!(nothing.get("conflict"), None);
}

#[tokio::test]
async fn the_limit_is_kept_to_the_octet() {
    let answer = |octets| async move {
        let limited = |guard: Guard| {
            guard
                .with_public_conflicts()
                .with_refusals(Refusals::new().with_conflict_limit(octets))
        };
        refused(3, 100, limited).await.problem()
    };
    let whole = answer(100_000).await["conflict"].to_string().len();
    assert_eq!(has(&answer(whole).await), [true; 5]);
    assert_eq!(
        has(&answer(whole - 1).await),
        [true, true, true, false, true]
    );
}

#[tokio::test]
async fn by_default_at_most_64_kib_are_told() {
    let public = |guard: Guard| guard.with_public_conflicts();
    let little = refused(1, 60 * 1024, public).await.problem();
    assert_eq!(has(&little), [true; 5]);
    let much = refused(1, 65 * 1024, public).await.problem();
    assert_eq!(has(&much), [true, true, true, false, true]);
}

#[tokio::test]
async fn what_the_owner_takes_out_is_not_told() {
    let redacted = |guard: Guard| {
        guard.with_public_conflicts().with_redaction(
            |head| head.method.clone(),
            |method, key, conflict| {
                assert_eq!((method.as_str(), *key), ("PUT", 7));
                conflict.version = conflict.version.clone().without_author().without_date();
                conflict.changed = None;
                let current = conflict.current.take().unwrap();
                let mut current: Value = serde_json::from_str(&current).unwrap();
                current.as_object_mut().unwrap().remove("secret");
                conflict.current = Some(current.to_string());
            },
        )
    };
    let problem = refused(3, 1, redacted).await.problem();
    assert_eq!(problem["conflict"], json!({"current": {"text": "x"}}));
    assert_eq!(problem.get("last_modified"), None);
}

/// The tag names the row that was told about; a hook that changes the version does not change it.
#[tokio::test]
async fn redaction_does_not_reach_the_tag() {
    let public = refused(1, 1, tower_if_match::IfMatchLayer::with_public_conflicts).await;
    let moved = |guard: Guard| {
        guard
            .with_public_conflicts()
            .with_redaction(|_| (), |(), _, conflict| conflict.version = Version::new(7))
    };
    assert_eq!(refused(1, 1, moved).await.etag(), public.etag());
}

#[tokio::test]
async fn a_redaction_hook_is_no_opt_in() {
    let redacted = |guard: Guard| guard.with_redaction(|_| (), |(), _, _| ());
    let problem = refused(1, 1, redacted).await.problem();
    assert_eq!(problem.get("conflict"), None);
    assert_eq!(problem.get("last_modified"), None);
}

/// Those whom the authorization hook agrees to are told through the redaction hook, too; also after the
/// handler has had the request's head.
#[tokio::test]
async fn redaction_and_authorization_go_together() {
    let guard = |guard: Guard| {
        guard
            .with_authorization(|_| (), |(), _, _| Ok(()))
            .with_conflicts_for_authorized()
            .with_redaction(|_| (), |(), _, conflict| conflict.current = None)
    };
    let problem = refused(1, 1, guard).await.problem();
    assert_eq!(has(&problem), [true, true, true, false, true]);

    let store = Telling {
        changed: 1,
        current: 1,
    };
    let layer = guard(IfMatchLayer::new("telling", store, PathKey));
    let lose = async |expected: Expected<Telling>| expected.lost();
    let app: Router = Router::new().route("/posts/{id}", get(lose).put(lose).route_layer(layer));
    let lost = posts::put(&app, "*", "content").await;
    assert_eq!(lost.reason(), "lost_race");
    assert_eq!(has(&lost.problem()), [true, true, true, false, true]);
}

/// The hook needs the request's head after the handler has had it, also where no other hook does.
#[tokio::test]
async fn redaction_sees_what_a_lost_race_would_tell() {
    let store = Telling {
        changed: 1,
        current: 1,
    };
    let layer = IfMatchLayer::new("telling", store, PathKey)
        .with_public_conflicts()
        .with_redaction(|_| (), |(), _, conflict| conflict.current = None);
    let lose = async |expected: Expected<Telling>| expected.lost();
    let app: Router = Router::new().route("/posts/{id}", get(lose).put(lose).route_layer(layer));
    let lost = posts::put(&app, "*", "content").await.problem();
    assert_eq!(lost["reason"], "lost_race");
    assert_eq!(has(&lost), [true, true, true, false, true]);
}

/// Finds nothing, and something once it is asked what there is to tell.
#[derive(Clone)]
struct Appearing;

impl VersionStore for Appearing {
    type Key = u64;
    type Revision = u64;
    type Error = Never;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Never> {
        Ok(None)
    }
}

impl Conflicts for Appearing {
    async fn conflict(&self, _: &u64, _: Option<&Version>) -> Result<Option<Conflict>, Never> {
        let appeared = Conflict::new(Version::new(1));
        Ok(Some(appeared.with_current("\"appeared\"".to_owned())))
    }
}

/// A condition that failed because nothing was there conflicts with no version.
#[tokio::test]
async fn nothing_is_told_where_nothing_was_there() {
    let guard = IfMatchLayer::new("appearing", Appearing, PathKey).with_public_conflicts();
    let app: Router = Router::new().route("/posts/{id}", put(async || ()).route_layer(guard));
    let refused = posts::put(&app, "\"stale\"", "content").await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(refused.reason(), "absent");
    assert_eq!(refused.etag(), None);
    assert_eq!(refused.problem().get("conflict"), None);
}
