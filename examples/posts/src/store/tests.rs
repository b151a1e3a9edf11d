//! The stores by themselves: what a layer in front would have let through, the write still decides.

use tower_if_match::version_store::handover::{Ending, Made, Slot};
use tower_if_match::{Demand, Expected, Version, VersionStore, WriteError};

use super::{MemoryPosts, PostStore, PostgresPosts, SqlitePosts};
use crate::post::{Draft, PostId};

fn draft(title: &str) -> Draft {
    Draft {
        title: title.to_owned(),
        content: String::new(),
        author: "ada".to_owned(),
    }
}

fn lent<S>(id: PostId, demand: Demand<u64>) -> (Slot<Expected<S>>, Expected<S>)
where
    S: VersionStore<Key = PostId, Revision = u64>,
{
    let slot = Slot::new(id, demand);
    let expected = slot.take().unwrap();
    (slot, expected)
}

async fn title<S: PostStore>(posts: &S, id: PostId) -> Option<String> {
    let post = posts.read(id).await.unwrap();
    post.map(|post| post.into_body().title)
}

/// A put, how it was settled, and whether it says that it wrote.
async fn put<S: PostStore>(
    posts: &S,
    id: PostId,
    demand: Demand<u64>,
) -> (Ending<Made<u64>>, bool) {
    let (slot, expected) = lent(id, demand);
    let written = match posts.put(draft("written"), expected).await {
        Ok(_) => true,
        Err(WriteError::Lost(_)) => false,
        Err(other) => panic!("{other:?}"),
    };
    (slot.close(), written)
}

async fn only_the_demanded_version_is_written<S: PostStore>(posts: S) {
    let first = posts.create(draft("first")).await.unwrap();
    let id = first.body().id;
    let stale = first.version().clone();
    let absent = id.next().unwrap();

    let (ending, written) = put(&posts, id, Demand::Version(stale.clone())).await;
    let Ending::Written(Made {
        version: Some(version),
        ..
    }) = ending
    else {
        panic!("the control should be written: {ending:?}");
    };
    assert!(written && !version.same_state(&stale));
    let current = posts.read(id).await.unwrap().unwrap();
    assert!(current.version().same_state(&version));
    let other_incarnation =
        Version::new(*version.revision()).with_incarnation(version.incarnation() + 1);

    for (id, demand) in [
        (id, Demand::Version(stale.clone())),
        (id, Demand::Version(other_incarnation)),
        (id, Demand::NotExists),
        (absent, Demand::Version(version.clone())),
        (absent, Demand::Exists),
        (id, Demand::Never),
        (absent, Demand::Never),
    ] {
        let before = title(&posts, id).await;
        let (ending, written) = put(&posts, id, demand.clone()).await;
        assert!(
            matches!(ending, Ending::Lost) && !written,
            "{demand:?}: {ending:?}"
        );
        assert_eq!(title(&posts, id).await, before, "{demand:?}");
    }
    for (id, demand) in [
        (id, Demand::Exists),
        (id, Demand::Any),
        (absent, Demand::NotExists),
    ] {
        let (ending, written) = put(&posts, id, demand.clone()).await;
        assert!(
            matches!(
                ending,
                Ending::Written(Made {
                    version: Some(_),
                    ..
                })
            ) && written,
            "{demand:?}: {ending:?}"
        );
    }
}

async fn only_the_demanded_version_is_removed<S: PostStore>(posts: S) {
    let first = posts.create(draft("first")).await.unwrap();
    let id = first.body().id;
    let stale = first.version().clone();
    put(&posts, id, Demand::Exists).await;

    for demand in [
        Demand::Version(stale.clone()),
        Demand::NotExists,
        Demand::Never,
    ] {
        let (slot, expected) = lent(id, demand.clone());
        let refused = posts.remove(expected).await.unwrap_err();
        assert!(
            matches!(refused, WriteError::Lost(_)),
            "{demand:?}: {refused:?}"
        );
        assert!(matches!(slot.close(), Ending::Lost), "{demand:?}");
        assert!(title(&posts, id).await.is_some(), "{demand:?}");
    }

    let current = posts.read(id).await.unwrap().unwrap();
    let (slot, expected) = lent(id, Demand::Version(current.version().clone()));
    posts.remove(expected).await.unwrap();
    assert!(matches!(
        slot.close(),
        Ending::Written(Made { version: None, .. })
    ));
    assert_eq!(title(&posts, id).await, None);

    for demand in [Demand::NotExists, Demand::Never, Demand::Any] {
        let (slot, expected) = lent(id, demand.clone());
        let refused = posts.remove(expected).await.unwrap_err();
        assert!(
            matches!(refused, WriteError::Absent),
            "{demand:?}: {refused:?}"
        );
        assert!(matches!(slot.close(), Ending::Unchanged), "{demand:?}");
    }
    let (slot, expected) = lent(id, Demand::Exists);
    assert!(matches!(
        posts.remove(expected).await,
        Err(WriteError::Lost(_))
    ));
    assert!(matches!(slot.close(), Ending::Lost));
}

/// A PUT takes an id away from POST before it exists, not after.
async fn an_id_belongs_to_one_post<S: PostStore>(posts: S) {
    let second = PostId::MIN.next().unwrap();
    put(&posts, second, Demand::NotExists).await;
    let mut given = Vec::new();
    for _ in 0..2 {
        given.push(
            posts
                .create(draft("new"))
                .await
                .unwrap()
                .into_body()
                .id
                .get(),
        );
    }
    assert_eq!(given, [1, 3]);
}

#[tokio::test]
async fn memory() {
    only_the_demanded_version_is_written(MemoryPosts::new()).await;
    only_the_demanded_version_is_removed(MemoryPosts::new()).await;
    an_id_belongs_to_one_post(MemoryPosts::new()).await;
}

#[tokio::test]
async fn sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let open = async |name: &str| {
        SqlitePosts::open(&directory.path().join(name))
            .await
            .unwrap()
    };
    only_the_demanded_version_is_written(open("written").await).await;
    only_the_demanded_version_is_removed(open("removed").await).await;
    an_id_belongs_to_one_post(open("ids").await).await;
}

#[tokio::test]
async fn postgres() {
    let mut databases = Vec::new();
    for _ in 0..3 {
        let Some(database) = services::postgres().await else {
            return;
        };
        databases.push(database);
    }
    let open = async |number: usize| {
        let url: &str = databases[number].url();
        PostgresPosts::open(url).await.unwrap()
    };
    only_the_demanded_version_is_written(open(0).await).await;
    only_the_demanded_version_is_removed(open(1).await).await;
    an_id_belongs_to_one_post(open(2).await).await;
}
