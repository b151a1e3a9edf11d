//! The rules, the dashboard and their description name the same things.

use std::collections::BTreeSet;

use observability::{
    ALERTS, ALERTS_TEST, Catalogue, DASHBOARD, Dashboard, Names, Promtool, README, Rules, reasons,
};

/// Everything that the rules and the dashboard name.
fn named() -> Names {
    let mut named = Rules::parse(ALERTS).names();
    let of_dashboard = Dashboard::parse(DASHBOARD).names();
    named.metrics.extend(of_dashboard.metrics);
    named.labels.extend(of_dashboard.labels);
    named.values.extend(of_dashboard.values);
    named
}

/// What is named and not described.
fn undescribed(named: &Names, catalogue: &Catalogue) -> Vec<String> {
    let metrics = named.metrics.iter().filter(|metric| {
        let metric = catalogue.metric_of(metric);
        !catalogue.metrics.contains_key(metric)
    });
    let labels = named.labels.iter();
    let labels = labels.filter(|label| !catalogue.labels.contains_key(*label));
    let values = named.values.iter().filter(|(label, value)| {
        let values = catalogue.labels.get(label);
        values.is_some_and(|values| !values.admit(value))
    });
    let values = values.map(|(label, value)| format!("{label}={value}"));
    metrics.chain(labels).cloned().chain(values).collect()
}

#[test]
fn what_is_asked_for_is_described() {
    let catalogue = Catalogue::parse(README);
    assert_eq!(undescribed(&named(), &catalogue), [""; 0]);
}

#[test]
fn what_is_described_is_asked_for() {
    let catalogue = Catalogue::parse(README);
    let named = named();
    let metrics: BTreeSet<&str> = named
        .metrics
        .iter()
        .map(|metric| catalogue.metric_of(metric))
        .collect();
    let described: BTreeSet<&str> = catalogue.metrics.keys().map(String::as_str).collect();
    assert_eq!(metrics, described);
    let described: BTreeSet<String> = catalogue.labels.keys().cloned().collect();
    assert_eq!(named.labels, described);
    // And each metric's labels are described ones.
    for (name, metric) in &catalogue.metrics {
        let unknown: Vec<_> = metric.labels.difference(&described).collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
}

#[test]
fn an_invented_name_is_found() {
    let catalogue = Catalogue::parse(README);
    for (expression, found) in [
        ("sum(if_match_request_total)", "if_match_request_total"),
        (
            "rate(if_match_requests_total_bucket[5m])",
            "if_match_requests_total_bucket",
        ),
        ("if_match_requests_total{path=\"/\"}", "path"),
        ("sum by (status) (if_match_requests_total)", "status"),
        ("up * on (zone) up", "zone"),
        ("up * on (job) group_left (zone) up", "zone"),
        (
            "if_match_requests_total{reason=~\"busy|bussy\"}",
            "reason=bussy",
        ),
        (
            "rate(if_match_requests_total{outcome!=\"ok\"}[5m])",
            "outcome=ok",
        ),
    ] {
        let undescribed = undescribed(&Names::of(expression), &catalogue);
        assert_eq!(undescribed, [found], "{expression}");
    }
}

#[test]
fn every_reason_is_one_of_the_layers() {
    let of_the_layer: BTreeSet<&str> = reasons().into_iter().collect();
    assert!(
        of_the_layer.contains("lost_race") && of_the_layer.len() >= 17,
        "{of_the_layer:?}"
    );
    for (label, value) in &named().values {
        let is_one = label != "reason" || of_the_layer.contains(value.as_str());
        assert!(is_one, "{value}");
    }
    // The README has them all, and what stands in the place of a reason where there is none.
    let catalogue = Catalogue::parse(README);
    let described = catalogue.labels["reason"].listed.iter();
    let described: BTreeSet<&str> = described.map(String::as_str).collect();
    let all: BTreeSet<&str> = of_the_layer.into_iter().chain(["none"]).collect();
    assert_eq!(described, all);
}

#[test]
fn every_alert_is_described_tested_and_complete() {
    let rules = Rules::parse(ALERTS);
    let headings = README.lines().filter_map(|line| line.strip_prefix("### "));
    let headings: BTreeSet<&str> = headings.collect();
    let alerts: BTreeSet<&str> = rules.alerts().map(|(name, _)| name).collect();
    assert_eq!(alerts, headings);
    for (name, rule) in rules.alerts() {
        let severity = rule.labels["severity"].as_str();
        assert!(
            ["critical", "warning", "info"].contains(&severity),
            "{name}: {severity}"
        );
        let texts: Vec<&str> = rule.annotations.keys().map(String::as_str).collect();
        assert_eq!(texts, ["description", "runbook", "summary"], "{name}");
        let runbook = format!("docs/observability/README.md#{}", name.to_ascii_lowercase());
        assert_eq!(rule.annotations["runbook"], runbook, "{name}");
        // At least one case in which it fires, and one in which it does not.
        let (fires, silent) = cases(name);
        assert!(fires > 0 && silent > 0, "{name}: {fires}, {silent}");
    }
}

/// How many cases of the unit tests expect this alert, and how many expect it not to fire.
fn cases(alert: &str) -> (usize, usize) {
    let name = format!("alertname: {alert}\n");
    let expectations = ALERTS_TEST.split(&name).skip(1).map(str::trim_start);
    let (silent, fires): (Vec<&str>, Vec<&str>) =
        expectations.partition(|it| it.starts_with("exp_alerts: []"));
    (fires.len(), silent.len())
}

#[test]
fn nothing_recorded_is_left_unused() {
    let rules = Rules::parse(ALERTS);
    let mut used = Names::default();
    rules.all().for_each(|rule| used.add(&rule.expr));
    for recorded in rules.recorded() {
        assert!(used.metrics.contains(recorded), "{recorded}");
    }
}

#[test]
fn the_dashboard_can_be_imported() {
    let dashboard = Dashboard::parse(DASHBOARD);
    assert_eq!(dashboard.variables("datasource"), ["datasource"]);
    assert_eq!(dashboard.variables("query"), ["job", "scope"]);
    for panel in &dashboard.panels {
        let title = &panel.title;
        assert!(!panel.description.is_empty(), "{title}");
        let sources = panel.targets.iter().map(|target| &target.datasource);
        for source in sources.chain([&panel.datasource]) {
            // An id of one Grafana is no use in another.
            assert_eq!(source.uid, "${datasource}", "{title}");
            assert_eq!(source.kind, "prometheus", "{title}");
        }
        let queries: BTreeSet<&str> = panel.targets.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(queries.len(), panel.targets.len(), "{title}");
        assert!(!queries.is_empty(), "{title}");
        let place = panel.place;
        assert!(place.w > 0 && place.x + place.w <= 24, "{title}: {place:?}");
        for other in dashboard.panels.iter().filter(|it| it.id != panel.id) {
            let it = other.place;
            let beside = it.x + it.w <= place.x || place.x + place.w <= it.x;
            let above = it.y + it.h <= place.y || place.y + place.h <= it.y;
            assert!(beside || above, "{title} covers {}", other.title);
        }
    }
    let ids: BTreeSet<u32> = dashboard.panels.iter().map(|panel| panel.id).collect();
    assert_eq!(ids.len(), dashboard.panels.len());
}

/// The query in the README is one, too.
#[test]
fn the_readmes_own_query_is_well_formed() {
    let query = "sum by (client) (max_over_time(instance:if_match_unconditional_writes:increase1h{mode=\"report\"}[7d])) > 0";
    assert!(README.contains(query));
    let recorded = Rules::parse(ALERTS);
    for metric in Names::of(query).metrics {
        assert!(recorded.recorded().contains(metric.as_str()), "{metric}");
    }
    if let Some(promtool) = Promtool::installed() {
        assert!(promtool.check_expression(query).accepted);
    }
}
