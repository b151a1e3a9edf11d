//! What a 412 discloses about a conflict in addition to the current tag.

use http_precondition::{HttpDate, Problem};
use serde::Serialize;
use serde_json::value::RawValue;
use version_store::Conflict;

/// A conflict in the form in which it is disclosed, whatever the store's revisions are.
pub(crate) struct Told<'a> {
    modified_by: Option<&'a str>,
    modified_at: Option<String>,
    changed: Option<&'a [String]>,
    current: Option<&'a str>,
}

impl<'a> Told<'a> {
    pub(crate) fn of<R>(conflict: &'a Conflict<R>) -> Self {
        let modified_at = conflict.version.modified_at();
        Self {
            modified_by: conflict.version.modified_by(),
            modified_at: modified_at.map(|at| HttpDate::from(at).to_rfc3339()),
            changed: conflict.changed.as_deref(),
            current: conflict.current.as_deref(),
        }
    }

    /// Adds it to a problem document. If the member would exceed the limit, parts are left out, `current` first: a
    /// client that needs it can read it.
    pub(super) fn add_to(&self, problem: Problem, limit: usize) -> Problem {
        let mut member = ConflictMember {
            modified_by: self.modified_by,
            modified_at: self.modified_at.as_deref(),
            changed: self.changed,
            // Leave out invalid JSON, which would break the whole document.
            current: self
                .current
                .filter(|json| json.len() <= limit)
                .and_then(|json| serde_json::from_str(json).ok()),
        };
        let drops: [fn(&mut ConflictMember<'_>); 3] = [
            |member| member.current = None,
            |member| member.changed = None,
            |member| member.modified_by = None,
        ];
        let mut drops = drops.into_iter();
        let text = loop {
            match serde_json::value::to_raw_value(&member) {
                Ok(text) if text.get().len() <= limit => break Some(text),
                Err(_) => break None,
                Ok(_) => match drops.next() {
                    Some(drop) => drop(&mut member),
                    None => break None,
                },
            }
        };
        let problem = match &self.modified_at {
            Some(at) => problem.string_member("last_modified", at),
            None => problem,
        };
        match text {
            Some(text) => problem.member("conflict", &text),
            None => problem,
        }
    }
}

/// The member `conflict`.
#[derive(Serialize)]
struct ConflictMember<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<&'a RawValue>,
}
