//! Which store `--store` names.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// A store, by its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `memory:`
    Memory,
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or `postgresql://…`: the whole URL.
    Postgres(String),
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
            return refused("it is no URL, such as sqlite:posts.db or postgres://localhost/posts");
        };
        match (scheme, rest.strip_prefix("//").unwrap_or(rest)) {
            ("memory", "") => Ok(Self::Memory),
            ("memory", _) => refused("nothing follows memory:"),
            ("sqlite", "") => refused("a path has to follow sqlite:"),
            // Each connection would have a database of its own.
            ("sqlite", ":memory:") => refused("the store in memory is memory:"),
            ("sqlite", path) => Ok(Self::Sqlite(PathBuf::from(path))),
            ("postgres" | "postgresql", server) => {
                let (_, behind) =
                    server.split_at(server.find(['/', '?', '#']).unwrap_or(server.len()));
                match (rest.starts_with("//"), behind.contains('@')) {
                    (false, _) => refused("// has to follow the colon"),
                    // Otherwise the end of such a password would be taken for a name, and shown.
                    (_, true) => refused(
                        "a / ? # in its password, and an @ behind it, is written %2F %3F %23 %40",
                    ),
                    (true, false) => Ok(Self::Postgres(url.to_owned())),
                }
            }
            _ => refused("there are only sqlite:PATH, postgres://… and memory:"),
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

/// What kept a store from being opened, on one line and without the password of its URL.
pub fn not_opened(url: &str, error: &impl Display) -> String {
    let mut why = error.to_string().replace(char::is_control, " ");
    let userinfo = url
        .split_once("://")
        .and_then(|(_, rest)| rest.rsplit_once('@'));
    let in_front = userinfo.and_then(|(userinfo, _)| userinfo.split_once(':'));
    let behind = url.split_once("password=");
    let behind = behind.map(|(before, value)| (before, value.split('&').next().unwrap_or("")));
    for (_, password) in in_front.into_iter().chain(behind) {
        if !password.is_empty() {
            why = why.replace(password, "***");
        }
    }
    format!("cannot open the store {}: {why}", masked(url))
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
            "postgres:localhost/posts",
            "postgres:/localhost/posts",
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
    fn a_database_is_named_by_its_whole_url() {
        for url in [
            "postgres://localhost/posts",
            "postgresql://ada:s3cr%2Fet@h:5432/posts?sslmode=disable",
            "postgres://",
        ] {
            assert_eq!(url.parse(), Ok(Location::Postgres(url.to_owned())));
        }
    }

    #[test]
    fn passwords_are_hidden_in_the_errors_of_others() {
        for url in [
            "postgres://ada:s3cret@h/db",
            "postgres://h/db?password=s3cret",
        ] {
            let shown = not_opened(url, &"no s3cret\nis s3cret");
            assert!(shown.ends_with(": no *** is ***"), "{shown}");
            assert!(!shown.contains("s3cret"), "{shown}");
        }
        let shown = not_opened("postgres://ada:@h/db", &"why");
        assert_eq!(shown, "cannot open the store postgres://ada:***@h/db: why");
    }

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        for url in [
            "mysql://ada:s3cret@h/db",
            "mysql://:s3cret@h/db",
            "postgres://ada:s3cret@s3cret/s3cret?s3cret@h/db",
            "mysql://h/db?password=s3cret&user=ada",
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
