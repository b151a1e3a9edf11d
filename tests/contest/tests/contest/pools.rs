//! Handlers that hold a transaction and take another connection.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::put as put_to;
use axum::{Router, http::StatusCode};
use contest::answer::{Failed, Refused};
use contest::post::Post;
use contest::rows::{self, Posted, Rows};
use futures_util::future::join_all;
use futures_util::poll;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, MySql, Pool, Postgres, Sqlite};
use tokio::sync::Barrier;
use tower_if_match::{IfMatchLayer, PathKey, Transaction, Tx};
use version_store_sqlx::{SqlVersions, Transactions};

use crate::{Available, Prepared, create, send, serve};

struct App<D: Posted> {
    pool: Pool<D>,
    /// Where the handlers wait until all of them hold a transaction.
    all_hold: Arc<Barrier>,
}

impl<D: Posted> App<D> {
    /// As many connections as there will be requests, and little patience for more.
    async fn new(database: &Prepared, requests: u32) -> Self {
        let options = D::connect(&database.url).await.unwrap().options().clone();
        let connect = (*D::connect(&database.url).await.unwrap().connect_options()).clone();
        let options = options
            .max_connections(requests)
            .acquire_timeout(Duration::from_millis(500));
        Self {
            pool: options.connect_with(connect).await.unwrap(),
            all_hold: Arc::new(Barrier::new(requests as usize)),
        }
    }

    /// What a handler does while it holds a transaction.
    async fn take_another(&self) -> Result<(), Refused> {
        self.all_hold.wait().await;
        let mut another: PoolConnection<D> = self.pool.acquire().await.map_err(|_| Failed::Busy)?;
        another.post(1).await.map_err(|_| Failed::Unavailable)?;
        Ok(())
    }
}

impl<D: Posted> Clone for App<D> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            all_hold: Arc::clone(&self.all_hold),
        }
    }
}

fn post() -> Post {
    Post {
        title: "first".to_owned(),
        content: String::new(),
        author: String::new(),
    }
}

async fn in_a_transaction_of_the_layer<D: Posted>(
    State(app): State<App<D>>,
    Path(id): Path<u64>,
    mut tx: Tx<SqlVersions<D, u64>>,
) -> Result<StatusCode, Refused> {
    app.take_another().await?;
    tx.upsert(id, &post()).await?;
    Ok(StatusCode::CREATED)
}

async fn in_a_transaction_of_the_pool<D: Posted>(
    State(app): State<App<D>>,
    Path(id): Path<u64>,
) -> Result<StatusCode, Refused> {
    let mut transaction = app.pool.begin().await?;
    app.take_another().await?;
    transaction.upsert(id, &post()).await?;
    transaction.commit().await?;
    Ok(StatusCode::CREATED)
}

/// The statuses of so many requests at once, each for a post of its own.
async fn statuses(app: Router, requests: u32) -> Vec<u16> {
    let addr = serve(app).await;
    let statuses = (0..u64::from(requests)).map(|id| async move {
        let answer = send(addr, &create(id + 1, "first")).await;
        answer.status()
    });
    join_all(statuses).await
}

async fn all_finish<D: Available>(requests: u32) {
    let Some(database) = D::fresh().await else {
        return;
    };
    let app = App::<D>::new(&database, requests).await;
    let transactions = Transactions::new().with_connections(requests);
    let pool = app.pool.clone();
    let versions = SqlVersions::<D, u64>::open_with(pool, rows::table(), transactions).await;
    let guard =
        IfMatchLayer::new("posts", versions.unwrap(), PathKey).with_strategy(Transaction::new());
    let methods = put_to(in_a_transaction_of_the_layer::<D>).route_layer(guard);
    let app = Router::new()
        .route("/api/posts/{id}", methods)
        .with_state(app);
    assert_eq!(statuses(app, requests).await, vec![201; requests as usize]);
}

async fn all_wait_for_each_other<D: Available>(requests: u32) {
    let Some(database) = D::fresh().await else {
        return;
    };
    let app = App::<D>::new(&database, requests).await;
    let methods = put_to(in_a_transaction_of_the_pool::<D>);
    let app = Router::new()
        .route("/api/posts/{id}", methods)
        .with_state(app);
    let statuses = statuses(app, requests).await;
    assert!(statuses.contains(&503), "{statuses:?}");
}

/// Whether the next user of a connection is in a transaction that somebody began and left.
async fn leaves_a_transaction(options: MySqlPoolOptions, database: &Prepared) -> bool {
    let pool = options.max_connections(1).connect(&database.url).await;
    let pool = pool.unwrap();
    loop {
        let mut connection = pool.acquire().await.unwrap();
        let mut begin = Box::pin(connection.begin());
        // Where the database was faster than this line, once more.
        if poll!(&mut begin).is_pending() {
            break;
        }
    }
    let inside = sqlx::query_scalar("SELECT @@in_transaction");
    let inside: u64 = inside.fetch_one(&pool).await.unwrap();
    inside != 0
}

/// Why the application's pool rolls back what is given back to it. PostgreSQL's and SQLite's drivers
/// see to it by themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_during_begin_leaves_no_transaction_in_mariadb() {
    let Some(database) = MySql::fresh().await else {
        return;
    };
    let ours = MySql::connect(&database.url).await.unwrap();
    assert!(!leaves_a_transaction(ours.options().clone(), &database).await);
    // The control: a pool as it comes.
    assert!(leaves_a_transaction(MySqlPoolOptions::new(), &database).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_transaction_gets_another_connection() {
    // SQLite has one writer, whatever it is told.
    all_finish::<Sqlite>(1).await;
    all_finish::<Postgres>(8).await;
    all_finish::<MySql>(8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_transactions_of_the_same_pool_wait_for_each_other() {
    all_wait_for_each_other::<Sqlite>(1).await;
    all_wait_for_each_other::<Postgres>(8).await;
    all_wait_for_each_other::<MySql>(8).await;
}
