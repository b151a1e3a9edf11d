use serde::Deserialize;

use crate::Names;

/// What Grafana puts in place of these before it asks.
const VARIABLES: [(&str, &str); 2] = [("$__rate_interval", "5m"), ("$__range", "6h")];

/// A Grafana dashboard.
#[derive(Debug, Deserialize)]
pub struct Dashboard {
    /// What it shows, in the file's order.
    pub panels: Vec<Panel>,
    templating: List<Variable>,
    annotations: List<Annotation>,
}

/// One of its panels.
#[derive(Debug, Deserialize)]
pub struct Panel {
    /// Unique in the dashboard.
    pub id: u32,
    /// What it shows, in a few words.
    pub title: String,
    /// What it shows, in a sentence or two.
    pub description: String,
    /// Where its data come from.
    pub datasource: Datasource,
    /// Where it stands: 24 columns.
    #[serde(rename = "gridPos")]
    pub place: Place,
    /// What it asks for.
    pub targets: Vec<Target>,
}

/// A panel's place.
#[derive(Debug, Clone, Copy, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Place {
    pub x: u32,
    pub y: u32,
    pub w: u32,
    pub h: u32,
}

/// A query of a panel.
#[derive(Debug, Deserialize)]
pub struct Target {
    /// Unique in the panel.
    #[serde(rename = "refId")]
    pub id: String,
    /// `PromQL`, with Grafana's variables.
    pub expr: String,
    /// Where it is sent.
    pub datasource: Datasource,
}

/// Where data come from.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Datasource {
    /// The kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id in one Grafana, or a variable.
    pub uid: String,
}

#[derive(Debug, Deserialize)]
struct List<T> {
    list: Vec<T>,
}

#[derive(Debug, Deserialize)]
struct Variable {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    definition: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Annotation {
    expr: String,
}

impl Dashboard {
    /// The dashboard in this file.
    ///
    /// # Panics
    ///
    /// Where it is none.
    pub fn parse(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("no dashboard: {error}"))
    }

    /// Everything that it asks for, as `PromQL`.
    pub fn expressions(&self) -> Vec<String> {
        let targets = self.panels.iter().flat_map(|panel| &panel.targets);
        let targets = targets.map(|target| target.expr.clone());
        let annotations = self.annotations.list.iter().map(|it| it.expr.clone());
        let of_variables = self.templating.list.iter().filter_map(Variable::expression);
        let all = targets.chain(annotations).chain(of_variables);
        all.map(|expression| {
            VARIABLES
                .iter()
                .fold(expression, |text, (name, value)| text.replace(name, value))
        })
        .collect()
    }

    /// What all expressions name, but for values that are variables.
    pub fn names(&self) -> Names {
        let mut names = Names::default();
        for expression in self.expressions() {
            names.add(&expression);
        }
        names.values.retain(|(_, value)| !value.starts_with('$'));
        names
    }

    /// The names of its variables, of one kind.
    pub fn variables(&self, kind: &str) -> Vec<&str> {
        let all = self.templating.list.iter();
        all.filter(|variable| variable.kind == kind)
            .map(|variable| variable.name.as_str())
            .collect()
    }
}

impl Variable {
    /// `label_values(selector, label)`, which only Grafana knows, as `PromQL`.
    fn expression(&self) -> Option<String> {
        let arguments = self.definition.as_ref()?.strip_prefix("label_values(")?;
        let (selector, label) = arguments.strip_suffix(')')?.rsplit_once(", ")?;
        Some(format!("count by ({label}) ({selector})"))
    }
}
