use std::collections::{BTreeMap, BTreeSet};

/// The metrics and labels that the README describes, in its tables.
#[derive(Debug)]
pub struct Catalogue {
    /// Every metric.
    pub metrics: BTreeMap<String, Metric>,
    /// Every label.
    pub labels: BTreeMap<String, Values>,
}

/// What a label may be.
#[derive(Debug)]
pub struct Values {
    /// The values that are listed.
    pub listed: BTreeSet<String>,
    /// Whether there can be others: the list has an ellipsis.
    pub is_open: bool,
}

/// A metric.
#[derive(Debug)]
pub struct Metric {
    /// Its kind.
    pub kind: Kind,
    /// Its labels, without those that Prometheus adds.
    pub labels: BTreeSet<String>,
    /// Who counts it: `layer`, `posts` or `Prometheus`.
    pub source: String,
}

/// A metric's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are Prometheus' own")]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    /// As it stands in the text format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Values {
    fn of(cell: &str) -> Self {
        Self {
            listed: codes(cell),
            is_open: cell.ends_with('…'),
        }
    }

    /// Whether the label may be this.
    pub fn admit(&self, value: &str) -> bool {
        self.is_open || self.listed.contains(value)
    }
}

impl Catalogue {
    /// The tables under "Metrics" and "Labels".
    ///
    /// # Panics
    ///
    /// Where a row is not of the form that the others have.
    pub fn parse(readme: &str) -> Self {
        let metrics = rows(readme, "## Metrics").map(|[name, kind, labels, source, _]| {
            let metric = Metric {
                kind: match kind {
                    "counter" => Kind::Counter,
                    "gauge" => Kind::Gauge,
                    "histogram" => Kind::Histogram,
                    _ => panic!("no kind of metric: {kind}"),
                },
                labels: codes(labels),
                source: source.to_owned(),
            };
            (one_code(name), metric)
        });
        let labels =
            rows(readme, "## Labels").map(|[name, values, _]| (one_code(name), Values::of(values)));
        Self {
            metrics: metrics.collect(),
            labels: labels.collect(),
        }
    }

    /// The metric that a series belongs to: a histogram's are called `…_bucket`, `…_sum`, `…_count`.
    pub fn metric_of<'a>(&self, series: &'a str) -> &'a str {
        let parts = ["_bucket", "_sum", "_count"];
        let base = parts.iter().find_map(|part| series.strip_suffix(part));
        let is_histogram = |base: &&str| {
            let metric = self.metrics.get(*base);
            metric.is_some_and(|metric| metric.kind == Kind::Histogram)
        };
        base.filter(is_histogram).unwrap_or(series)
    }
}

/// The rows of the first table under a heading, without its head.
fn rows<'a, const N: usize>(
    readme: &'a str,
    heading: &'a str,
) -> impl Iterator<Item = [&'a str; N]> {
    let mut lines = readme.lines();
    let found = lines.any(|line| line == heading);
    assert!(found, "a heading {heading:?}");
    let table = lines.skip_while(|line| !line.starts_with('|'));
    let table = table.take_while(|line| line.starts_with('|')).skip(2);
    table.map(|line| {
        let cells = line.trim_matches('|').split(" | ").map(str::trim);
        let cells: Vec<&str> = cells.collect();
        <[&str; N]>::try_from(cells).unwrap_or_else(|cells| panic!("{N} cells: {cells:?}"))
    })
}

/// What stands between backticks.
fn codes(cell: &str) -> BTreeSet<String> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

fn one_code(cell: &str) -> String {
    let mut codes = codes(cell);
    assert!(codes.len() == 1, "one name: {cell}");
    codes.pop_first().unwrap_or_default()
}
