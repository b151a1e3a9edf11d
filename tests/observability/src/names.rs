use std::collections::BTreeSet;
use std::convert::Infallible;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, LabelModifier, VectorSelector, parse};
use promql_parser::util::{ExprVisitor, walk_expr};

/// What a `PromQL` expression names.
#[derive(Debug, Default)]
pub struct Names {
    /// The metrics of its selectors, as they stand there (`…_bucket` for a histogram).
    pub metrics: BTreeSet<String>,
    /// The labels that it selects, groups or matches by.
    pub labels: BTreeSet<String>,
    /// Labels with the values that they are compared with; those of a pattern `a|b|c` one by one.
    pub values: BTreeSet<(String, String)>,
}

impl Names {
    /// Those of this expression.
    ///
    /// # Panics
    ///
    /// Where it is none.
    pub fn of(expression: &str) -> Self {
        let parsed = parse(expression);
        let parsed = parsed.unwrap_or_else(|error| panic!("{expression}: {error}"));
        let mut names = Self::default();
        let Ok(_) = walk_expr(&mut names, &parsed);
        names
    }

    /// Those of this expression as well.
    pub fn add(&mut self, expression: &str) {
        let Self {
            metrics,
            labels,
            values,
        } = Self::of(expression);
        self.metrics.extend(metrics);
        self.labels.extend(labels);
        self.values.extend(values);
    }

    fn selector(&mut self, selector: &VectorSelector) {
        self.metrics.extend(selector.name.clone());
        for Matcher { op, name, value } in &selector.matchers.matchers {
            self.labels.insert(name.clone());
            let is_pattern = matches!(op, MatchOp::Re(_) | MatchOp::NotRe(_));
            let values: Vec<&str> = if is_pattern {
                value.split('|').collect()
            } else {
                vec![value]
            };
            let values = values.into_iter();
            self.values
                .extend(values.map(|value| (name.clone(), value.to_owned())));
        }
    }
}

impl ExprVisitor for Names {
    type Error = Infallible;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Infallible> {
        let mut labels = Vec::new();
        match expression {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs),
            Expr::Aggregate(aggregate) => {
                labels.extend(aggregate.modifier.as_ref().map(LabelModifier::labels));
            }
            Expr::Binary(binary) => {
                let modifier = binary.modifier.as_ref();
                labels.extend(
                    modifier
                        .and_then(|it| it.matching.as_ref())
                        .map(LabelModifier::labels),
                );
                labels.extend(modifier.and_then(|it| it.card.labels()));
            }
            _ => {}
        }
        let labels = labels.into_iter().flat_map(|labels| &labels.labels);
        self.labels.extend(labels.cloned());
        Ok(true)
    }
}
