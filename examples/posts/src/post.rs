//! What a post is, and what a client may make of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use thiserror::Error;
use tower_if_match::Describe;
use tower_if_match::http_precondition::HttpDate;
use tower_if_match::version_store::{Key, KeyEncoder};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Characters of a title, at most.
pub const MAX_TITLE: usize = 200;
/// Bytes of a content, at most.
pub const MAX_CONTENT: usize = 64 * 1024;
/// Characters of an author, at most.
pub const MAX_AUTHOR: usize = 80;
/// Who wrote what names no author.
pub const ANONYMOUS: &str = "anonymous";

/// The id of a post: 1 to 2^53 − 1, the integers that every JSON reader gets right.
///
/// The path parameter is read straight into it, so `/api/posts/07` and `/api/posts/7` are one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct PostId(i64);

impl PostId {
    /// The first.
    pub const MIN: Self = Self(1);
    /// The last: 2^53 − 1.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }

    /// The next one, if there is one.
    pub fn next(self) -> Option<Self> {
        Self::try_from(self.0 + 1).ok()
    }
}

impl TryFrom<i64> for PostId {
    type Error = NoSuchId;

    fn try_from(number: i64) -> Result<Self, NoSuchId> {
        let possible = Self::MIN.0..=Self::MAX.0;
        possible
            .contains(&number)
            .then_some(Self(number))
            .ok_or(NoSuchId)
    }
}

/// A number that no post can have as its id.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the id of a post is 1 to 2^53 - 1")]
pub struct NoSuchId;

/// The id is part of every tag, which is why no tag of one post fits another.
impl Key for PostId {
    fn encode(&self, to: &mut KeyEncoder) {
        self.0.encode(to);
    }
}

/// By hand, because the derived one would not tell the limits.
impl PartialSchema for PostId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("The id of a post."))
            .minimum(Some(Self::MIN.0))
            .maximum(Some(Self::MAX.0))
            .into()
    }
}

impl ToSchema for PostId {}

/// A post, as it is stored and as it is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(description = "A post.")]
pub struct Post {
    /// Its id.
    pub id: PostId,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// At most 65536 bytes of UTF-8.
    #[schema(max_length = 65_536)]
    pub content: String,
    /// Who made this version; at most 80 characters.
    #[schema(max_length = 80)]
    pub author: String,
    /// When, by the wall clock.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: HttpDate,
}

/// What a 412 tells about a post besides its tag.
impl Describe for Post {
    fn modified_by(&self) -> Option<&str> {
        Some(&self.author)
    }

    fn changed_since(&self, earlier: &Self) -> Vec<String> {
        let members = [
            ("/title", self.title == earlier.title),
            ("/content", self.content == earlier.content),
            ("/author", self.author == earlier.author),
        ];
        let changed = members.into_iter().filter(|(_, same)| !same);
        changed.map(|(pointer, _)| pointer.to_owned()).collect()
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a post always has a JSON form")
    }
}

/// What a client writes of a post, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// As [`Post::title`].
    pub title: String,
    /// As [`Post::content`].
    pub content: String,
    /// As [`Post::author`].
    pub author: String,
}

impl Draft {
    /// Checks what a client sent for the post `id`, or for a new one that has no id yet.
    ///
    /// `id` and `updated_at` may be there, so that what was read can be edited and sent back.
    ///
    /// # Errors
    ///
    /// [`Invalid`] tells the client what is wrong with it.
    pub fn check(sent: Value, id: Option<PostId>) -> Result<Self, Invalid> {
        let Value::Object(mut members) = sent else {
            return Err(Invalid("A post is a JSON object.".to_owned()));
        };
        if let Some(number) = members.remove("id") {
            check_id(&number, id)?;
        }
        members.remove("updated_at");
        let draft = Self {
            title: text(&mut members, "title")?
                .ok_or_else(|| Invalid("The member title is missing.".to_owned()))?,
            content: text(&mut members, "content")?.unwrap_or_default(),
            author: text(&mut members, "author")?.unwrap_or_else(|| ANONYMOUS.to_owned()),
        };
        match members.keys().next() {
            Some(unknown) => Err(Invalid(format!(
                "A post has no member {}; it has title, content, author, id and updated_at.",
                shown(unknown)
            ))),
            None => draft.without_nul()?.within_limits(),
        }
    }

    /// Applies a merge patch (RFC 7396) to a post and checks the result.
    ///
    /// The author is not taken over from the post: it is who made this edit.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn patched(post: &Post, patch: &Value) -> Result<Self, Invalid> {
        let mut document = json!({ "title": post.title, "content": post.content });
        json_patch::merge(&mut document, patch);
        Self::check(document, Some(post.id))
    }

    /// The post that this makes.
    pub fn into_post(self, id: PostId, updated_at: HttpDate) -> Post {
        let Self {
            title,
            content,
            author,
        } = self;
        Post {
            id,
            title,
            content,
            author,
            updated_at,
        }
    }

    /// PostgreSQL's text cannot hold U+0000, and what a post may be does not depend on the store.
    fn without_nul(self) -> Result<Self, Invalid> {
        let members = [
            ("title", &self.title),
            ("content", &self.content),
            ("author", &self.author),
        ];
        let found = members.iter().find(|(_, text)| text.contains('\0'));
        match found.map(|(member, _)| member) {
            None => Ok(self),
            Some(member) => Err(Invalid(format!(
                "The member {member} contains U+0000, which a post cannot."
            ))),
        }
    }

    fn within_limits(self) -> Result<Self, Invalid> {
        let limits = [
            (
                "title",
                "characters",
                self.title.chars().count(),
                1..=MAX_TITLE,
            ),
            ("content", "bytes", self.content.len(), 0..=MAX_CONTENT),
            (
                "author",
                "characters",
                self.author.chars().count(),
                0..=MAX_AUTHOR,
            ),
        ];
        match limits
            .into_iter()
            .find(|(_, _, length, limit)| !limit.contains(length))
        {
            None => Ok(self),
            Some((member, unit, length, limit)) => Err(Invalid(format!(
                "The member {member} has {} to {} {unit}, not {length}.",
                limit.start(),
                limit.end()
            ))),
        }
    }
}

/// Why what a client sent is no post: text for the client, without anything of what it sent.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct Invalid(String);

fn check_id(number: &Value, id: Option<PostId>) -> Result<(), Invalid> {
    let wrong = match id {
        None => "A new post gets its id here: leave the member id out.",
        Some(id) if number.as_i64() == Some(id.get()) => return Ok(()),
        Some(_) => "The member id is not the id of this post.",
    };
    Err(Invalid(wrong.to_owned()))
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Invalid> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Invalid(format!("The member {name} is not a string."))),
    }
}

/// The name of an unknown member, where it is short and plain enough to be a slip of the pen and not
/// somebody's content.
fn shown(name: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.len() <= 40 && name.bytes().all(plain) {
        name
    } else {
        "of that name"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: i64) -> PostId {
        PostId::try_from(number).unwrap()
    }

    fn post() -> Post {
        let draft = Draft {
            title: "t".into(),
            content: "c".into(),
            author: "ada".into(),
        };
        draft.into_post(id(7), HttpDate::from_unix(0))
    }

    #[test]
    fn ids_are_what_json_readers_get_right() {
        for number in [i64::MIN, -1, 0, 1 << 53, i64::MAX] {
            assert_eq!(PostId::try_from(number), Err(NoSuchId), "{number}");
        }
        assert_eq!(id(1), PostId::MIN);
        assert_eq!(id((1 << 53) - 1), PostId::MAX);
        assert_eq!(PostId::MAX.next(), None);
    }

    #[test]
    fn what_was_read_can_be_sent_back() {
        let draft = Draft::check(json!(post()), Some(id(7))).unwrap();
        assert_eq!(draft.into_post(id(7), HttpDate::from_unix(0)), post());
        assert!(Draft::check(json!(post()), Some(id(8))).is_err());
        assert!(Draft::check(json!(post()), None).is_err());
    }

    #[test]
    fn the_refusal_names_the_member() {
        let cases = [
            (json!([]), "object"),
            (json!({}), "title"),
            (json!({"title": 1}), "title"),
            (json!({"title": ""}), "title"),
            (json!({"title": "t", "content": null}), "content"),
            (json!({"title": "t", "author": "a".repeat(81)}), "author"),
            (json!({"title": "t", "id": "7"}), "id"),
            (json!({"title": "t", "tags": []}), "tags"),
            (json!({"title": "t", "a secret": 1}), "of that name"),
            (json!({"title": "secret\0"}), "title contains U+0000"),
            (
                json!({"title": "t", "content": "\0secret"}),
                "content contains U+0000",
            ),
            (
                json!({"title": "t", "author": "\0"}),
                "author contains U+0000",
            ),
        ];
        for (sent, named) in cases {
            let Invalid(detail) = Draft::check(sent.clone(), Some(id(7))).unwrap_err();
            assert!(detail.contains(named), "{sent}: {detail}");
            assert!(!detail.contains("secret"), "{detail}");
        }
    }

    #[test]
    fn limits_count_characters_of_names_and_bytes_of_content() {
        let with = |name: &str, value: String| {
            let mut sent = json!({"title": "t"});
            sent[name] = Value::String(value);
            Draft::check(sent, None).is_ok()
        };
        assert!(with("title", "é".repeat(200)) && !with("title", "é".repeat(201)));
        assert!(with("author", "é".repeat(80)) && !with("author", "é".repeat(81)));
        assert!(with("content", "é".repeat(32_768)));
        assert!(!with("content", "é".repeat(32_768) + "a"));
    }

    #[test]
    fn a_patch_keeps_what_it_omits_except_the_author() {
        let patched = |patch: Value| Draft::patched(&post(), &patch);
        let draft = patched(json!({"content": "new"})).unwrap();
        assert_eq!(
            (&*draft.title, &*draft.content, &*draft.author),
            ("t", "new", ANONYMOUS)
        );
        assert_eq!(patched(json!({"content": null})).unwrap().content, "");
        assert!(patched(json!({"title": null})).is_err());
        assert!(patched(json!("text")).is_err());
        assert!(patched(json!({"id": 8})).is_err());
    }

    #[test]
    fn changes_leave_out_the_date() {
        let later = Post {
            author: "bob".into(),
            content: "new".into(),
            updated_at: HttpDate::from_unix(9),
            ..post()
        };
        assert_eq!(later.changed_since(&post()), ["/content", "/author"]);
        assert!(post().changed_since(&post()).is_empty());
    }
}
