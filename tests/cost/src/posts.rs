//! The least store that the layer can guard: a map behind a mutex, as the handwritten guard has it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use http_precondition::EntityTag;
use tower_if_match::bulk::ExpectedItems;
use tower_if_match::{Conflict, Conflicts, Expected, Lost, Version, VersionStore, Versioned};

/// What stands behind the revision in a tag of the store's own: it has the length of a minted one.
pub(crate) const TAG_END: &str = "-9f1c2ab04d77e310";

/// With `OWN_TAGS` each row has a tag of the store's own, otherwise the layer mints.
#[derive(Clone, Default)]
pub(crate) struct Posts<const OWN_TAGS: bool>(Arc<Mutex<HashMap<u64, Post>>>);

pub(crate) struct Post {
    pub(crate) revision: u64,
    pub(crate) text: Bytes,
    tag: Option<EntityTag>,
}

impl<const OWN_TAGS: bool> Posts<OWN_TAGS> {
    /// The conditional write.
    pub(crate) fn put<S>(&self, text: Bytes, expected: Expected<S>) -> Result<(), Lost>
    where
        S: VersionStore<Key = u64, Revision = u64>,
    {
        let mut rows = self.rows();
        let Some(post) = rows.get_mut(expected.key()) else {
            return Err(expected.lost());
        };
        // A state is compared by revision and incarnation; the tag plays no part.
        if !expected.admits(Some(&Version::new(post.revision))) {
            return Err(expected.lost());
        }
        post.replace(text, OWN_TAGS);
        let version = post.version();
        drop(rows);
        expected.written(version);
        Ok(())
    }

    /// The write without a condition, for the handler that nobody guards.
    pub(crate) fn overwrite(&self, id: u64, text: Bytes) {
        let mut rows = self.rows();
        match rows.get_mut(&id) {
            Some(post) => post.replace(text, OWN_TAGS),
            None => drop(rows.insert(id, Post::first(text, OWN_TAGS))),
        }
    }

    /// The conditional write of several posts: all or none.
    pub(crate) fn put_all(
        &self,
        texts: Vec<(u64, Bytes)>,
        expected: ExpectedItems<Self>,
    ) -> Result<(), Lost> {
        let mut rows = self.rows();
        let version = |id| rows.get(id).map(Post::version);
        let current: Vec<_> = expected.keys().map(version).collect();
        if !expected.admits(&current) {
            return Err(expected.lost());
        }
        let write = |(id, text)| {
            let post = rows.get_mut(&id)?;
            post.replace(text, OWN_TAGS);
            Some(post.version())
        };
        let made = texts.into_iter().map(write).collect();
        drop(rows);
        expected.written(made);
        Ok(())
    }

    /// The same without conditions.
    pub(crate) fn overwrite_all(&self, texts: Vec<(u64, Bytes)>) {
        let mut rows = self.rows();
        for (id, text) in texts {
            if let Some(post) = rows.get_mut(&id) {
                post.replace(text, OWN_TAGS);
            }
        }
    }

    pub(crate) fn get(&self, id: u64) -> Option<Versioned<Bytes>> {
        let rows = self.rows();
        let post = rows.get(&id)?;
        Some(Versioned::new(post.version(), post.text.clone()))
    }

    pub(crate) fn rows(&self) -> MutexGuard<'_, HashMap<u64, Post>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Post {
    fn first(text: Bytes, own_tag: bool) -> Self {
        Self {
            revision: 1,
            text,
            tag: own_tag.then(|| own_tag_of(1)),
        }
    }

    pub(crate) fn replace(&mut self, text: Bytes, own_tag: bool) {
        self.revision += 1;
        self.text = text;
        self.tag = own_tag.then(|| own_tag_of(self.revision));
    }

    fn version(&self) -> Version {
        let version = Version::new(self.revision);
        match &self.tag {
            Some(tag) => version.with_own_tag(tag.clone()),
            None => version,
        }
    }
}

/// Without an allocation, as a store would that gets its tags from elsewhere.
fn own_tag_of(revision: u64) -> EntityTag {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(revision);
    let mut opaque = [b'v'; 40];
    let end = 1 + digits.len();
    opaque[1..end].copy_from_slice(digits.as_bytes());
    opaque[end..end + TAG_END.len()].copy_from_slice(TAG_END.as_bytes());
    EntityTag::strong(&opaque[..end + TAG_END.len()]).expect("letters, digits and a hyphen")
}

impl<const OWN_TAGS: bool> VersionStore for Posts<OWN_TAGS> {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;
    const ANSWERS_AT_ONCE: bool = true;

    async fn current(&self, key: &u64) -> Result<Option<Version>, Infallible> {
        Ok(self.rows().get(key).map(Post::version))
    }
}

impl<const OWN_TAGS: bool> Conflicts for Posts<OWN_TAGS> {
    /// It has no history, so what it says of the difference is no more than that there is one.
    async fn conflict(
        &self,
        key: &u64,
        held: Option<&Version>,
    ) -> Result<Option<Conflict>, Infallible> {
        let rows = self.rows();
        let Some(post) = rows.get(key) else {
            return Ok(None);
        };
        let conflict = Conflict::new(post.version())
            .with_current(String::from_utf8_lossy(&post.text).into_owned());
        Ok(Some(match held {
            Some(_) => conflict.with_changed(vec!["/text".to_owned()]),
            None => conflict,
        }))
    }
}
