use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::Names;

/// A file of Prometheus rules.
#[derive(Debug, Deserialize)]
pub struct Rules {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

/// A rule: an alert, or an expression whose value is recorded under a name.
#[derive(Debug, Deserialize)]
pub struct Rule {
    /// The alert's name.
    pub alert: Option<String>,
    /// The name that its value is recorded under.
    pub record: Option<String>,
    /// The expression.
    pub expr: String,
    /// Labels of the alert, besides those of the expression.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Texts of the alert.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl Rules {
    /// The rules in this file.
    ///
    /// # Panics
    ///
    /// Where it is none.
    pub fn parse(yaml: &str) -> Self {
        serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("no rules: {error}"))
    }

    /// All rules, in their order.
    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        self.groups.iter().flat_map(|group| &group.rules)
    }

    /// Those that alert.
    pub fn alerts(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.all()
            .filter_map(|rule| Some((rule.alert.as_deref()?, rule)))
    }

    /// The names that values are recorded under.
    pub fn recorded(&self) -> BTreeSet<&str> {
        self.all()
            .filter_map(|rule| rule.record.as_deref())
            .collect()
    }

    /// What all expressions name, but for what is recorded here.
    pub fn names(&self) -> Names {
        let mut names = Names::default();
        self.all().for_each(|rule| names.add(&rule.expr));
        let recorded = self.recorded();
        names
            .metrics
            .retain(|metric| !recorded.contains(metric.as_str()));
        names
    }
}
