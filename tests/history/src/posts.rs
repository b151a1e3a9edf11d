//! The posts API as the race speaks it.

use std::borrow::Cow;

use serde::Deserialize;
use wire::{Request, Response};

use crate::{Content, Kind, Marker, Outcome, State};

/// What an answer says.
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    /// The state it shows.
    pub(crate) state: Option<State>,
    /// What it should not have.
    pub(crate) fault: Option<String>,
}

#[derive(Deserialize)]
struct Post<'a> {
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
struct Problem<'a> {
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    current_etag: Option<Cow<'a, str>>,
    #[serde(borrow)]
    conflict: Option<Conflict<'a>>,
}

#[derive(Deserialize)]
struct Conflict<'a> {
    #[serde(borrow)]
    current: Option<Post<'a>>,
}

impl Post<'_> {
    fn content(&self) -> Content {
        Content {
            title: Marker::read(&self.title),
            content: Marker::read(&self.content),
        }
    }
}

pub(crate) fn read(key: u64) -> Request {
    Request::new("GET", target(key))
}

/// A write that leaves the marker; `sent` is the tag it goes under, none for a create.
pub(crate) fn write(
    key: u64,
    kind: Kind,
    sent: Option<&str>,
    marker: Marker,
    author: &str,
) -> Request {
    let method = match kind {
        Kind::Put | Kind::Create => "PUT",
        Kind::Patch => "PATCH",
        Kind::Delete => "DELETE",
    };
    let request = Request::new(method, target(key));
    let request = match sent {
        Some(tag) => request.field("If-Match", tag),
        None => request.field("If-None-Match", "*"),
    };
    // Of several lengths, so that a torn write cannot pass for a whole one.
    let repeated = usize::try_from(marker.0 % 7).unwrap_or_default();
    let content = vec![marker.to_string(); repeated + 1].join(" ");
    match kind {
        Kind::Delete => request,
        Kind::Patch => request
            .field("Content-Type", "application/merge-patch+json")
            .body(wire::Body::Sized(
                format!(r#"{{"content":"{content}"}}"#).into_bytes(),
            )),
        Kind::Put | Kind::Create => request.json(format!(
            r#"{{"title":"{marker}","content":"{content}","author":"{author}"}}"#
        )),
    }
}

/// What the answer to a `GET` shows; nothing where the store is unavailable.
pub(crate) fn state(answer: &Response) -> Result<Option<State>, String> {
    match answer.status() {
        200 => present(answer).map(Some),
        404 => Ok(Some(State::Absent)),
        503 => Ok(None),
        status => Err(format!("GET was answered {status}: {}", answer.text())),
    }
}

/// What the answer to a write says.
pub(crate) fn answer(kind: Kind, answer: &Response) -> Answer {
    let tag = answer.header("etag").map(str::to_owned);
    match (kind, answer.status()) {
        (Kind::Delete, 204) => acknowledged(None, false, Ok(Some(State::Absent))),
        (Kind::Put | Kind::Patch | Kind::Create, status @ (200 | 201)) => {
            let shown = tag.as_ref().map(|_| present(answer)).transpose();
            acknowledged(tag, status == 201, shown)
        }
        (_, status) => refused(status, answer),
    }
}

fn acknowledged(
    tag: Option<String>,
    created: bool,
    state: Result<Option<State>, String>,
) -> Answer {
    let fault = state.as_ref().err().cloned();
    // The state after a delete is not one that a read saw: another incarnation may have begun before the
    // answer.
    let state = state.ok().flatten().filter(|state| *state != State::Absent);
    Answer {
        outcome: Outcome::Acknowledged { tag, created },
        state,
        fault,
    }
}

fn refused(status: u16, answer: &Response) -> Answer {
    let problem: Problem<'_> = serde_json::from_slice(answer.body()).unwrap_or_default();
    let known = matches!(status, 404 | 412 | 503);
    let reason = match problem.reason {
        Some(reason) => reason.into_owned(),
        None if known => String::new(),
        // It will be reported: what came instead helps.
        None => answer.text().chars().take(200).collect(),
    };
    let tag = answer.header("etag");
    let fault = match (tag, problem.current_etag.as_deref()) {
        (Some(field), Some(member)) if field != member => Some(format!(
            "a {status} names {field} in ETag and {member} in current_etag"
        )),
        _ => None,
    };
    let current = problem.conflict.and_then(|conflict| conflict.current);
    let state = match (status, problem.current_etag.as_deref().or(tag), current) {
        (412, Some(tag), Some(post)) => Some(State::Present {
            tag: tag.to_owned(),
            content: post.content(),
        }),
        (412, None, _) if reason == "absent" => Some(State::Absent),
        (404, ..) => Some(State::Absent),
        _ => None,
    };
    Answer {
        outcome: Outcome::Refused { status, reason },
        state,
        fault,
    }
}

fn present(answer: &Response) -> Result<State, String> {
    let shown = || format!("{} {}", answer.status(), answer.text());
    let tag = answer
        .header("etag")
        .ok_or_else(|| format!("without ETag: {}", shown()))?;
    let post: Post<'_> =
        serde_json::from_slice(answer.body()).map_err(|error| format!("{error}: {}", shown()))?;
    Ok(State::Present {
        tag: tag.to_owned(),
        content: post.content(),
    })
}

fn target(key: u64) -> String {
    format!("/api/posts/{key}")
}
