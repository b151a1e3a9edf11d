use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::{Expr, parse};

/// The series that a program serves in Prometheus' text format.
#[derive(Debug)]
pub struct Exposition {
    /// The metrics that are declared (`# TYPE`), with their kinds.
    pub kinds: BTreeMap<String, String>,
    /// Every line with a value.
    pub series: Vec<Series>,
}

/// A series and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name, such as `if_match_store_seconds_bucket`.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Exposition {
    /// The series of this text.
    ///
    /// # Panics
    ///
    /// Where it is not of the format.
    pub fn parse(text: &str) -> Self {
        let declared = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let kinds = declared.map(|line| {
            let (name, kind) = line.split_once(' ').expect("a name and a kind");
            (name.to_owned(), kind.to_owned())
        });
        let lines = text.lines().filter(|line| !line.is_empty());
        let series = lines.filter(|line| !line.starts_with('#')).map(series);
        Self {
            kinds: kinds.collect(),
            series: series.collect(),
        }
    }

    /// The sum of the series of this name that bear all of these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let of = self.series.iter().filter(|series| {
            let bears = |(name, value): &(&str, &str)| {
                series.labels.get(*name).is_some_and(|it| it == value)
            };
            series.name == name && labels.iter().all(bears)
        });
        of.map(|series| series.value).sum()
    }

    /// The values that this label has in the series of this name.
    pub fn values(&self, name: &str, label: &str) -> BTreeSet<&str> {
        let of = self.series.iter().filter(|series| series.name == name);
        of.filter_map(|series| series.labels.get(label))
            .map(String::as_str)
            .collect()
    }

    /// The labels of a metric, whatever its series are called; without `le`, which a histogram has in any
    /// case.
    pub fn labels(&self, metric: &str) -> BTreeSet<&str> {
        let of = self.series.iter().filter(|series| {
            let rest = series.name.strip_prefix(metric);
            rest.is_some_and(|rest| matches!(rest, "" | "_bucket" | "_sum" | "_count"))
        });
        let labels = of.flat_map(|series| series.labels.keys().map(String::as_str));
        labels.filter(|label| *label != "le").collect()
    }
}

/// What stands before the value is a selector of `PromQL`.
fn series(line: &str) -> Series {
    let (selector, value) = line.rsplit_once(' ').expect("a series and its value");
    let Ok(Expr::VectorSelector(selector)) = parse(selector) else {
        panic!("no series: {line}");
    };
    let labels = selector.matchers.matchers.into_iter();
    Series {
        name: selector.name.expect("a name"),
        labels: labels.map(|label| (label.name, label.value)).collect(),
        value: value.parse().expect("a value"),
    }
}
