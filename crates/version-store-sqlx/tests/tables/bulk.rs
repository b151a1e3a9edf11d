//! Several rows in one request, through the layer: one transaction over all of them.

use std::convert::Infallible;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_if_match::bulk::{BulkLayer, InvalidItems, Item};
use tower_if_match::{TagMint, Transaction, Tx};
use version_store::VersionStore;
use version_store_sqlx::{SqlVersions, Transactions};

use crate::database::{Posts, TestDatabase, on_each_database};

on_each_database! {
    all_are_written_or_none
    opposite_orders_wait_for_each_other_and_one_wins
}

type Versions<D> = SqlVersions<D, u64>;

/// A line for each item: its id, its tag.
fn items(_: &Parts, content: &[u8]) -> Result<Vec<Item<u64>>, InvalidItems> {
    let content = std::str::from_utf8(content).map_err(|_| InvalidItems::new("no text"))?;
    let item = |line: &str| {
        let (id, tag) = line.split_once(' ').unwrap();
        Item::new(id.parse().unwrap()).with_if_match(tag)
    };
    Ok(content.lines().map(item).collect())
}

/// A PATCH that marks these rows, and what it is answered.
async fn patch<D: TestDatabase>(
    bulk: BulkLayer<Versions<D>, Transaction>,
    content: String,
) -> StatusCode {
    let service = bulk.layer(service_fn(async |request: Request<Full<Bytes>>| {
        let mut tx = Tx::<Versions<D>>::from_extensions(request.extensions()).unwrap();
        let update = "UPDATE posts SET marker = marker + 1 WHERE id IN (1, 2)";
        assert_eq!(D::run(&mut tx, update.to_owned()).await.unwrap(), 2);
        Ok::<_, Infallible>(Response::<Full<Bytes>>::default())
    }));
    let patch = Request::patch("/posts").body(Full::from(content)).unwrap();
    service.oneshot(patch).await.unwrap().status()
}

/// The line of a row, with its current tag.
async fn line<D: TestDatabase>(store: &Versions<D>, tags: &TagMint<u64>, id: u64) -> String {
    let version = store.current(&id).await.unwrap().unwrap();
    let tag = tags.tag(&id, &version).unwrap().to_header_value();
    format!("{id} {}", tag.to_str().unwrap())
}

/// Two rows, and what guards them.
async fn guarded<D: TestDatabase>()
-> Option<(Posts<D>, Versions<D>, BulkLayer<Versions<D>, Transaction>)> {
    let posts = Posts::<D>::migrated().await?;
    for id in [1, 2] {
        let insert = format!("INSERT INTO posts (id, marker) VALUES ({id}, 0)");
        posts.run(&insert).await.unwrap();
    }
    let store = posts.store(Transactions::new()).await;
    let bulk = BulkLayer::new("posts", store.clone(), items).with_strategy(Transaction::new());
    Some((posts, store, bulk))
}

async fn all_are_written_or_none<D: TestDatabase>() {
    let Some((posts, store, bulk)) = guarded::<D>().await else {
        return;
    };
    let tags = bulk.tags();
    let (one, two) = (line(&store, &tags, 1).await, line(&store, &tags, 2).await);
    let both = format!("{two}\n{one}");
    assert_eq!(patch(bulk.clone(), both).await, StatusCode::OK);
    assert_eq!(posts.one("SELECT MAX(marker) FROM posts").await, 1);

    // One of the two is stale now.
    let fresh = line(&store, &tags, 2).await;
    let stale = format!("{one}\n{fresh}");
    assert_eq!(patch(bulk, stale).await, StatusCode::PRECONDITION_FAILED);
    assert_eq!(posts.one("SELECT MAX(marker) FROM posts").await, 1);
    assert_eq!(line(&store, &tags, 2).await, fresh);
}

async fn opposite_orders_wait_for_each_other_and_one_wins<D: TestDatabase>() {
    let Some((posts, store, _)) = guarded::<D>().await else {
        return;
    };
    for round in 1..=10 {
        // As in two processes, which have no turns in common.
        let bulk =
            || BulkLayer::new("posts", store.clone(), items).with_strategy(Transaction::new());
        let tags = bulk().tags();
        let (one, two) = (line(&store, &tags, 1).await, line(&store, &tags, 2).await);
        let forth = tokio::spawn(patch::<D>(bulk(), format!("{one}\n{two}")));
        let back = tokio::spawn(patch::<D>(bulk(), format!("{two}\n{one}")));
        let mut statuses = [forth.await.unwrap(), back.await.unwrap()];
        statuses.sort_unstable();
        assert_eq!(
            statuses,
            [StatusCode::OK, StatusCode::PRECONDITION_FAILED],
            "round {round}"
        );
    }
    assert_eq!(posts.one("SELECT MAX(marker) FROM posts").await, 10);
}
