//! The guide as a book: every chapter is in the summary, and every link leads somewhere.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use guide::{CHAPTERS, book};

/// The Markdown files under `docs`, as the summary names them.
fn files() -> BTreeSet<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let docs = book::root().join("docs");
    let mut found = Vec::new();
    walk(&docs, &mut found);
    found
        .iter()
        .map(|path| {
            path.strip_prefix(&docs)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[test]
fn the_summary_has_every_chapter_once() {
    let summary = book::links(&book::read("SUMMARY.md"));
    let listed: BTreeSet<_> = summary.iter().cloned().collect();
    assert_eq!(listed.len(), summary.len(), "{summary:?}");
    let mut files = files();
    assert!(files.remove("SUMMARY.md"));
    assert_eq!(listed, files);
}

#[test]
fn every_link_leads_somewhere() {
    let root = book::root();
    let mut texts: Vec<PathBuf> = files()
        .iter()
        .map(|file| root.join("docs").join(file))
        .collect();
    texts.extend(["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(|file| root.join(file)));
    let mut followed = 0;
    for file in texts {
        let text = fs::read_to_string(&file).unwrap();
        for link in book::links(&text) {
            let broken = book::broken(&file, &text, &link);
            assert_eq!(broken, None, "{}: {link}", file.display());
            followed += 1;
        }
        let mut dangling = book::dangling(&text);
        // A changelog's next version leads nowhere yet.
        dangling.retain(|name| name != "Unreleased");
        assert!(dangling.is_empty(), "{}: {dangling:?}", file.display());
    }
    assert!(followed > 50, "{followed}");
}

/// The negative control: what leads nowhere is found.
#[test]
fn a_link_that_leads_nowhere_is_found() {
    let file = book::root().join("docs/closing-the-race.md");
    let text = "# A heading: `code`, and more\n\n[a](#a-heading-code-and-more) [b](#another) \
        [c](no-such.md) [d](cost.md#no-such) [e](cost.md#what-it-costs) [f](https://e.org/#x) [`g`]\n";
    let broken: Vec<_> = book::links(text)
        .into_iter()
        .filter(|link| book::broken(&file, text, link).is_some())
        .collect();
    assert_eq!(broken, ["#another", "no-such.md", "cost.md#no-such"]);
    assert_eq!(book::dangling(text), ["`g`"]);
}

/// A page of the book leads to pages of the book: what lies elsewhere in the repository is not there.
#[test]
fn no_chapter_leads_out_of_the_book() {
    for file in files() {
        let depth = Path::new(&file).components().count() - 1;
        for link in book::links(&book::read(&file)) {
            let up = link.split('/').filter(|part| *part == "..").count();
            assert!(up <= depth, "{file}: {link}");
        }
    }
}

/// Code that nobody runs goes stale.
#[test]
fn every_chapter_with_code_is_run() {
    // Of the tests of the crate that it is about.
    let elsewhere = ["your-own-store.md"];
    for file in files() {
        let languages = book::languages(&book::read(&file));
        // Rustdoc takes a block without a language for Rust.
        let runs = |language: &String| matches!(language.as_str(), "rust" | "");
        if languages.iter().any(runs) {
            let run = CHAPTERS.contains(&file.as_str()) || elsewhere.contains(&file.as_str());
            assert!(run, "{file} is not among the chapters that are run");
        }
        if languages.iter().any(|language| language == "console") {
            let played = book::read(&file).contains("guide::plays(");
            assert!(played, "a session in {file} is not played");
        }
    }
}

/// The program of the first five minutes is the smallest example.
#[test]
fn the_first_program_is_the_examples() {
    let chapter = book::read("five-minutes.md");
    let (_, behind) = chapter.split_once("```rust\n").unwrap();
    let (program, _) = behind.split_once("```").unwrap();
    let shown = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("# ") && !line.starts_with("#  "));
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    };
    let example = include_str!("../../../examples/hello/src/main.rs");
    let (_, example) = example.split_once("\n\n").unwrap();
    assert_eq!(shown(program), example.trim());
}
