//! The page and the code agree.

use crate::refusal::{Reason, Refusal};
use crate::respond::Texts;

const SOURCE: &str = include_str!("../problems.rs");

const COLUMNS: &str =
    "| reason | meaning | likely causes | cure for the client | cure for the server |";

#[test]
fn the_page_has_every_reason_where_its_type_points_to() {
    assert_eq!(faults(SOURCE), Vec::<String>::new());
}

/// The negative control: what is missing, renamed, moved, doubled or empty is found.
#[test]
fn a_page_that_differs_from_the_code_is_found_out() {
    let row = |reason: &str| {
        let begins = format!("//! | `{reason}` |");
        let mut rows = SOURCE.lines().filter(|line| line.starts_with(&begins));
        format!("{}\n", rows.next().unwrap())
    };
    let busy = row("busy");
    let cells: Vec<&str> = busy.split('|').collect();
    let emptied = busy.replace(cells[4], "  ");
    let moved = format!("//! | --- | --- | --- | --- | --- |\n{}", row("exists"));
    let first_rule = "//! | --- | --- | --- | --- | --- |\n";
    let required = SOURCE.find("# Precondition Required").unwrap();
    let (before, behind) = SOURCE.split_at(required);
    for (changed, fault) in [
        (SOURCE.replace(&busy, ""), "no row for `busy`"),
        (SOURCE.replace("| `busy` |", "| `bussy` |"), "`bussy` is no"),
        (
            before.replace(&row("exists"), "") + &behind.replacen(first_rule, &moved, 1),
            "no row for `exists` under #precondition-failed",
        ),
        (SOURCE.replace(&busy, &busy.repeat(2)), "2 rows for `busy`"),
        (SOURCE.replace(&busy, &emptied), "`busy` has 4 cells"),
        (SOURCE.replace("# Not Found", "# Gone"), "under #not-found"),
        (SOURCE.replace("//! Status 428 ", "//! Status 429 "), "428"),
        (SOURCE.replace("(#conflicts)", "(#clashes)"), "#clashes"),
        (SOURCE.replace("likely causes", "causes"), "no row for"),
    ] {
        assert_ne!(changed, SOURCE, "{fault}");
        let found = faults(&changed);
        assert!(found.iter().any(|found| found.contains(fault)), "{found:?}");
    }
}

#[test]
fn the_doc_comments_of_reasons_begin_with_their_status() {
    let source = include_str!("../refusal/reason.rs");
    assert_eq!(undocumented(source), Vec::<String>::new());

    let changed = source.replace("/// 503: timed out", "/// 504: timed out");
    assert_eq!(undocumented(&changed), ["Busy"]);
    let changed = source.replace("    /// 503: timed out waiting for the resource.\n", "");
    assert_eq!(undocumented(&changed), ["Busy"]);
}

/// How a page, as the comments of a source file, differs from the code.
fn faults(source: &str) -> Vec<String> {
    let page = Page::of(source);
    let mut faults = Vec::new();
    let refusals = Reason::EACH.map(Refusal::new).into_iter();
    let refusals: Vec<Refusal> = refusals.chain([Refusal::gone()]).collect();
    for refusal in &refusals {
        let reason = refusal.reason().as_str();
        let fragment = fragment(refusal);
        let rows = page
            .rows
            .iter()
            .filter(|row| row.under == fragment && row.reason() == reason);
        match rows.count() {
            1 => {}
            0 => faults.push(format!("no row for `{reason}` under #{fragment}")),
            several => faults.push(format!("{several} rows for `{reason}` under #{fragment}")),
        }
        let status = format!("Status {}", refusal.status().as_str());
        let told = page.sections.iter().any(|section| {
            section.fragment == fragment && section.begins.starts_with(status.as_str())
        });
        if !told {
            faults.push(format!("#{fragment} does not begin with {status}"));
        }
    }
    for row in &page.rows {
        let reason = row.reason();
        let expected = refusals
            .iter()
            .any(|refusal| refusal.reason().as_str() == reason && fragment(refusal) == row.under);
        if !expected {
            faults.push(format!("`{reason}` is no reason of #{}", row.under));
        }
        let filled = row.cells.iter().filter(|cell| !cell.is_empty()).count();
        if filled != 5 || row.cells.len() != 5 {
            faults.push(format!("`{reason}` has {filled} cells"));
        }
    }
    for link in &page.links {
        if !page
            .sections
            .iter()
            .any(|section| section.fragment == *link)
        {
            faults.push(format!("#{link} leads nowhere"));
        }
    }
    faults
}

/// What a refusal's `type` points to within the page.
fn fragment(refusal: &Refusal) -> String {
    let documents = Texts::new("", "resource");
    let document = documents.of(refusal).problem.clone().into_json();
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let uri = document["type"].as_str().unwrap();
    uri.strip_prefix('#').unwrap().to_owned()
}

/// What matters of the page.
#[derive(Default)]
struct Page {
    sections: Vec<Section>,
    rows: Vec<Row>,
    /// The fragments that it points to within itself.
    links: Vec<String>,
}

struct Section {
    /// As rustdoc makes it of the heading.
    fragment: String,
    begins: String,
}

/// A row of a table with these columns.
struct Row {
    under: String,
    cells: Vec<String>,
}

impl Row {
    fn reason(&self) -> &str {
        self.cells.first().map_or("", |cell| cell.trim_matches('`'))
    }
}

impl Page {
    fn of(source: &str) -> Self {
        let mut page = Self::default();
        let mut in_catalogue = false;
        let comments = source.lines().filter_map(|line| line.strip_prefix("//!"));
        for line in comments.map(str::trim) {
            let under = page.sections.last_mut();
            if let Some(heading) = line.strip_prefix("# ") {
                page.sections.push(Section {
                    fragment: heading.to_lowercase().replace(' ', "-"),
                    begins: String::new(),
                });
            } else if let Some(section) = under
                && section.begins.is_empty()
            {
                line.clone_into(&mut section.begins);
            }
            in_catalogue = line.starts_with('|') && (in_catalogue || line == COLUMNS);
            if in_catalogue && line != COLUMNS && !line.starts_with("| ---") {
                let cells = line.trim_matches('|').split('|').map(str::trim);
                page.rows.push(Row {
                    under: page.sections.last().unwrap().fragment.clone(),
                    cells: cells.map(str::to_owned).collect(),
                });
            }
            let links = line.split("](#").skip(1);
            let links = links.filter_map(|link| link.split_once(')'));
            page.links.extend(links.map(|(link, _)| link.to_owned()));
        }
        page
    }
}

/// The reasons whose doc comment does not begin with their status.
fn undocumented(source: &str) -> Vec<String> {
    let documented = |reason: &Reason| {
        let variant = format!("    {reason:?},");
        let lines: Vec<&str> = source.lines().collect();
        let at = lines.iter().position(|line| *line == variant).unwrap();
        let comment = lines[..at].iter().rev();
        let comment = comment.take_while(|line| line.starts_with("    ///"));
        comment.last().is_some_and(|first| {
            let status = reason.status();
            let text = first.trim_start_matches(['/', ' ']);
            let behind = text.strip_prefix(status.as_str());
            behind.is_some_and(|behind| behind.starts_with([':', ' ', ',']))
        })
    };
    let missing = Reason::ALL.iter().filter(|reason| !documented(reason));
    missing.map(|reason| format!("{reason:?}")).collect()
}
