//! Which store `--store` names.

use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// A store, by its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `memory:`
    Memory,
    /// `sqlite:PATH`, also with slashes, as in `sqlite:///var/lib/posts.db`.
    Sqlite(PathBuf),
}

/// A URL that names no store that this program has. Its text shows no password.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("cannot open the store {shown}: {why}")]
pub struct NoSuchStore {
    shown: String,
    why: &'static str,
}

impl FromStr for Location {
    type Err = NoSuchStore;

    fn from_str(url: &str) -> Result<Self, NoSuchStore> {
        let refused = |why| {
            Err(NoSuchStore {
                shown: masked(url),
                why,
            })
        };
        let Some((scheme, rest)) = url.split_once(':') else {
            return refused("it is no URL, such as sqlite:posts.db or memory:");
        };
        match (scheme, rest.strip_prefix("//").unwrap_or(rest)) {
            ("memory", "") => Ok(Self::Memory),
            ("memory", _) => refused("nothing follows memory:"),
            ("sqlite", "") => refused("a path has to follow sqlite:"),
            // Each connection would have a database of its own.
            ("sqlite", ":memory:") => refused("the store in memory is memory:"),
            ("sqlite", path) => Ok(Self::Sqlite(PathBuf::from(path))),
            _ => refused("there are only sqlite:PATH and memory:"),
        }
    }
}

/// The URL on one line and without its password, for messages.
///
/// Errs on the side of hiding: a password with an unescaped `@`, `/` or `?` in it is hidden whole.
///
/// ```
/// let shown = posts::store::location::masked("postgres://ada:s3cret@localhost/posts");
/// assert_eq!(shown, "postgres://ada:***@localhost/posts");
/// ```
pub fn masked(url: &str) -> String {
    let mut shown = url.escape_debug().to_string();
    if let Some(start) = shown.find("://").map(|at| at + 3)
        && let Some(end) = shown[start..].rfind('@').map(|at| start + at)
        && let Some(colon) = shown[start..end].find(':').map(|at| start + at)
    {
        shown.replace_range(colon + 1..end, "***");
    }
    if let Some(value) = shown.find("password=").map(|at| at + "password=".len()) {
        let end = shown[value..]
            .find('&')
            .map_or(shown.len(), |at| value + at);
        shown.replace_range(value..end, "***");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_as_they_are_written() {
        let path = |url: &str| match url.parse() {
            Ok(Location::Sqlite(path)) => path.to_str().unwrap().to_owned(),
            other => panic!("{url}: {other:?}"),
        };
        assert_eq!(path("sqlite:posts.db"), "posts.db");
        assert_eq!(path("sqlite:dir/a b.db"), "dir/a b.db");
        assert_eq!(path("sqlite:/abs/posts.db"), "/abs/posts.db");
        assert_eq!(path("sqlite:///abs/posts.db"), "/abs/posts.db");
        assert_eq!("memory:".parse(), Ok(Location::Memory));
    }

    #[test]
    fn what_names_no_store_is_an_error_that_says_so() {
        for url in [
            "",
            "posts.db",
            "sqlite:",
            "sqlite::memory:",
            "memory:x",
            "mysql://h/db",
        ] {
            let error = url.parse::<Location>().unwrap_err().to_string();
            assert!(error.contains(url), "{error}");
        }
    }

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        for url in [
            "postgres://ada:s3cret@h/db",
            "postgres://:s3cret@h/db",
            "postgres://ada:s3cret@s3cret/s3cret?s3cret@h/db",
            "postgres://h/db?password=s3cret&user=ada",
            "redis://h?user=ada&password=s3cret",
        ] {
            let error = url.parse::<Location>().unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
            assert!(error.contains("***"), "{error}");
        }
        assert_eq!(
            masked("postgres://ada@h:5432/db"),
            "postgres://ada@h:5432/db"
        );
        assert_eq!(masked("a\nb"), "a\\nb");
    }
}
