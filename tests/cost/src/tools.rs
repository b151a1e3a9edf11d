//! What instructions depend on besides the sources.

use std::process::Command;

use serde::Deserialize;

/// With what instructions are counted. Only counts of the same tools are compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tools {
    pub(crate) rustc: String,
    pub(crate) target: String,
    pub(crate) profile: String,
    pub(crate) valgrind: String,
    /// Its allocator and its copying of memory are a part of every request.
    pub(crate) libc: String,
}

impl Tools {
    /// Those that built this program and would run it now.
    pub(crate) fn here() -> Self {
        Self {
            rustc: env!("COST_RUSTC").to_owned(),
            target: env!("COST_TARGET").to_owned(),
            profile: env!("COST_PROFILE").to_owned(),
            valgrind: said_by("valgrind", "--version"),
            libc: said_by("getconf", "GNU_LIBC_VERSION"),
        }
    }

    /// Each with its name, in the order of the record.
    pub(crate) fn named(&self) -> [(&'static str, &str); 5] {
        [
            ("rustc", &self.rustc),
            ("target", &self.target),
            ("profile", &self.profile),
            ("valgrind", &self.valgrind),
            ("libc", &self.libc),
        ]
    }

    /// Where these are others than those: `valgrind: valgrind-3.24.0, recorded with valgrind-3.19.0`.
    pub(crate) fn others_than(&self, recorded: &Self) -> Vec<String> {
        let pairs = self.named().into_iter().zip(recorded.named());
        pairs
            .filter(|((_, here), (_, recorded))| here != recorded)
            .map(|((name, here), (_, recorded))| {
                format!("{name}: {here}, recorded with {recorded}")
            })
            .collect()
    }
}

fn said_by(program: &str, question: &str) -> String {
    match Command::new(program).arg(question).output() {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_tools_are_no_others() {
        assert_eq!(
            Tools::here().others_than(&Tools::here()),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_other_tool_is_named_with_what_was_recorded() {
        let recorded = Tools {
            rustc: "rustc 1.0.0".to_owned(),
            valgrind: "valgrind-3.19.0".to_owned(),
            ..Tools::here()
        };
        let here = Tools {
            rustc: "rustc 1.1.0".to_owned(),
            valgrind: "none".to_owned(),
            ..Tools::here()
        };
        let others = [
            "rustc: rustc 1.1.0, recorded with rustc 1.0.0",
            "valgrind: none, recorded with valgrind-3.19.0",
        ];
        assert_eq!(here.others_than(&recorded), others);
    }
}
