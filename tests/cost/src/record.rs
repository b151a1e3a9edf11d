//! The figures that the repository holds, in a file whose diff shows each row that changed.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::tools::Tools;

/// What a request may cost.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Record {
    pub(crate) tools: Tools,
    pub(crate) rows: Vec<Recorded>,
}

/// One row, each figure per run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recorded {
    pub(crate) row: String,
    pub(crate) allocations: f64,
    pub(crate) instructions: f64,
}

/// Stands at the top of the file, where JSON has no comments.
const POLICY: &str = "Written by `cargo run --release -p cost -- record`. Only a commit that names the \
                      feature and its price raises a figure, see CONTRIBUTING.md.";

impl Record {
    /// The file of this build: where the layer counts for the `metrics` facade, every request costs more.
    pub(crate) fn path() -> PathBuf {
        let file = if cfg!(feature = "metrics") {
            "record-metrics.json"
        } else {
            "record.json"
        };
        [env!("CARGO_MANIFEST_DIR"), file].iter().collect()
    }

    pub(crate) fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// JSON, with a line of its own for each tool and each row.
    pub(crate) fn text(&self) -> String {
        let tools = self.tools.named().map(|(name, version)| {
            let version = Value::from(version);
            format!("    \"{name}\": {version}")
        });
        let rows = self.rows.iter().map(|recorded| {
            let row = Value::from(recorded.row.as_str());
            let (allocations, instructions) = (recorded.allocations, recorded.instructions);
            format!(
                "    {{ \"row\": {row}, \"allocations\": {allocations}, \"instructions\": {instructions} }}"
            )
        });
        format!(
            "{{\n  \"policy\": {},\n  \"tools\": {{\n{}\n  }},\n  \"rows\": [\n{}\n  ]\n}}\n",
            Value::from(POLICY),
            tools.join(",\n"),
            rows.collect::<Vec<_>>().join(",\n"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    #[test]
    fn what_is_written_is_read_again() {
        let record = Record {
            tools: Tools::here(),
            rows: vec![
                Recorded {
                    row: "put \"quoted\"".to_owned(),
                    allocations: 23.0,
                    instructions: 18_456.1,
                },
                Recorded {
                    row: "parse".to_owned(),
                    allocations: 0.0,
                    instructions: 774.0,
                },
            ],
        };
        let text = record.text();
        assert_eq!(Record::read(&text), Ok(record));
        assert_eq!(
            text.lines()
                .filter(|line| line.contains("\"row\":"))
                .count(),
            2
        );
    }

    #[test]
    fn a_file_that_lacks_a_figure_is_no_record() {
        let text = Record {
            tools: Tools::here(),
            rows: Vec::new(),
        }
        .text();
        assert!(Record::read(&text).is_ok());
        let row = text.replace(
            "\"rows\": [",
            "\"rows\": [{ \"row\": \"put\", \"allocations\": 1 }",
        );
        assert!(Record::read(&row).is_err());
    }

    /// Seen here too, where nothing is measured.
    #[test]
    fn the_file_has_the_rows_of_all_scenarios_in_their_order() {
        let text = std::fs::read_to_string(Record::path()).unwrap();
        let record = Record::read(&text).unwrap();
        let rows = record.rows.iter().map(|recorded| recorded.row.as_str());
        let scenarios = scenario::all().map(|scenario| scenario.name);
        assert_eq!(rows.collect::<Vec<_>>(), scenarios.collect::<Vec<_>>());
        assert_eq!(record.text(), text, "it is written by `record`");
    }
}
