//! The map of the house names files that exist.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use guide::book;

/// Where a name without a crate may stand.
const BASES: [&str; 3] = ["", "crates/tower-if-match/src", "crates/tower-if-match"];

/// The paths that a page names in code spans and code blocks: whatever ends like a Rust file or a folder, or begins
/// like one of the workspace's folders.
fn named(page: &str) -> Vec<String> {
    let words = page.split(|c: char| c.is_whitespace() || "`(),;|".contains(c));
    let is_path = |word: &&str| {
        let in_folder = ["crates/", "tests/", "examples/"]
            .iter()
            .any(|folder| word.starts_with(folder));
        let path = word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/_-.".contains(c));
        path && (in_folder
            || word.ends_with('/')
            || Path::new(word).extension() == Some("rs".as_ref()))
    };
    words.filter(is_path).map(str::to_owned).collect()
}

/// Those of them that are nowhere. A file of a room that is named without its folder counts if the room that stands
/// in the same line has it.
fn missing(page: &str, root: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    for line in page.lines() {
        let paths = named(line);
        let rooms: Vec<&String> = paths.iter().filter(|path| path.ends_with('/')).collect();
        let exists = |path: &str| {
            BASES.iter().any(|base| {
                let base = root.join(base);
                base.join(path).exists()
                    || rooms.iter().any(|room| base.join(room).join(path).exists())
            })
        };
        missing.extend(paths.iter().filter(|path| !exists(path)).cloned());
    }
    missing
}

#[test]
fn every_file_that_the_map_names_exists() {
    let root = book::root();
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    assert!(named(&page).len() > 100, "{:?}", named(&page));
    assert_eq!(missing(&page, &root), Vec::<String>::new());
}

/// The negative control: a file that moved, and a room that was renamed, are found.
#[test]
fn a_name_that_leads_nowhere_is_found() {
    let root = book::root();
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let moved = page.replacen("write/judge.rs", "write/jury.rs", 1);
    assert_eq!(missing(&moved, &root), ["write/jury.rs"]);
    let renamed = page.replacen("| `decide/` |", "| `decision/` |", 1);
    let found = missing(&renamed, &root);
    assert!(found.contains(&"decision/".to_owned()), "{found:?}");
}

/// Every room of the layer is on the map.
#[test]
fn every_room_of_the_layer_is_on_the_map() {
    let root = book::root();
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let rooms = fs::read_dir(root.join("crates/tower-if-match/src")).unwrap();
    for room in rooms {
        let room = room.unwrap();
        let mut name = room.file_name().into_string().unwrap();
        if room.path().is_dir() {
            name.push('/');
        }
        // Tests beside their file.
        let beside = name == "problems/";
        assert!(
            beside || page.contains(&format!("`{name}`")),
            "{name} is not on the map"
        );
    }
}
