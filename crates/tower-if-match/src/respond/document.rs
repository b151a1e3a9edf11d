//! The problem document of a refusal (RFC 9457).

use bytes::Bytes;
use http_precondition::{EntityTag, Field, Problem};

use super::conflict::Told;
use super::draft::Draft;

/// The members that depend on the refusal, beyond what all documents have.
#[derive(Clone, Copy)]
pub(super) enum Members<'a> {
    /// The failed condition, the current tag, and the conflict metadata, with the limit of their size.
    OfOne(Option<&'a Told<'a>>, usize),
    /// Those of several items.
    #[cfg(feature = "bulk")]
    OfSeveral(&'a dyn Fn(Problem) -> Problem),
}

impl Draft<'_> {
    pub(super) fn document(&self) -> Bytes {
        let plain = self.plain_document();
        plain.unwrap_or_else(|| self.any_document().into_json())
    }

    /// The document if nothing in it has to be encoded or escaped, and no hook or store added to it, as nearly always:
    /// in one buffer of its exact size.
    fn plain_document(&self) -> Option<Bytes> {
        let Members::OfOne(None, _) = self.members else {
            return None;
        };
        let instance = self.head.instance();
        let tag = self.refusal.current_tag();
        let opaque = tag.map(EntityTag::opaque);
        if self.detail.is_some()
            || !self.added.is_empty()
            || !all(PLAIN_IN_PATH, instance.as_bytes())
            || !opaque.is_none_or(|opaque| all(PLAIN_IN_TAG, opaque))
        {
            return None;
        }
        let failed = match self.refusal.failed_condition() {
            None => "\"",
            Some(Field::IfMatch) => "\",\"failed_condition\":\"If-Match\"",
            Some(Field::IfNoneMatch) => "\",\"failed_condition\":\"If-None-Match\"",
            Some(Field::IfModifiedSince | Field::IfUnmodifiedSince) => return None,
        };
        let (tag_open, tag_close) = match tag {
            None => ("", ""),
            Some(tag) if tag.is_weak() => (",\"current_etag\":\"W/\\\"", "\\\"\""),
            Some(_) => (",\"current_etag\":\"\\\"", "\\\"\""),
        };
        let (id_open, id, end) = match self.head.request_id() {
            None => ("", "", "}"),
            Some(id) => (",\"request_id\":\"", id, "\"}"),
        };
        let parts: [&[u8]; 9] = [
            &self.text.begun,
            instance.as_bytes(),
            failed.as_bytes(),
            tag_open.as_bytes(),
            opaque.unwrap_or_default(),
            tag_close.as_bytes(),
            id_open.as_bytes(),
            id.as_bytes(),
            end.as_bytes(),
        ];
        Some(Bytes::from(parts.concat()))
    }

    fn any_document(&self) -> Problem {
        let problem = match &self.detail {
            Some(detail) => self.texts.worded(self.refusal, detail),
            None => self.text.problem.clone(),
        };
        let mut problem = self.with_members(problem.instance(self.head.instance()));
        for (name, value) in &self.added {
            problem = problem.member(name, value);
        }
        match self.head.request_id() {
            Some(id) => problem.string_member("request_id", id),
            None => problem,
        }
    }

    fn with_members(&self, mut problem: Problem) -> Problem {
        let (told, limit) = match self.members {
            Members::OfOne(told, limit) => (told, limit),
            #[cfg(feature = "bulk")]
            Members::OfSeveral(members) => return members(problem),
        };
        if let Some(field) = self.refusal.failed_condition() {
            problem = problem.string_member("failed_condition", field.name());
        }
        if let Some(tag) = self.refusal.current_tag() {
            problem = problem.entity_tag_member("current_etag", tag);
        }
        match told {
            Some(told) => told.add_to(problem, limit),
            None => problem,
        }
    }
}

/// A byte that stands in the path of a URI and in a JSON string as it is.
const PLAIN_IN_PATH: u8 = 1;

/// A byte of an opaque tag that stands in a JSON string as it is.
const PLAIN_IN_TAG: u8 = 2;

/// Which of these each byte is.
static PLAIN: [u8; 256] = {
    let mut plain = [0; 256];
    let mut byte: u8 = 0;
    while byte < 0x7F {
        let in_path =
            byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~' | b'%');
        if in_path {
            plain[byte as usize] |= PLAIN_IN_PATH;
        }
        if byte.is_ascii_graphic() && byte != b'"' && byte != b'\\' {
            plain[byte as usize] |= PLAIN_IN_TAG;
        }
        byte += 1;
    }
    plain
};

fn all(kind: u8, bytes: &[u8]) -> bool {
    // No early exit: nearly all bytes are.
    let common = bytes
        .iter()
        .fold(u8::MAX, |common, byte| common & PLAIN[usize::from(*byte)]);
    common & kind != 0
}

#[cfg(test)]
mod tests;
