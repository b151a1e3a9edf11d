//! Where databases come from.

use std::io::Write as _;

use crate::{Product, Programs};

/// Where databases come from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The server at this URL, which somebody else runs.
    Given(String),
    /// A server of ours.
    Installed(Programs),
}

/// What to do without a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Skip,
    Fail,
}

/// The source for a product; `None` after saying so, with what would help besides an installation.
pub(crate) fn found(product: Product, given: Option<String>, or: &str) -> Option<Source> {
    match decide(given, || Programs::find(product), required().as_deref()) {
        Ok(source) => Some(source),
        Err(missing) => {
            tell(missing, product.name(), product.package(), or);
            None
        }
    }
}

/// Says on stderr that a test is skipped because a program is not installed, and which of Debian's
/// packages has it.
///
/// # Panics
/// While `REQUIRE_SERVICES` is set.
pub fn not_installed(name: &str, package: &str) {
    tell(without_source(required().as_deref()), name, package, "");
}

fn tell(missing: Missing, name: &str, package: &str, or: &str) {
    let what = format!("{name} is not installed (`apt-get install {package}`{or})");
    assert!(
        missing == Missing::Skip,
        "{what}, and REQUIRE_SERVICES is set"
    );
    let current = std::thread::current();
    let test = current.name().unwrap_or("a test");
    // Not `eprintln!`: the test harness captures that, and a skipped test would look like one that
    // passed.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}: {test}");
}

fn required() -> Option<String> {
    std::env::var("REQUIRE_SERVICES").ok()
}

/// A URL comes before what is installed; a variable without content is as if it were not set.
fn decide(
    given: Option<String>,
    installed: impl FnOnce() -> Option<Programs>,
    required: Option<&str>,
) -> Result<Source, Missing> {
    if let Some(url) = given.filter(|url| !url.is_empty()) {
        return Ok(Source::Given(url));
    }
    installed()
        .map(Source::Installed)
        .ok_or_else(|| without_source(required))
}

fn without_source(required: Option<&str>) -> Missing {
    match required {
        None | Some("" | "0") => Missing::Skip,
        Some(_) => Missing::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs() -> Programs {
        Programs {
            install: "initdb".into(),
            serve: "postgres".into(),
        }
    }

    #[test]
    fn a_url_comes_first_unless_it_is_empty() {
        let url = || Some("postgres://db".to_owned());
        let given = Ok(Source::Given("postgres://db".to_owned()));
        assert_eq!(decide(url(), || Some(programs()), None), given);
        assert_eq!(decide(url(), || None, Some("1")), given);
        let installed = Ok(Source::Installed(programs()));
        assert_eq!(
            decide(Some(String::new()), || Some(programs()), None),
            installed
        );
        assert_eq!(decide(None, || Some(programs()), Some("1")), installed);
    }

    #[test]
    fn what_is_missing_is_skipped_unless_it_is_required() {
        for (required, missing) in [
            (None, Missing::Skip),
            (Some(""), Missing::Skip),
            (Some("0"), Missing::Skip),
            (Some("1"), Missing::Fail),
            (Some("true"), Missing::Fail),
        ] {
            assert_eq!(
                decide(None, || None, required),
                Err(missing),
                "{required:?}"
            );
        }
    }
}
