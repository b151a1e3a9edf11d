//! The files of the guide, and the links in them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// The folder of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The text of a chapter.
///
/// # Panics
///
/// Where there is none.
pub fn read(file: &str) -> String {
    let path = root().join("docs").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn write(file: &str, text: &str) {
    let path = root().join("docs").join(file);
    fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The part of a text under the heading with this anchor, up to the next heading of its level or above;
/// all of it where the anchor is empty.
///
/// # Panics
///
/// Where there is no such heading.
pub fn section<'a>(text: &'a str, anchor: &str) -> &'a str {
    if anchor.is_empty() {
        return text;
    }
    let headings = headings(text);
    let found = headings.iter().position(|heading| heading.anchor == anchor);
    let at = found.unwrap_or_else(|| panic!("no heading #{anchor}"));
    let level = headings[at].level;
    let end = headings[at + 1..]
        .iter()
        .find(|heading| heading.level <= level);
    &text[headings[at].begins..end.map_or(text.len(), |heading| heading.begins)]
}

/// A heading of a text.
#[derive(Debug)]
pub struct Heading {
    /// What a link names it by.
    pub anchor: String,
    /// From 1.
    pub level: usize,
    begins: usize,
}

/// The headings of a text, in order.
pub fn headings(text: &str) -> Vec<Heading> {
    let mut headings: Vec<Heading> = Vec::new();
    let mut times: HashMap<String, usize> = HashMap::new();
    let mut open: Option<(usize, usize, String)> = None;
    for (event, range) in parser(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                open = Some((level as usize, range.start, String::new()));
            }
            Event::End(TagEnd::Heading(_)) => {
                let Some((level, begins, words)) = open.take() else {
                    continue;
                };
                let plain = anchor(&words);
                let times = times.entry(plain.clone()).or_default();
                let anchor = match *times {
                    0 => plain,
                    before => format!("{plain}-{before}"),
                };
                *times += 1;
                headings.push(Heading {
                    anchor,
                    level,
                    begins,
                });
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some((.., heading)) = &mut open {
                    heading.push_str(&words);
                }
            }
            _ => {}
        }
    }
    headings
}

/// What mdBook and GitHub make of a heading's words.
fn anchor(words: &str) -> String {
    words
        .trim()
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            _ if character.is_alphanumeric() => character.to_lowercase().next(),
            _ => None,
        })
        .collect()
}

/// Where the links of a text lead, also to pictures.
pub fn links(text: &str) -> Vec<String> {
    let target = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(dest_url.into_string())
        }
        _ => None,
    };
    parser(text).filter_map(target).collect()
}

/// Names in brackets that were meant to be links and lead nowhere, such as `` [`Expected`] `` without
/// the line that says where to.
pub fn dangling(text: &str) -> Vec<String> {
    let mut dangling = Vec::new();
    let mut note = |link: pulldown_cmark::BrokenLink<'_>| {
        dangling.push(link.reference.into_string());
        None
    };
    Parser::new_with_broken_link_callback(text, Options::ENABLE_TABLES, Some(&mut note)).count();
    dangling
}

/// The first words behind the fences of a text's code blocks.
pub fn languages(text: &str) -> Vec<String> {
    let language = |event| match event {
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
            Some(info.split([',', ' ']).next().unwrap_or_default().to_owned())
        }
        Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => Some(String::new()),
        _ => None,
    };
    parser(text).filter_map(language).collect()
}

/// Why a relative link of a file does not lead anywhere, if it does not.
pub fn broken(file: &Path, text: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => file.to_path_buf(),
        path => file.parent().unwrap_or(file).join(path),
    };
    if !target.exists() {
        return Some("no such file".to_owned());
    }
    if fragment.is_empty() {
        return None;
    }
    let there = if path.is_empty() {
        text.to_owned()
    } else {
        fs::read_to_string(&target).unwrap_or_default()
    };
    let known = headings(&there)
        .iter()
        .any(|heading| heading.anchor == fragment);
    (!known).then(|| "no such heading".to_owned())
}

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
}
