//! A store whose versions and dates are the same in every run, with the faults that a database has.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tower_if_match::version_store::{Begun, EndError, Versions};
use tower_if_match::{
    Conflict, Conflicts, Describe, Expected, Lost, Transactional, Version, VersionStore, Versioned,
};

/// 20 November 2025, 09:31 UTC. The dates of versions are counted from it.
const BEGINNING: Duration = Duration::from_mins(29_393_851);

/// What is stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Post {
    /// A line of text.
    pub title: String,
    /// Who wrote this version.
    pub author: String,
}

impl Post {
    /// A post.
    pub fn new(title: &str, author: &str) -> Self {
        Self {
            title: title.to_owned(),
            author: author.to_owned(),
        }
    }
}

impl Describe for Post {
    fn modified_by(&self) -> Option<&str> {
        Some(&self.author)
    }

    fn changed_since(&self, earlier: &Self) -> Vec<String> {
        let members = [
            ("/title", self.title != earlier.title),
            ("/author", self.author != earlier.author),
        ];
        let changed = members.into_iter().filter(|(_, changed)| *changed);
        changed.map(|(pointer, _)| pointer.to_owned()).collect()
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Posts in memory. A clone is another handle on them.
#[derive(Clone, Debug, Default)]
pub struct Posts {
    rows: Arc<Mutex<Rows>>,
    fault: Option<Fault>,
}

#[derive(Debug, Default)]
struct Rows {
    by_id: BTreeMap<u64, Row>,
    last_revision: u64,
}

#[derive(Debug)]
struct Row {
    version: Version,
    post: Post,
    past: Vec<(Version, Post)>,
}

/// What a database may do instead of answering.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be reached.
    #[error("no connection to db.internal")]
    Away,
    /// Others hold what is wanted.
    #[error("a lock was not had in time")]
    Busy,
    /// It commits, and nobody hears of it.
    #[error("the connection broke while it committed")]
    AcknowledgementLost,
}

impl Posts {
    /// The same posts, in a database that has this fault.
    #[must_use]
    pub fn with_fault(&self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..self.clone()
        }
    }

    /// The post with its version.
    pub fn get(&self, id: u64) -> Option<Versioned<Post>> {
        let rows = self.rows();
        let row = rows.by_id.get(&id)?;
        Some(Versioned::new(row.version.clone(), row.post.clone()))
    }

    /// Writes without any condition, as a writer beside the layer does.
    pub fn write(&self, id: u64, post: Post) {
        self.rows().write(id, post);
    }

    /// Removes without any condition.
    pub fn erase(&self, id: u64) {
        self.rows().by_id.remove(&id);
    }

    /// Writes if the version is the expected one, in one step.
    ///
    /// # Errors
    ///
    /// [`Lost`]: it is not.
    pub fn put(&self, post: Post, expected: Expected<Self>) -> Result<(), Lost> {
        let mut rows = self.rows();
        if !expected.admits(rows.version(*expected.key()).as_ref()) {
            return Err(expected.lost());
        }
        let version = rows.write(*expected.key(), post);
        expected.written(version);
        Ok(())
    }

    /// Removes if the version is the expected one, in one step.
    ///
    /// # Errors
    ///
    /// [`Lost`]: it is not.
    pub fn remove(&self, expected: Expected<Self>) -> Result<(), Lost> {
        let mut rows = self.rows();
        if !expected.admits(rows.version(*expected.key()).as_ref()) {
            return Err(expected.lost());
        }
        rows.by_id.remove(expected.key());
        expected.removed();
        Ok(())
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn version(&self, id: u64) -> Option<Version> {
        self.by_id.get(&id).map(|row| row.version.clone())
    }

    /// Revisions count the writes of the whole store, and an incarnation is named by the revision that began it.
    fn write(&mut self, id: u64, post: Post) -> Version {
        self.last_revision += 1;
        let revision = self.last_revision;
        let replaced = self.by_id.remove(&id);
        let incarnation = replaced
            .as_ref()
            .map_or(revision, |row| row.version.incarnation());
        let past = replaced.map(|mut row| {
            row.past.push((row.version, row.post));
            row.past
        });
        let at = SystemTime::UNIX_EPOCH + BEGINNING + Duration::from_secs(revision);
        let version = Version::new(revision)
            .with_incarnation(incarnation)
            .with_modified_at(at);
        let row = Row {
            version: version.clone(),
            post,
            past: past.unwrap_or_default(),
        };
        self.by_id.insert(id, row);
        version
    }
}

impl VersionStore for Posts {
    type Key = u64;
    type Revision = u64;
    type Error = Fault;

    fn is_busy(error: &Fault) -> bool {
        *error == Fault::Busy
    }

    async fn current(&self, id: &u64) -> Result<Option<Version>, Fault> {
        match self.fault {
            Some(fault @ (Fault::Away | Fault::Busy)) => Err(fault),
            _ => Ok(self.rows().version(*id)),
        }
    }
}

impl Conflicts for Posts {
    async fn conflict(&self, id: &u64, held: Option<&Version>) -> Result<Option<Conflict>, Fault> {
        let rows = self.rows();
        let Some(Row {
            version,
            post,
            past,
        }) = rows.by_id.get(id)
        else {
            return Ok(None);
        };
        let conflict = Conflict::new(version.clone().with_modified_by(post.author.as_str()));
        let conflict = conflict.with_current(post.to_json());
        let known = past
            .iter()
            .find(|(version, _)| held.is_some_and(|held| held.same_state(version)));
        Ok(Some(match known {
            Some((_, known)) => conflict.with_changed(post.changed_since(known)),
            None => conflict,
        }))
    }
}

/// What was written in a transaction. It holds nothing: one request at a time is enough for an example.
#[derive(Debug, Default)]
pub struct Open(Vec<(u64, Post)>);

impl Deref for Open {
    type Target = Vec<(u64, Post)>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Open {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Transactional for Posts {
    type Transaction = Open;

    const HOLDS_ABSENT: bool = true;

    async fn begin(&self, ids: &[u64]) -> Result<Begun<Self>, Fault> {
        let mut current = Vec::new();
        for id in ids {
            current.push(self.current(id).await?);
        }
        Ok(Begun {
            transaction: Open::default(),
            current,
        })
    }

    async fn advance(
        &self,
        open: &mut Open,
        ids: &[u64],
        _before: &[Option<Version>],
    ) -> Result<Versions<Self>, EndError<Fault>> {
        let mut rows = self.rows();
        for (id, post) in open.drain(..) {
            rows.write(id, post);
        }
        Ok(ids.iter().map(|id| rows.version(*id)).collect())
    }

    async fn commit(&self, _: Open) -> Result<(), EndError<Fault>> {
        match self.fault {
            Some(fault) => Err(EndError::Unknown(fault)),
            None => Ok(()),
        }
    }

    async fn rollback(&self, _: Open) {}
}
