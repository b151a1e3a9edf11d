//! A post, as far as the race needs one.

use serde::{Deserialize, Serialize};

/// What a client writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Its title.
    pub title: String,
    /// Its text.
    #[serde(default)]
    pub content: String,
    /// Who wrote it last.
    #[serde(default)]
    pub author: String,
}

/// What a PATCH changes: the members that it has (RFC 7396).
#[derive(Clone, Debug, Deserialize)]
pub struct Patch {
    title: Option<String>,
    content: Option<String>,
    author: Option<String>,
}

impl Post {
    /// This one, patched.
    #[must_use]
    pub fn patched(self, patch: Patch) -> Self {
        Self {
            title: patch.title.unwrap_or(self.title),
            content: patch.content.unwrap_or(self.content),
            author: patch.author.unwrap_or(self.author),
        }
    }
}
