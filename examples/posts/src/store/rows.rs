//! The rows of the tables, and the statements that read them: the same in both databases.

use sqlx::{ColumnIndex, Decode, FromRow, Type};
use tower_if_match::http_precondition::HttpDate;
use tower_if_match::{Version, Versioned};

use crate::post::{Post, PostId};

/// The version of the post `$1`.
pub(super) const VERSION: &str =
    "SELECT incarnation, version, modified_at FROM posts WHERE id = $1";

/// The post `$1`.
pub(super) const POST: &str = "SELECT * FROM posts WHERE id = $1";

/// All posts.
pub(super) const POSTS: &str = "SELECT * FROM posts ORDER BY id";

/// The post `$1`, and beside it what it was in the incarnation `$2` at the version `$3`, if that is its present
/// incarnation and the version is still known. One statement, so that all of it is of one moment.
pub(super) const POST_BESIDE: &str =
    "SELECT posts.*, history.title AS held_title, history.content AS held_content,
            history.author AS held_author
     FROM posts LEFT JOIN history
         ON history.id = posts.id AND history.incarnation = posts.incarnation
         AND history.incarnation = $2 AND history.version = $3
     WHERE posts.id = $1";

/// A row of the table `posts`: a post and its version can only be had together.
pub(super) struct Row {
    id: PostId,
    title: String,
    content: String,
    author: String,
    updated_at: i64,
    version: VersionColumns,
}

pub(super) struct VersionColumns {
    incarnation: i64,
    version: i64,
    modified_at: i64,
}

/// The author, title and content that a post had at an earlier version.
pub(super) struct Beside {
    current: Row,
    held_title: Option<String>,
    held_content: Option<String>,
    held_author: Option<String>,
}

/// By hand, like the ones below: sqlx's derive comes with its macros (see [`migrations`](super::migrations)).
impl<'r, R> FromRow<'r, R> for VersionColumns
where
    R: sqlx::Row,
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            incarnation: row.try_get("incarnation")?,
            version: row.try_get("version")?,
            modified_at: row.try_get("modified_at")?,
        })
    }
}

impl<'r, R> FromRow<'r, R> for Row
where
    R: sqlx::Row,
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let id: i64 = row.try_get("id")?;
        let id = PostId::try_from(id).map_err(|source| sqlx::Error::ColumnDecode {
            index: "id".to_owned(),
            source: source.into(),
        })?;
        Ok(Self {
            id,
            title: row.try_get("title")?,
            content: row.try_get("content")?,
            author: row.try_get("author")?,
            updated_at: row.try_get("updated_at")?,
            version: VersionColumns::from_row(row)?,
        })
    }
}

impl<'r, R> FromRow<'r, R> for Beside
where
    R: sqlx::Row,
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            current: Row::from_row(row)?,
            held_title: row.try_get("held_title")?,
            held_content: row.try_get("held_content")?,
            held_author: row.try_get("held_author")?,
        })
    }
}

impl VersionColumns {
    pub(super) fn into_version(self) -> Version {
        let version = Version::new(self.version.cast_unsigned())
            .with_incarnation(self.incarnation.cast_unsigned());
        match HttpDate::from_unix(self.modified_at).to_system_time() {
            Some(at) => version.with_modified_at(at),
            None => version,
        }
    }
}

impl Row {
    pub(super) fn into_versioned(self) -> Versioned<Post> {
        let Self {
            id,
            title,
            content,
            author,
            updated_at,
            version,
        } = self;
        let updated_at = HttpDate::from_unix(updated_at);
        Versioned::new(
            version.into_version(),
            Post {
                id,
                title,
                content,
                author,
                updated_at,
            },
        )
    }
}

impl Beside {
    pub(super) fn into_pair(self) -> (Versioned<Post>, Option<Post>) {
        let current = self.current.into_versioned();
        let held = self.held_title.zip(self.held_content).zip(self.held_author);
        let held = held.map(|((title, content), author)| Post {
            title,
            content,
            author,
            ..current.body().clone()
        });
        (current, held)
    }
}
