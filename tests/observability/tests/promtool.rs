//! The rules and the dashboard before Prometheus' own checker.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};

use observability::{ALERTS, ALERTS_TEST, DASHBOARD, Dashboard, Promtool};

#[test]
fn the_rules_are_well_formed() {
    let Some(promtool) = Promtool::installed() else {
        return;
    };
    let verdict = promtool.check_rules(ALERTS);
    assert!(verdict.accepted, "{}", verdict.text);
}

#[test]
fn a_broken_expression_is_found() {
    let Some(promtool) = Promtool::installed() else {
        return;
    };
    let verdict = promtool.check_rules(&changed(ALERTS, "sum by (job, scope, le) (", "sum by ("));
    assert!(!verdict.accepted, "{}", verdict.text);
}

#[test]
fn the_alerts_do_what_their_tests_expect() {
    let Some(promtool) = Promtool::installed() else {
        return;
    };
    let verdict = promtool.test_rules(ALERTS, ALERTS_TEST);
    assert!(verdict.accepted, "{}", verdict.text);
}

#[test]
fn a_wrong_expectation_is_found() {
    let Some(promtool) = Promtool::installed() else {
        return;
    };
    for (right, wrong) in [
        ("severity: info", "severity: warning"),
        ("waits 3s or", "waits 4s or"),
        ("client: importer", "client: editor"),
        (
            "- eval_time: 2h59m\n        alertname: IfMatchUnguardedWrite",
            "- eval_time: 3h2m\n        alertname: IfMatchUnguardedWrite",
        ),
    ] {
        let verdict = promtool.test_rules(ALERTS, &changed(ALERTS_TEST, right, wrong));
        assert!(!verdict.accepted, "{wrong}: {}", verdict.text);
    }
}

/// Every part of a rule that looks as if it could go: without it a test fails.
#[test]
fn the_tests_of_the_alerts_miss_no_part_of_them() {
    let Some(promtool) = Promtool::installed() else {
        return;
    };
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(weakening) = WEAKENED.get(next.fetch_add(1, Ordering::Relaxed)) {
                    is_noticed(&promtool, *weakening);
                }
            });
        }
    });
}

/// Whose tests, which part of the rules, and what it is replaced with.
type Weakening = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const WEAKENED: [Weakening; 26] = [
    // The three ways of counting, and what each must not count.
    (UNGUARDED, "- process_start_time_seconds < 3600\n          )", "- process_start_time_seconds < 0\n          )"),
    (UNGUARDED, "if_match_unguarded_writes_total offset 1h\n", "if_match_unguarded_writes_total\n"),
    (UNGUARDED, "increase(if_match_unguarded_writes_total[1h])", "increase(if_match_unguarded_writes_total[1h]) < 0"),
    (CONDITION, "if_match_unconditional_writes_total offset 1h\n", "if_match_unconditional_writes_total\n"),
    (CONDITION, "increase(if_match_unconditional_writes_total[1h])", "increase(if_match_unconditional_writes_total[1h]) < 0"),
    (CONDITION, "up offset 1h == 1", "up == 1"),
    (STORE, "if_match_requests_total offset 1h\n", "if_match_requests_total\n"),
    (STORE, "{reason=\"outcome_unknown\"}", "{}"),
    // A jump is one of 412, of writes, after a deploy, of some size, compared with before.
    (JUMP, "method!~\"GET|HEAD|QUERY\"", "method!=\"\""),
    (JUMP, "|modified_since\"}[10m]", "|modified_since|missing_condition|busy\"}[10m]"),
    (JUMP, "0 * job_scope_route:if_match_writes:rate1h", "0 * job_scope_route:if_match_writes:rate1h < 0"),
    (JUMP, "ratio_rate10m > 0.05", "ratio_rate10m > 0.03"),
    (JUMP, "> 3 * job_scope_route", "> 0 * job_scope_route"),
    (JUMP, "ratio_rate1h offset 1h", "ratio_rate1h"),
    (JUMP, "rate10m > 0.05\n          and on", "rate10m > 0\n          and on"),
    (JUMP, "(process_start_time_seconds) < 3600", "(process_start_time_seconds) < 1e9"),
    (JUMP, "for: 5m", "for: 0m"),
    // Whom, and in which mode.
    (CONDITION, "mode=\"enforce\", client", "client"),
    (CONDITION, ", client!~\"unknown|other\"", ""),
    (CONDITION, "{mode=\"report\"}", ""),
    (UNGUARDED, "{mode=\"enforce\"}", ""),
    (UNGUARDED, "{mode=\"report\"}", ""),
    // How much, and for how long.
    (STORE, "for: 10m", "for: 1m"),
    (STORE, "> 0.01", "> 0.001"),
    (LOCK, " > 1\n", " > 4\n"),
    (LOCK, "histogram_quantile(0.95", "histogram_quantile(0.99"),
];

const JUMP: &str = "IfMatchPreconditionFailedJump";
const CONDITION: &str = "IfMatchConditionMissing, IfMatchBlindWriters";
const UNGUARDED: &str = "IfMatchUnguardedWrite, IfMatchUnguardedWriteReported";
const STORE: &str = "IfMatchStoreUnavailable, IfMatchStoreBusy, IfMatchOutcomeUnknown";
const LOCK: &str = "IfMatchLockWaitLong";

fn is_noticed(promtool: &Promtool, (alerts, part, weaker): Weakening) {
    let weakened = changed(ALERTS, part, weaker);
    let verdict = promtool.check_rules(&weakened);
    // Else it would be the syntax that is noticed.
    assert!(verdict.accepted, "{weaker}: {}", verdict.text);
    let verdict = promtool.test_rules(&weakened, &tests_of(alerts));
    assert!(!verdict.accepted, "no test of {alerts} needs {part:?}");
    assert!(verdict.text.contains(" exp:["), "{}", verdict.text);
}

/// The unit tests of these alerts alone: all of them take seconds.
fn tests_of(alerts: &str) -> String {
    const SECTION: &str = "\n  # --- ";
    let (head, _) = ALERTS_TEST.split_once(SECTION).unwrap();
    let mut sections = ALERTS_TEST.split(SECTION).skip(1);
    let section = sections.find_map(|it| it.strip_prefix(alerts)?.strip_prefix('\n'));
    format!("{head}\n{}", section.unwrap())
}

#[test]
fn every_query_of_the_dashboard_is_well_formed() {
    let Some(promtool) = Promtool::installed() else {
        return;
    };
    let expressions = Dashboard::parse(DASHBOARD).expressions();
    for expression in &expressions {
        let verdict = promtool.check_expression(expression);
        assert!(verdict.accepted, "{expression}: {}", verdict.text);
        let broken = format!("{expression} by");
        assert!(!promtool.check_expression(&broken).accepted, "{broken}");
    }
    assert!(expressions.len() > 10, "{expressions:?}");
}

/// With every occurrence of a text replaced.
fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is there");
    text.replace(from, to)
}
