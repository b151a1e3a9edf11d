//! The page: a table of all reasons, and a section with request and answer for each.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::{Answer, Example, Exchange};

/// The page in the repository.
pub const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/answers-by-reason.md"
);

/// The catalogue of reasons, which a test of the layer's holds to its code.
const CATALOGUE: &str = include_str!("../../../crates/tower-if-match/src/problems.rs");

const BEGINS: &str = "\
# Answers by reason

Request and answer for every reason, as they went over a socket. `UPDATE=1 cargo test -p answers` writes this page
anew, and the same test without it compares. `Host`, `Date` and `Content-Length` are left out; documents are laid out in
lines, and have none on the wire. What each reason means, its causes and cures stand in the
[catalogue](https://docs.rs/tower-if-match/latest/tower_if_match/problems/), the members of the document under
[answers](answers.md#the-document).

| reason | status | request | `ETag` | `Retry-After` | cure for the client |
| --- | --- | --- | --- | --- | --- |
";

/// The whole page.
pub fn page(
    by_reason: &[Example],
    by_form: &[(&str, Example)],
    reported: &[(&str, Example)],
) -> String {
    let mut page = BEGINS.to_owned();
    for example in by_reason {
        page.push_str(&row(example));
    }
    let mut last = String::new();
    for example in by_reason {
        let Exchange { answer, .. } = &example.exchange;
        let reason = answer.reason().unwrap_or_default();
        if reason != last {
            let _ = write!(page, "\n## `{reason}`\n");
            last.clone_from(&reason);
        }
        let problem = answer.document().unwrap_or_default();
        let about = problem["type"].as_str().unwrap_or_default();
        let status = format!("{} {}", answer.status, answer.phrase);
        let _ = write!(page, "\n[{status}]({about}). ");
        tell(&mut page, example);
    }
    page.push_str("\n## Other forms of answers\n");
    for (heading, example) in by_form.iter().chain(reported) {
        let _ = write!(page, "\n### {heading}\n\n");
        tell(&mut page, example);
    }
    page
}

fn row(example: &Example) -> String {
    let Example { exchange, cure, .. } = example;
    let Answer { status, .. } = exchange.answer;
    let reason = exchange.answer.reason().unwrap_or_default();
    let has = |name| match exchange.answer.field(name) {
        Some(_) => "yes",
        None => "no",
    };
    let request = exchange.request_in_short();
    let (tag, again) = (has("etag"), has("retry-after"));
    format!("| [`{reason}`](#{reason}) | {status} | {request} | {tag} | {again} | {cure} |\n")
}

fn tell(page: &mut String, example: &Example) {
    let Example {
        story, exchange, ..
    } = example;
    for block in [
        format!("{story}\n"),
        fenced(&exchange.shown_request()),
        fenced(&exchange.shown_answer()),
    ] {
        page.push_str(&block);
    }
}

fn fenced(text: &str) -> String {
    format!("\n```http\n{text}```\n")
}

/// The reasons of the catalogue.
pub fn known_reasons() -> BTreeSet<String> {
    let rows = CATALOGUE.lines();
    let rows = rows.filter_map(|line| line.strip_prefix("//! | `")?.split_once("` | "));
    let of_reasons = rows.filter(|(_, behind)| behind.split(" | ").count() == 4);
    of_reasons.map(|(reason, _)| reason.to_owned()).collect()
}

/// Those of them that no example is of.
pub fn missing<'a>(examples: impl IntoIterator<Item = &'a Example>) -> BTreeSet<String> {
    let mut missing = known_reasons();
    for example in examples {
        if let Some(reason) = example.exchange.answer.reason() {
            missing.remove(&reason);
        }
    }
    missing
}
