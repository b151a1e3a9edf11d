//! The servers on a database: the same handlers with each guard and each way to close the race.

use std::io;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sqlx::Pool;
use tower_if_match::{
    Demand, Expected, IfMatchLayer, Lost, PathKey, Transaction, Tx, Version, Versioned,
};
use version_store_sqlx::{SqlVersions, SwapError, Transactions};

use crate::handwritten::{equal, missing, shown, stale, tag_of};
use crate::plan::Variant;
use crate::rows::{Rows, Written, table};

/// The server of a variant on this database, with so many posts and connections.
pub(crate) async fn router<D: Rows>(variant: Variant, url: &str, posts: u16) -> io::Result<Router> {
    let pool = D::connect(url, u32::from(posts)).await;
    let pool = pool.map_err(io::Error::other)?;
    D::fill(&pool, posts).await.map_err(io::Error::other)?;
    // Otherwise half of them would wait for one of the store's connections, and that be measured.
    let transactions = Transactions::new().with_connections(u32::from(posts));
    let store = SqlVersions::<D, i64>::open_with(pool.clone(), table(), transactions).await;
    let store = store.map_err(io::Error::other)?;
    let guard = IfMatchLayer::new("posts", store.clone(), PathKey);
    let methods = match variant {
        Variant::WithoutTriggers => get(read_blindly::<D>).put(overwrite_plain::<D>),
        Variant::Handwritten => get(read_by_hand::<D>).put(replace_by_hand::<D, false>),
        Variant::OneConnection => get(read_by_hand::<D>).put(replace_by_hand::<D, true>),
        Variant::CompareAndSwap => get(read::<D>).put(swap::<D>).route_layer(guard),
        Variant::Helper => get(read::<D>).put(swap_by_helper::<D>).route_layer(guard),
        Variant::Transaction => {
            let guard = guard.with_strategy(Transaction::new());
            get(read::<D>)
                .put(write_in_transaction::<D>)
                .route_layer(guard)
        }
        _ => get(read_blindly::<D>).put(overwrite::<D>),
    };
    let app = App { pool, store };
    Ok(Router::new().route("/posts/{id}", methods).with_state(app))
}

struct App<D: Rows> {
    pool: Pool<D>,
    store: SqlVersions<D, i64>,
}

impl<D: Rows> Clone for App<D> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            store: self.store.clone(),
        }
    }
}

/// What a client is not told.
struct Failed;

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        eprintln!("load: {error}");
        Self
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}

type Answer = Result<Response, Failed>;

fn done(written: bool) -> Response {
    let status = if written {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    };
    status.into_response()
}

async fn read_blindly<D: Rows>(State(app): State<App<D>>, Path(id): Path<i64>) -> Answer {
    let text = D::body(&mut *app.pool.acquire().await?, id).await?;
    Ok(text.map_or_else(|| done(false), IntoResponse::into_response))
}

async fn overwrite<D: Rows>(
    State(app): State<App<D>>,
    Path(id): Path<i64>,
    text: String,
) -> Answer {
    let mut connection = app.pool.acquire().await?;
    Ok(done(
        D::overwrite(&mut connection, Written::Posts, id, &text).await?,
    ))
}

async fn overwrite_plain<D: Rows>(
    State(app): State<App<D>>,
    Path(id): Path<i64>,
    text: String,
) -> Answer {
    let mut connection = app.pool.acquire().await?;
    Ok(done(
        D::overwrite(&mut connection, Written::WithoutTriggers, id, &text).await?,
    ))
}

async fn read_by_hand<D: Rows>(
    State(app): State<App<D>>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Answer {
    let post = D::post(&mut *app.pool.acquire().await?, id).await?;
    Ok(match post {
        Some((version, text)) => shown(&headers, &tag_of(version.cast_unsigned()), text),
        None => done(false),
    })
}

/// Reads the version, compares, and writes on it: on whatever connection the pool gives for each, or both
/// on `ONE`.
async fn replace_by_hand<D: Rows, const ONE: bool>(
    State(app): State<App<D>>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    text: String,
) -> Answer {
    let Some(sent) = headers.get(IF_MATCH) else {
        return Ok(missing());
    };
    let mut connection = app.pool.acquire().await?;
    let Some(version) = D::version(&mut connection, id).await? else {
        return Ok(done(false));
    };
    let current = tag_of(version.cast_unsigned());
    if !equal(sent, &current) {
        return Ok(stale(&current));
    }
    if !ONE {
        drop(connection);
        connection = app.pool.acquire().await?;
    }
    if let Some(made) = D::swap(&mut connection, id, version, &text).await? {
        let tag = tag_of(made.cast_unsigned());
        return Ok((StatusCode::NO_CONTENT, [(ETAG, tag)]).into_response());
    }
    let now = D::version(&mut connection, id).await?;
    Ok(now.map_or_else(|| done(false), |now| stale(&tag_of(now.cast_unsigned()))))
}

async fn read<D: Rows>(
    State(app): State<App<D>>,
    Path(id): Path<i64>,
) -> Result<Versioned<String>, Failed> {
    let post = D::post(&mut *app.pool.acquire().await?, id).await?;
    let (version, text) = post.ok_or(Failed)?;
    Ok(Versioned::new(Version::new(version.cast_unsigned()), text))
}

/// One statement, as the guide has it.
async fn swap<D: Rows>(
    State(app): State<App<D>>,
    expected: Expected<SqlVersions<D, i64>>,
    text: String,
) -> Answer {
    let Demand::Version(was) = expected.demand() else {
        return Ok(StatusCode::NOT_IMPLEMENTED.into_response());
    };
    let (id, version) = (*expected.key(), was.revision().cast_signed());
    let mut connection = app.pool.acquire().await?;
    let made = D::swap(&mut connection, id, version, &text).await?;
    let made = made.map(|version| Version::new(version.cast_unsigned()));
    Ok(match expected.settle(made) {
        Ok(_) => done(true),
        Err(lost) => lost.into_response(),
    })
}

/// The store's own compare and swap, around a statement that knows nothing of versions.
async fn swap_by_helper<D: Rows>(
    State(app): State<App<D>>,
    expected: Expected<SqlVersions<D, i64>>,
    text: String,
) -> Result<Result<StatusCode, Lost>, Failed> {
    let id = *expected.key();
    let written = app
        .store
        .compare_and_swap(expected, async |connection, _was| {
            D::overwrite(connection, Written::Posts, id, &text).await
        });
    match written.await {
        Ok(_) => Ok(Ok(StatusCode::NO_CONTENT)),
        Err(SwapError::Lost(lost)) => Ok(Err(lost)),
        Err(error) => Err(error.into()),
    }
}

/// In the layer's transaction.
async fn write_in_transaction<D: Rows>(
    State(_): State<App<D>>,
    Path(id): Path<i64>,
    mut tx: Tx<SqlVersions<D, i64>>,
    text: String,
) -> Answer {
    Ok(done(
        D::overwrite(&mut tx, Written::Posts, id, &text).await?,
    ))
}
