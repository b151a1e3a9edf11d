//! Every read through every way, and every tag that came of it written through every way.

use std::fmt::Write as _;

use wire::Response;

use crate::origins::Origin;
use crate::routes::{Route, create, read, replace};

/// What one read and what follows from it were answered.
#[derive(Debug)]
pub(crate) struct Row {
    way: String,
    encodes: bool,
    coding: String,
    /// The tag that the client saw, with `v` for the state's.
    tag: String,
    /// A conditional read with that tag on the same way.
    conditional: String,
    /// A write with that tag, on each way.
    writes: Vec<(String, Ended)>,
    /// The tag on the answer of a write that took place.
    new_tag: String,
    /// The write that follows it, with that tag, on the same way.
    next_write: Ended,
}

impl Row {
    /// The proxy and its set-up.
    pub(crate) fn way(&self) -> &str {
        &self.way
    }

    /// Whether each write took place.
    pub(crate) fn all_written(&self) -> bool {
        let mut writes = self.writes.iter().map(|(_, ended)| ended);
        writes.all(|ended| ended.status == 200) && self.next_write.status == 200
    }

    /// Whether the client got a weak tag.
    pub(crate) fn is_weakened(&self) -> bool {
        self.tag.starts_with("W/")
    }

    /// Whether that encodes.
    pub(crate) fn encodes(&self) -> bool {
        self.encodes
    }
}

/// How a write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    status: u16,
    reason: Option<String>,
}

/// The matrix of one origin; of the proxies that are installed.
pub(crate) async fn measure(origin: Origin) -> Vec<Row> {
    let routes = Route::all(origin.serve().await).await;
    let mut rows = Vec::new();
    for route in &routes {
        rows.push(row(route, &routes).await);
    }
    rows
}

async fn row(route: &Route, routes: &[Route]) -> Row {
    let (id, state) = create(&routes[0]).await;
    let answer = route.send(&read(id, "gzip")).await;
    assert_eq!(answer.status(), 200, "{}", route.name());
    let tag = tag_of(&answer);
    let conditional = read(id, "gzip").field("If-None-Match", tag);
    let conditional = route.send(&conditional).await;

    let mut writes = Vec::new();
    for write_route in routes {
        let (id, _) = create(&routes[0]).await;
        let answer = route.send(&read(id, "gzip")).await;
        let answer = write_route.send(&replace(id, tag_of(&answer))).await;
        writes.push((write_route.name(), Ended::of(&answer)));
    }

    let answer = route
        .send(&replace(id, &state).field("Accept-Encoding", "gzip"))
        .await;
    assert_eq!(answer.status(), 200, "{}", route.name());
    let new_tag = tag_of(&answer);
    let new_state = routes[0].send(&read(id, "identity")).await;
    let next_write = route.send(&replace(id, new_tag)).await;
    Row {
        way: route.name(),
        new_tag: shape(new_tag, tag_of(&new_state)),
        next_write: Ended::of(&next_write),
        encodes: route.encodes(),
        coding: answer.header("content-encoding").unwrap_or("-").to_owned(),
        tag: shape(tag, &state),
        conditional: match conditional.header("etag") {
            Some(tag) => format!("{}, `{}`", conditional.status(), shape(tag, &state)),
            None => conditional.status().to_string(),
        },
        writes,
    }
}

fn tag_of(answer: &Response) -> &str {
    answer.header("etag").expect("a read bears a tag")
}

/// A tag with `v` in place of the state's opaque tag.
fn shape(tag: &str, state: &str) -> String {
    tag.replace(state.trim_matches('"'), "v")
}

impl Ended {
    fn of(answer: &Response) -> Self {
        let document = answer.json().unwrap_or_default();
        Self {
            status: answer.status(),
            reason: document["reason"].as_str().map(str::to_owned),
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{} `{reason}`", self.status),
            None => write!(f, "{}", self.status),
        }
    }
}

/// Where a tag that a client got does not write, and the client is not told that a proxy weakened it.
pub(crate) fn violations(rows: &[Row]) -> Vec<String> {
    let mut found = Vec::new();
    for row in rows {
        for (way, ended) in &row.writes {
            found.extend(violation(row, &row.tag, way, ended));
        }
        found.extend(violation(row, &row.new_tag, &row.way, &row.next_write));
    }
    found
}

fn violation(row: &Row, tag: &str, way: &str, ended: &Ended) -> Option<String> {
    let weakened = row.encodes && tag.starts_with("W/");
    let told = weakened && ended.status == 412 && ended.reason.as_deref() == Some("weak_tag");
    let text = || format!("{tag} of {:?} written through {way:?}: {ended}", row.way);
    (ended.status != 200 && !told).then(text)
}

/// The rows as a Markdown table.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = "| proxy | coding | `ETag` | conditional read | write with that tag | \
                     `ETag` of a write | next write with that |\n\
                     | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for row in rows {
        let _ = writeln!(
            table,
            "| {} | {} | `{}` | {} | {} | `{}` | {} |",
            row.way,
            row.coding,
            row.tag,
            row.conditional,
            writes(row),
            row.new_tag,
            row.next_write
        );
    }
    table
}

/// How the writes ended; which way they took should not matter.
fn writes(row: &Row) -> String {
    let (_, first) = &row.writes[0];
    if row.writes.iter().all(|(_, ended)| ended == first) {
        return first.to_string();
    }
    let each = row
        .writes
        .iter()
        .map(|(way, ended)| format!("{way}: {ended}"));
    each.collect::<Vec<_>>().join("; ")
}
