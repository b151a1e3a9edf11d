//! Hand-written histories: clean ones pass, and each rule finds the history that breaks it.

use std::collections::BTreeSet;

use crate::{
    Content, History, Kind, Marker, Moment, Operation, Outcome, Read, Report, Span, State,
    ViolationKind as V,
};

const KEY: u64 = 7;

/// A history written down in the order in which it happened.
#[derive(Default)]
struct Script {
    history: History,
    clock: u64,
}

/// The content after a put or create with this marker.
fn by(marker: u64) -> Content {
    Content::replaced(Marker(marker))
}

/// The content after a put or create with `title` and then a patch with `content`.
fn patched(title: u64, content: u64) -> Content {
    by(title).patched(Marker(content))
}

fn present(tag: &str, content: Content) -> State {
    State::Present {
        tag: tag.to_owned(),
        content,
    }
}

impl Script {
    /// A post that is there from the start as `"1"`, with the marker 1.
    fn new() -> Self {
        let mut script = Self::default();
        script.history.initial.insert(KEY, present("1", by(1)));
        script
    }

    fn span(&mut self) -> Span {
        self.clock += 2;
        Span {
            began: Moment(self.clock - 1),
            ended: Moment(self.clock),
        }
    }

    fn write(mut self, kind: Kind, sent: Option<&str>, marker: u64, outcome: Outcome) -> Self {
        let mut span = self.span();
        if outcome == Outcome::Unknown {
            span.ended = Moment::NEVER;
        }
        let (sent, marker) = (sent.map(str::to_owned), Marker(marker));
        self.history.operations.push(Operation {
            key: KEY,
            kind,
            sent,
            marker,
            outcome,
            span,
        });
        self
    }

    fn acknowledged(self, kind: Kind, sent: Option<&str>, marker: u64, tag: Option<&str>) -> Self {
        let tag = tag.map(str::to_owned);
        self.write(
            kind,
            sent,
            marker,
            Outcome::Acknowledged {
                tag,
                created: kind == Kind::Create,
            },
        )
    }

    fn put(self, sent: &str, tag: &str, marker: u64) -> Self {
        self.acknowledged(Kind::Put, Some(sent), marker, Some(tag))
    }

    fn patch(self, sent: &str, tag: &str, marker: u64) -> Self {
        self.acknowledged(Kind::Patch, Some(sent), marker, Some(tag))
    }

    fn delete(self, sent: &str, marker: u64) -> Self {
        self.acknowledged(Kind::Delete, Some(sent), marker, None)
    }

    fn create(self, tag: &str, marker: u64) -> Self {
        self.acknowledged(Kind::Create, None, marker, Some(tag))
    }

    fn unknown(self, kind: Kind, sent: Option<&str>, marker: u64) -> Self {
        self.write(kind, sent, marker, Outcome::Unknown)
    }

    fn refused(self, sent: &str, marker: u64, status: u16, reason: &str) -> Self {
        let reason = reason.to_owned();
        self.write(
            Kind::Put,
            Some(sent),
            marker,
            Outcome::Refused { status, reason },
        )
    }

    fn sees(mut self, state: State) -> Self {
        let span = self.span();
        self.history.reads.push(Read {
            key: KEY,
            state,
            span,
        });
        self
    }

    fn read(self, tag: &str, content: Content) -> Self {
        self.sees(present(tag, content))
    }

    fn ends(mut self, tag: &str, content: Content) -> Report {
        self.history.finals.insert(KEY, present(tag, content));
        self.history.check()
    }

    fn ends_absent(mut self) -> Report {
        self.history.finals.insert(KEY, State::Absent);
        self.history.check()
    }
}

#[track_caller]
fn clean(report: &Report) {
    assert!(report.is_clean(), "{report}");
}

/// The report has violations of just these kinds.
#[track_caller]
fn broken(report: &Report, kinds: &[V]) {
    let found: BTreeSet<V> = report
        .violations
        .iter()
        .map(|violation| violation.kind)
        .collect();
    assert_eq!(found, kinds.iter().copied().collect(), "{report}");
}

#[test]
fn nothing_happened() {
    clean(&Script::new().ends("1", by(1)));
    clean(&Script::default().ends_absent());
}

#[test]
fn several_lives_with_refusals_and_reads() {
    let report = Script::new()
        .put("1", "2", 2)
        .refused("1", 3, 412, "stale_version")
        .patch("2", "3", 4)
        .read("3", patched(2, 4))
        .delete("3", 5)
        .refused("3", 6, 412, "absent")
        .sees(State::Absent)
        .create("4", 7)
        .put("4", "5", 8)
        .ends("5", by(8));
    clean(&report);
    let counts = &report.counts;
    assert_eq!(
        (counts.acknowledged, counts.created, counts.deleted),
        (5, 1, 1)
    );
    assert_eq!(counts.refused[&(412, "stale_version".to_owned())], 1);
    assert_eq!(
        (counts.unknown, counts.lost, counts.forked, counts.reads),
        (0, 0, 0, 2)
    );
}

#[test]
fn unknown_writes_may_take_effect_or_not() {
    // Neither did.
    let script = || {
        Script::new()
            .unknown(Kind::Put, Some("1"), 2)
            .unknown(Kind::Delete, Some("1"), 3)
    };
    let report = script().ends("1", by(1));
    clean(&report);
    assert_eq!((report.counts.unknown, report.counts.took_effect), (2, 0));
    // The put did, told by its content.
    let report = script().put("2", "3", 4).read("2", by(2)).ends("3", by(4));
    broken(&report, &[V::StaleRead]);
    let report = script().read("2", by(2)).put("2", "3", 4).ends("3", by(4));
    clean(&report);
    assert_eq!(report.counts.took_effect, 1);
    // The put did, told by nothing but that somebody knew its tag.
    let report = script().put("2", "3", 4).ends("3", by(4));
    clean(&report);
    assert_eq!(report.counts.took_effect, 1);
    // The delete did.
    clean(&script().ends_absent());
    clean(&script().create("2", 4).ends("2", by(4)));
    // A create did.
    clean(
        &Script::default()
            .unknown(Kind::Create, None, 2)
            .put("1", "2", 3)
            .ends("2", by(3)),
    );
    clean(
        &Script::default()
            .unknown(Kind::Create, None, 2)
            .ends("1", by(2)),
    );
}

#[test]
fn the_first_of_two_unknown_deletes_may_have_taken_effect() {
    let mut script = Script::new()
        .unknown(Kind::Delete, Some("1"), 2)
        .sees(State::Absent)
        .create("2", 3)
        .unknown(Kind::Delete, Some("1"), 4);
    // As recorded by two tasks.
    script.history.operations.reverse();
    clean(&script.ends("2", by(3)));
    // The second one cannot explain it alone.
    let report = Script::new()
        .sees(State::Absent)
        .create("2", 3)
        .unknown(Kind::Delete, Some("1"), 4)
        .ends("2", by(3));
    broken(&report, &[V::AbsentWhileLive, V::CreatedOverLive]);
}

#[test]
fn a_chain_of_unknown_writes_is_filled() {
    let report = Script::new()
        .unknown(Kind::Put, Some("1"), 2)
        .unknown(Kind::Patch, Some("2"), 3)
        .put("3", "4", 4)
        .ends("4", by(4));
    clean(&report);
    assert_eq!(report.counts.took_effect, 2);
}

#[test]
fn rule_1_a_fork() {
    let report = Script::new()
        .put("1", "2", 2)
        .put("1", "3", 3)
        .ends("3", by(3));
    broken(&report, &[V::Fork, V::Lost]);
    assert_eq!((report.counts.forked, report.counts.lost), (1, 1));
    let report = Script::new()
        .delete("1", 2)
        .put("1", "2", 3)
        .ends("2", by(3));
    broken(&report, &[V::Fork]);
    // A write without an answer that was seen to have taken effect.
    let report = Script::new()
        .unknown(Kind::Put, Some("1"), 2)
        .read("2", by(2))
        .put("1", "3", 3)
        .ends("3", by(3));
    broken(&report, &[V::Fork, V::Lost]);
    assert_eq!(
        report.counts.lost, 0,
        "an unknown write was never acknowledged"
    );
}

#[test]
fn rule_2_a_tag_made_twice() {
    let report = Script::new()
        .put("1", "2", 2)
        .put("2", "2", 3)
        .ends("2", by(3));
    assert!(report.has(V::DuplicateTag), "{report}");
    // In another incarnation.
    let report = Script::new().delete("1", 2).create("1", 3).ends("1", by(3));
    assert!(report.has(V::DuplicateTag), "{report}");
}

#[test]
fn rule_2_a_tag_of_another_post() {
    let mut script = Script::new().put("1", "2", 2);
    let mut other = script.history.operations[0].clone();
    script.history.initial.insert(8, present("1b", by(9)));
    (other.key, other.sent, other.marker) = (8, Some("1b".to_owned()), Marker(3));
    script.history.operations.push(other);
    script.history.finals.insert(8, present("2", by(3)));
    broken(&script.ends("2", by(2)), &[V::ForeignTag]);
}

#[test]
fn rule_3_an_acknowledged_write_is_missing() {
    let report = Script::new().put("1", "2", 2).ends("1", by(1));
    broken(&report, &[V::Lost, V::FinalReplaced]);
    assert_eq!(report.counts.lost, 1);
    let report = Script::new()
        .put("1", "2", 2)
        .put("2", "3", 3)
        .ends_absent();
    broken(&report, &[V::Lost]);
    assert_eq!(report.counts.lost, 2);
    // An acknowledged delete.
    broken(
        &Script::new().delete("1", 2).ends("1", by(1)),
        &[V::FinalReplaced],
    );
    // An acknowledged create.
    broken(&Script::default().create("1", 2).ends_absent(), &[V::Lost]);
}

#[test]
fn rule_3_nothing_but_an_unknown_write_fills_a_gap() {
    let report = Script::new().put("2", "3", 2).ends("3", by(2));
    broken(&report, &[V::Unexplained, V::Lost]);
    // A refused one does not.
    let report = Script::new()
        .refused("1", 3, 412, "stale_version")
        .put("2", "3", 2)
        .ends("3", by(2));
    broken(&report, &[V::Unexplained, V::Lost]);
    // A delete makes no version.
    let report = Script::new()
        .unknown(Kind::Delete, Some("1"), 3)
        .put("2", "3", 2)
        .ends("3", by(2));
    broken(&report, &[V::Unexplained]);
    // One whose own version has a successor already neither.
    let report = Script::new()
        .unknown(Kind::Put, Some("1"), 3)
        .put("1", "1b", 4)
        .put("2", "3", 2)
        .ends("3", by(2));
    broken(&report, &[V::Unexplained, V::Lost]);
}

#[test]
fn rule_3_an_unknown_write_fills_one_gap() {
    let report = Script::new()
        .unknown(Kind::Put, Some("1"), 2)
        .put("2", "3", 3)
        .ends("3", by(3));
    clean(&report);
    let report = Script::new()
        .unknown(Kind::Put, Some("1"), 2)
        .put("2", "3", 3)
        .put("4", "5", 4)
        .ends("5", by(4));
    broken(&report, &[V::Unexplained, V::Lost]);
    // Seen twice, under two tags.
    let report = Script::new()
        .unknown(Kind::Put, Some("1"), 2)
        .read("2", by(2))
        .read("3", by(2))
        .ends("3", by(2));
    broken(&report, &[V::TookEffectTwice, V::Lost]);
}

#[test]
fn rule_3_a_version_that_no_write_made() {
    broken(&Script::new().ends("2", by(99)), &[V::Unexplained, V::Lost]);
    broken(
        &Script::new().read("2", by(1)).ends("1", by(1)),
        &[V::Unexplained],
    );
}

#[test]
fn rule_3_a_circle_hangs_on_nothing() {
    let report = Script::new()
        .put("3", "2", 2)
        .put("2", "3", 3)
        .ends("1", by(1));
    broken(&report, &[V::Detached, V::Lost]);
}

#[test]
fn rule_3_a_version_before_its_write() {
    let script = || Script::new().read("2", by(2)).put("1", "2", 2);
    broken(&script().ends("2", by(2)), &[V::Unexplained]);
    let mut script = script();
    script.history.operations[0].span.began = Moment::START;
    clean(&script.ends("2", by(2)));
}

#[test]
fn rule_4_a_refused_write_was_seen() {
    let script = || Script::new().refused("1", 2, 412, "stale_version");
    broken(&script().ends("1", by(2)), &[V::RefusedSeen]);
    broken(
        &script().read("1", patched(1, 2)).ends("1", by(1)),
        &[V::RefusedSeen],
    );
    broken(
        &script().read("2", by(2)).ends("1", by(1)),
        &[V::RefusedSeen],
    );
    let report = Script::new()
        .refused("1", 2, 503, "busy")
        .ends("1", patched(1, 2));
    broken(&report, &[V::RefusedSeen]);
    // By its own words it may have happened.
    clean(
        &Script::new()
            .refused("1", 2, 503, "outcome_unknown")
            .ends("2", by(2)),
    );
    clean(
        &Script::new()
            .refused("1", 2, 503, "outcome_unknown")
            .ends("1", by(1)),
    );
}

#[test]
fn rule_5_content_of_another_version() {
    let script = || Script::new().put("1", "2", 2).patch("2", "3", 3);
    clean(&script().ends("3", patched(2, 3)));
    // The tag is newer than the content, and the other way round.
    broken(&script().ends("3", by(2)), &[V::WrongContent]);
    broken(
        &script().read("3", by(2)).ends("3", patched(2, 3)),
        &[V::WrongContent],
    );
    // A patch applied to an older version than the one it names.
    broken(&script().ends("3", patched(1, 3)), &[V::WrongContent]);
    // Torn.
    let torn = Content {
        title: Some(Marker(2)),
        content: None,
    };
    broken(&script().ends("3", torn), &[V::WrongContent]);
    // The first version.
    broken(&Script::new().ends("1", by(99)), &[V::WrongContent]);
}

#[test]
fn rule_6_a_create_over_a_living_post() {
    let report = Script::new().create("2", 2).ends("2", by(2));
    broken(&report, &[V::CreatedOverLive, V::Lost]);
    // It was deleted afterwards, so nothing is missing at the end.
    let report = Script::new().create("2", 2).delete("1", 3).ends("2", by(2));
    broken(&report, &[V::CreatedOverLive]);
    let report = Script::default()
        .create("1", 1)
        .create("2", 2)
        .delete("1", 3)
        .delete("2", 4)
        .ends_absent();
    broken(&report, &[V::CreatedOverLive]);
    // The first incarnation has neither begun nor ended with an answer, but it was seen.
    let report = Script::default()
        .unknown(Kind::Create, None, 1)
        .read("1", by(1))
        .create("2", 2)
        .unknown(Kind::Delete, Some("1"), 3)
        .ends("2", by(2));
    broken(&report, &[V::CreatedOverLive]);
    // A delete that was on its way when the create was answered may have come first.
    let mut script = Script::new().create("2", 2).delete("1", 3);
    script.history.operations[1].span.began = Moment::START;
    clean(&script.ends("2", by(2)));
}

#[test]
fn rule_7_reads_of_the_past() {
    let report = Script::new()
        .put("1", "2", 2)
        .read("1", by(1))
        .ends("2", by(2));
    broken(&report, &[V::StaleRead]);
    // Replaced by a write without an answer, but what followed was acknowledged.
    let report = Script::new()
        .unknown(Kind::Put, Some("1"), 2)
        .put("2", "3", 3)
        .read("1", by(1))
        .ends("3", by(3));
    broken(&report, &[V::StaleRead]);
    let report = Script::new()
        .unknown(Kind::Put, Some("1"), 2)
        .read("2", by(2))
        .read("1", by(1))
        .ends("2", by(2));
    broken(&report, &[V::StaleRead]);
    let report = Script::new().delete("1", 2).read("1", by(1)).ends_absent();
    broken(&report, &[V::StaleRead]);
    // It began before the write was answered.
    let mut script = Script::new().put("1", "2", 2).read("1", by(1));
    script.history.reads[0].span.began = Moment(1);
    clean(&script.ends("2", by(2)));
}

#[test]
fn rule_7_reads_of_an_earlier_incarnation() {
    // No answer to the delete, but somebody saw no post.
    let script = || {
        Script::new()
            .unknown(Kind::Delete, Some("1"), 2)
            .sees(State::Absent)
            .read("1", by(1))
    };
    broken(&script().ends_absent(), &[V::StaleRead]);
    // The two reads overlap.
    let mut overlapping = script();
    overlapping.history.reads[1].span.began = overlapping.history.reads[0].span.ended;
    clean(&overlapping.ends_absent());
    // The answer came only after both.
    let mut answered = script();
    let delete = &mut answered.history.operations[0];
    delete.outcome = Outcome::Acknowledged {
        tag: None,
        created: false,
    };
    delete.span.ended = Moment(100);
    broken(&answered.ends_absent(), &[V::StaleRead]);
    // The absence that was seen may be the one before the incarnation.
    let mut before = Script::default()
        .sees(State::Absent)
        .create("1", 1)
        .unknown(Kind::Delete, Some("1"), 2)
        .read("1", by(1));
    before.history.reads[0].span.ended = Moment(6);
    clean(&before.ends_absent());

    // No answer to the delete, but the next incarnation has begun.
    let script = || {
        Script::new()
            .unknown(Kind::Delete, Some("1"), 2)
            .create("2", 3)
            .read("1", by(1))
    };
    broken(&script().ends("2", by(3)), &[V::StaleRead]);
    let mut overlapping = script();
    overlapping.history.reads[0].span.began = Moment(4);
    clean(&overlapping.ends("2", by(3)));
}

#[test]
fn rule_7_absent_during_a_incarnation() {
    let report = Script::new().sees(State::Absent).ends("1", by(1));
    broken(&report, &[V::AbsentWhileLive]);
    let report = Script::new()
        .sees(State::Absent)
        .delete("1", 2)
        .ends_absent();
    broken(&report, &[V::AbsentWhileLive]);
    let report = Script::default()
        .create("1", 1)
        .put("1", "2", 2)
        .sees(State::Absent)
        .ends("2", by(2));
    broken(&report, &[V::AbsentWhileLive]);
    // The delete may have come first.
    clean(
        &Script::new()
            .unknown(Kind::Delete, Some("1"), 2)
            .sees(State::Absent)
            .ends_absent(),
    );
    clean(
        &Script::default()
            .sees(State::Absent)
            .create("1", 1)
            .ends("1", by(1)),
    );
}

#[test]
fn rule_8_answers_that_the_contract_does_not_have() {
    for status in [200, 400, 409, 428, 500, 502] {
        let report = Script::new().refused("1", 2, status, "").ends("1", by(1));
        broken(&report, &[V::UnexpectedAnswer]);
    }
    for status in [404, 412, 503] {
        clean(&Script::new().refused("1", 2, status, "").ends("1", by(1)));
    }
    let mut script = Script::new();
    script
        .history
        .unexpected
        .push((KEY, "GET was answered 500".to_owned()));
    broken(&script.ends("1", by(1)), &[V::UnexpectedAnswer]);

    let report = Script::new()
        .acknowledged(Kind::Put, Some("1"), 2, None)
        .ends("2", by(2));
    broken(&report, &[V::MissingTag]);

    let created = |created| Outcome::Acknowledged {
        tag: Some("2".to_owned()),
        created,
    };
    let report = Script::new()
        .write(Kind::Put, Some("1"), 2, created(true))
        .ends("2", by(2));
    broken(&report, &[V::WrongStatus]);
    let report = Script::default()
        .write(Kind::Create, None, 2, created(false))
        .ends("2", by(2));
    broken(&report, &[V::WrongStatus]);
}

#[test]
fn without_a_final_state_nothing_is_proved() {
    broken(&Script::new().history.check(), &[V::NoFinalState]);
}

#[test]
fn a_later_stage_continues_the_history() {
    let mut first = Script::new().put("1", "2", 2);
    let mut second = Script {
        clock: first.clock,
        ..Script::default()
    };
    second.history.initial.insert(KEY, present("2", by(2)));
    let mut second = second.put("2", "3", 3);
    second.history.finals.insert(KEY, present("3", by(3)));
    first.history.extend(second.history);
    assert_eq!(first.history.initial[&KEY], present("1", by(1)));
    clean(&first.history.check());
}

#[test]
fn a_report_is_readable() {
    let report = Script::new()
        .put("1", "2", 2)
        .put("1", "3", 3)
        .ends("3", by(3))
        .to_string();
    assert!(
        report.contains("acknowledged 2 (created 0, deleted 0), lost 1, forked 1"),
        "{report}"
    );
    assert!(report.contains("violation: 1 x Fork"), "{report}");
    let fork = "post 7: Fork: 1 was replaced 2 times: \
        Put m0000000000000002 under 1 (acknowledged as 2); Put m0000000000000003 under 1 (acknowledged as 3)";
    assert!(report.contains(fork), "{report}");
}
