//! Tests of the checks of a revocation, each on a constructed trace.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::grace::{cut_within_grace_is_noticed, grace_is_given};
use super::notice::{event_before_tear_down, status_before_tear_down};
use super::silence::silence_is_marked;
use crate::check::CheckResult;
use crate::check::Verdict::{self, Broken, Kept, Unproven};
use crate::check::legacy::Arguments;
use covenant_model::clock::Clock;
use covenant_model::transcript::{Direction, Exchange, Failure, Operation, Recorder, Trace, What};

/// A trace that is built step by step.
struct TraceBuilder {
    recorder: Recorder,
    clock: Clock,
    steps: u32,
}

impl TraceBuilder {
    fn new() -> Self {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        Self { recorder: Recorder::in_memory("x", clock.clone()), clock, steps: 0 }
    }

    fn step(&mut self, label: &str, what: What) {
        self.steps += 1;
        self.recorder.record(Some(self.steps), Some(label), what);
    }

    fn call(&mut self, label: &str, status: u16, body: &Value) {
        let exchange = exchange(Direction::ToTarget, "heartbeat", &json!({}), status, body);
        self.step(label, What::Exchange(exchange));
    }

    /// Records a call of alice on another path.
    fn ask(&mut self, label: &str, path: &str, sent: &Value, (status, answer): (u16, &Value)) {
        let exchange = exchange(Direction::ToTarget, path, sent, status, answer);
        self.step(label, What::Exchange(exchange));
    }

    /// Records a call that the target makes by itself.
    fn hear(&self, path: &str, body: &Value) {
        let exchange = exchange(Direction::FromTarget, path, body, 200, &json!({}));
        self.recorder.record(None, None, What::Exchange(exchange));
    }

    fn operate(&mut self, label: &str, method: &str) {
        self.see(label, method, &json!({}));
    }

    fn see(&mut self, label: &str, method: &str, result: &Value) {
        let (parameters, result) = (json!({}), Some(result.clone()));
        let operation = Operation { method: method.to_owned(), parameters, result, failure: None };
        self.step(label, What::Operation(operation));
    }

    fn advance(&mut self, seconds: i64) {
        self.clock.advance_seconds(seconds);
        self.operate("", "clock.advance");
    }

    fn evaluated(
        &self,
        evaluate: fn(&Trace, Arguments<'_>) -> CheckResult,
        with: &[(&str, Value)],
    ) -> Verdict {
        let with = with.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        evaluate(&self.recorder.trace(), Arguments::new(&with)).verdict
    }
}

fn exchange(direction: Direction, path: &str, sent: &Value, status: u16, answer: &Value) -> Exchange {
    Exchange::made("alice", direction)
        .on("POST", path)
        .sending(sent.clone())
        .answered_with(status, answer.clone())
}

/// Returns the verdict on commits that get these statuses, each this many seconds after the revocation. The
/// notice comes with the revocation and names a moment this many seconds later.
fn grace_of(named: Option<i64>, in_time: &[(i64, u16)], late: &[(i64, u16)]) -> Verdict {
    let mut builder = TraceBuilder::new();
    builder.call("open", 202, &json!({}));
    if let Some(seconds) = named {
        let effective_at = builder.clock.now() + SignedDuration::from_secs(seconds);
        builder.hear(
            "heartbeat",
            &json!({"events": [
                {"kind": "platform.peer.revoked", "payload": {"effective_at": effective_at.to_string()}},
            ]}),
        );
    }
    builder.operate("revoke", "peer.revoke");
    let mut now = 0;
    for (label, commits) in [("call", in_time), ("late", late)] {
        for (seconds, status) in commits {
            builder.advance(seconds - now);
            now = *seconds;
            builder.call(label, *status, &json!({}));
        }
    }
    let with = ["open", "revoke", "call", "late"].map(|name| (name, json!(name)));
    builder.evaluated(grace_is_given, &with)
}

#[test]
fn a_grace_that_is_too_short_or_too_long_is_broken() {
    assert_eq!(grace_of(None, &[(299, 201)], &[(301, 401)]), Kept);
    assert_eq!(grace_of(None, &[(299, 401)], &[(301, 401)]), Broken);
    assert_eq!(grace_of(None, &[(299, 201)], &[(301, 201)]), Broken);
    assert_eq!(grace_of(None, &[(299, 500)], &[(301, 401)]), Unproven);
    assert_eq!(grace_of(None, &[(302, 401)], &[(310, 401)]), Unproven, "the clock ran on");
    assert_eq!(grace_of(None, &[(290, 201)], &[(299, 201)]), Unproven);
}

#[test]
fn every_commit_has_the_grace() {
    assert_eq!(grace_of(None, &[(1, 201), (299, 201)], &[(301, 401), (400, 401)]), Kept);
    assert_eq!(grace_of(None, &[(1, 201), (299, 401)], &[(301, 401)]), Broken);
    assert_eq!(grace_of(None, &[(299, 201)], &[(301, 401), (400, 201)]), Broken);
    // The clock runs on before the second one: it says nothing, and the first is enough.
    assert_eq!(grace_of(None, &[(299, 201), (300, 401)], &[(301, 401)]), Kept);
}

#[test]
fn a_limit_is_no_cut() {
    for status in [429, 408, 503] {
        assert_eq!(grace_of(None, &[(299, status)], &[(301, 401)]), Unproven, "{status}");
    }
    assert_eq!(grace_of(None, &[(60, 429), (299, 401)], &[(301, 401)]), Broken);
    assert_eq!(grace_of(None, &[(299, 201)], &[(301, 429)]), Unproven, "refused for another cause");
}

#[test]
fn a_clock_that_runs_on_shows_a_cut_and_no_whole_grace() {
    assert_eq!(grace_of(None, &[(60, 401), (303, 401)], &[(305, 401)]), Broken);
    assert_eq!(grace_of(None, &[(60, 201), (303, 401)], &[(305, 401)]), Unproven);
    assert_eq!(grace_of(None, &[(60, 201), (289, 201), (303, 401)], &[(305, 401)]), Kept);
}

/// Returns the verdict on a commit within the grace that gets this answer, and whose record is there or not.
fn committed((status, said): (u16, &str), is_there: bool) -> Verdict {
    let mut builder = TraceBuilder::new();
    let plan = json!({"root_resource_kind": "skill", "root_resource_id": "r1"});
    builder.ask("open", "migrations", &plan, (202, &json!({"data": {"migration_id": "m1"}})));
    builder.operate("revoke", "peer.revoke");
    builder.advance(299);
    let answer = json!({"data": {"migration_id": "m1", "status": said}});
    builder.ask("call", "migrations/m1/commit", &json!({}), (status, &answer));
    let listed = if is_there { json!([{"kind": "skill", "id": "r1", "record": {}}]) } else { json!([]) };
    builder.see("records", "resource.list", &json!({ "resources": listed }));
    builder.advance(2);
    builder.call("late", 401, &no());
    let with = ["open", "revoke", "call", "late", "records"].map(|name| (name, json!(name)));
    builder.evaluated(grace_is_given, &with)
}

#[test]
fn only_what_is_said_to_be_completed_can_be_in_vain() {
    assert_eq!(committed((201, "completed"), true), Kept);
    assert_eq!(committed((201, "completed"), false), Broken);
    for open in [(202, "applying"), (200, "applying"), (202, "completed")] {
        assert_eq!(committed(open, true), Kept, "{open:?}");
        assert_eq!(committed(open, false), Unproven, "{open:?}");
    }
}

#[test]
fn what_is_not_done_yet_was_not_taken_after_the_grace() {
    let late = |status: u16, said: &str| {
        let mut builder = TraceBuilder::new();
        builder.call("open", 202, &json!({}));
        builder.operate("revoke", "peer.revoke");
        builder.advance(299);
        builder.call("call", 201, &json!({}));
        builder.advance(2);
        builder.call("late", status, &json!({"data": {"status": said}}));
        let with = ["open", "revoke", "call", "late"].map(|name| (name, json!(name)));
        builder.evaluated(grace_is_given, &with)
    };
    assert_eq!(late(201, "completed"), Broken);
    assert_eq!(late(202, "applying"), Unproven);
    assert_eq!(late(200, "cancelled"), Unproven);
}

/// Returns the verdict on a leave of the peer that gets this status, and on its commits.
fn left(status: u16, in_time: u16, late: u16) -> Verdict {
    let mut builder = TraceBuilder::new();
    builder.call("open", 202, &json!({}));
    builder.advance(600);
    let notice = json!({"status": "revoked", "events": [
        {"kind": EVENT, "payload": {"effective_at": builder.clock.now().to_string()}},
    ]});
    builder.ask("revoke", "heartbeat", &notice, (status, &json!({})));
    builder.advance(299);
    builder.call("call", in_time, &json!({}));
    builder.advance(2);
    builder.call("late", late, &json!({}));
    let with = ["open", "revoke", "call", "late"].map(|name| (name, json!(name)));
    builder.evaluated(grace_is_given, &with)
}

#[test]
fn who_leaves_by_itself_has_the_grace_too() {
    assert_eq!(left(200, 201, 401), Kept);
    assert_eq!(left(200, 401, 401), Broken);
    assert_eq!(left(200, 201, 201), Broken);
    assert_eq!(left(503, 401, 401), Unproven, "its notice was not taken");
}

#[test]
fn the_grace_is_measured_from_the_moment_that_the_notice_names() {
    assert_eq!(grace_of(Some(0), &[(299, 201)], &[(301, 401)]), Kept);
    assert_eq!(grace_of(Some(60), &[(299, 201)], &[(301, 201)]), Unproven, "it ends at 360");
    assert_eq!(grace_of(Some(60), &[(359, 201)], &[(361, 401)]), Kept);
    assert_eq!(grace_of(Some(60), &[(359, 401)], &[(361, 401)]), Broken);
    assert_eq!(grace_of(Some(-60), &[(299, 201)], &[(301, 401)]), Kept);
    assert_eq!(grace_of(Some(-60), &[(299, 401)], &[(301, 401)]), Broken);
}

const EVENT: &str = "platform.peer.revoked";

fn no() -> Value {
    json!({"error": "Certificate is revoked"})
}

fn event() -> Value {
    json!({"status": "active", "events": [{"kind": EVENT}]})
}

fn status() -> Value {
    json!({"status": "revoked"})
}

/// Returns the verdicts on the event and on the status.
fn reported(tell: impl Fn(&mut TraceBuilder)) -> [Verdict; 2] {
    let mut builder = TraceBuilder::new();
    builder.hear("heartbeat", &json!({"status": "active"}));
    builder.call("before", 200, &json!({}));
    tell(&mut builder);
    let with = [("peer", json!("alice")), ("revoke", json!("revoke")), ("call", json!("call"))];
    [event_before_tear_down, status_before_tear_down].map(|evaluate| builder.evaluated(evaluate, &with))
}

/// Returns the verdicts on a target that sends this while it revokes, and then refuses.
fn said(path: &str, body: &Value) -> [Verdict; 2] {
    reported(|builder| {
        builder.hear(path, body);
        builder.operate("revoke", "peer.revoke");
        builder.call("call", 401, &no());
    })
}

#[test]
fn each_form_of_the_notice_is_owed() {
    assert_eq!(said("heartbeat", &json!({"status": "revoked", "events": [{"kind": EVENT}]})), [Kept, Kept]);
    assert_eq!(said("heartbeat", &event()), [Kept, Broken]);
    assert_eq!(said("heartbeat", &status()), [Broken, Kept]);
    assert_eq!(said("heartbeat", &json!({"status": "active"})), [Broken, Broken]);
    let other_news = json!({"events": [{"kind": "platform.grant.revoked"}]});
    assert_eq!(said("heartbeat", &other_news), [Broken, Broken]);
    assert_eq!(said("heartbeat", &json!(["status"])), [Broken, Broken]);
}

#[test]
fn a_notice_of_another_form_is_no_silence() {
    let other_kind = json!({"status": "active", "events": [{"kind": "federation.revocation"}]});
    assert_eq!(said("heartbeat", &other_kind), [Unproven, Unproven]);
    assert_eq!(said("heartbeat", &json!({"peer_status": "revoked"})), [Unproven, Unproven]);
    assert_eq!(said("heartbeat", &json!({"revoked_at": "2026-06-01T00:00:00Z"})), [Unproven, Unproven]);
    assert_eq!(said("heartbeat", &json!({"revoked_at": null})), [Broken, Broken]);
    assert_eq!(said("events", &json!({"kind": EVENT})), [Unproven, Unproven]);
    assert_eq!(said("farewell", &json!({})), [Unproven, Unproven]);
    assert_eq!(
        reported(|builder| {
            builder.operate("revoke", "peer.revoke");
            builder.call("call", 200, &json!({"data": {"status": "revoked"}}));
            builder.call("call", 401, &no());
        }),
        [Unproven, Unproven]
    );
    let gone = json!({"error": "gone", "events": [{"kind": EVENT}]});
    assert_eq!(
        reported(|builder| {
            builder.operate("revoke", "peer.revoke");
            builder.call("call", 410, &gone);
        }),
        [Unproven, Unproven]
    );
}

#[test]
fn the_two_forms_may_come_one_after_the_other_and_not_both_after_a_refusal() {
    let forms = |before: Option<Value>, after: &[Value]| {
        reported(|builder| {
            if let Some(before) = &before {
                builder.hear("heartbeat", before);
            }
            builder.operate("revoke", "peer.revoke");
            builder.call("call", 401, &no());
            for body in after {
                builder.hear("heartbeat", body);
            }
        })
    };
    assert_eq!(forms(Some(event()), &[status()]), [Kept, Unproven]);
    assert_eq!(forms(Some(status()), &[event()]), [Unproven, Kept]);
    assert_eq!(forms(None, &[event(), status()]), [Broken, Broken]);
}

#[test]
fn a_limit_is_no_tear_down() {
    for status_code in [429, 503] {
        let verdicts = reported(|builder| {
            builder.operate("revoke", "peer.revoke");
            builder.call("call", status_code, &json!({}));
            builder.hear("heartbeat", &event());
            builder.hear("heartbeat", &status());
            builder.call("call", 401, &no());
        });
        assert_eq!(verdicts, [Kept, Kept], "{status_code}");
    }
}

#[test]
fn a_peer_that_was_away_is_reported_when_it_is_back() {
    let back = |reported: Option<Value>| {
        let mut builder = TraceBuilder::new();
        builder.call("before", 200, &json!({}));
        builder.operate("revoke", "peer.revoke");
        builder.call("call", 401, &no());
        if let Some(reported) = reported {
            builder.hear("heartbeat", &reported);
        }
        let names = [("peer", "alice"), ("revoke", "revoke"), ("call", "call")];
        let mut with: Vec<_> = names.into_iter().map(|(name, value)| (name, json!(value))).collect();
        with.push(("away", json!(true)));
        builder.evaluated(event_before_tear_down, &with)
    };
    assert_eq!(back(Some(event())), Kept);
    assert_eq!(back(None), Broken);
    assert_eq!(back(Some(json!({"events": [{"kind": "peering.terminated"}]}))), Unproven);
}

#[test]
fn who_tears_down_first_is_seen_by_a_call_before_the_notice() {
    let verdicts = |calls: [u16; 2]| {
        reported(|builder| {
            // In the midst of the operation: the exchange belongs to no step.
            let interjected = exchange(Direction::ToTarget, "heartbeat", &json!({}), calls[0], &json!({}));
            builder.recorder.record(None, Some("call"), What::Exchange(interjected));
            builder.hear("heartbeat", &json!({"status": "revoked", "events": [{"kind": EVENT}]}));
            builder.operate("revoke", "peer.revoke");
            builder.call("call", calls[1], &no());
        })
    };
    assert_eq!(verdicts([401, 401]), [Broken, Broken]);
    assert_eq!(verdicts([200, 401]), [Kept, Kept]);
    assert_eq!(verdicts([429, 401]), [Kept, Kept]);
}

#[test]
fn who_revokes_in_its_own_time_serves_until_it_has_reported() {
    let verdicts = |first: u16| {
        reported(|builder| {
            builder.operate("revoke", "peer.revoke");
            builder.call("call", first, &json!({}));
            builder.hear("heartbeat", &event());
            builder.hear("heartbeat", &status());
            builder.call("call", 401, &no());
        })
    };
    assert_eq!(verdicts(200), [Kept, Kept]);
    assert_eq!(verdicts(401), [Broken, Broken]);
}

#[test]
fn a_call_without_an_answer_in_time_is_no_tear_down() {
    let verdicts = reported(|builder| {
        let mut lost = exchange(Direction::ToTarget, "heartbeat", &json!({}), 200, &json!({}));
        lost.response = None;
        lost.failure = Some(Failure { kind: "timeout".into(), message: String::new() });
        builder.operate("revoke", "peer.revoke");
        builder.step("call", What::Exchange(lost));
        builder.hear("heartbeat", &event());
        builder.hear("heartbeat", &status());
        builder.call("call", 401, &no());
    });
    assert_eq!(verdicts, [Kept, Kept]);
}

#[test]
fn who_was_not_let_in_before_has_to_be_reported_all_the_same() {
    let verdicts = |reported_later: bool| {
        reported(|builder| {
            builder.operate("", "peer.suspend");
            builder.call("suspended", 401, &no());
            builder.operate("revoke", "peer.revoke");
            builder.call("call", 401, &no());
            if reported_later {
                builder.hear("heartbeat", &json!({"status": "revoked", "events": [{"kind": EVENT}]}));
            }
        })
    };
    assert_eq!(verdicts(true), [Kept, Kept]);
    assert_eq!(verdicts(false), [Broken, Broken]);
}

fn findings(of: &[(&str, &str)]) -> Value {
    let findings = of.iter().map(|(peer, kind)| json!({"kind": kind, "federation_peer_id": peer}));
    json!({"findings": findings.collect::<Vec<_>>()})
}

/// Returns the verdict if alice refuses a commit this many seconds after her leave, and these findings are
/// raised.
fn cut(seconds: i64, found: &[(&str, &str)]) -> Verdict {
    let mut builder = TraceBuilder::new();
    for peer in ["alice", "carol", "dave"] {
        builder.see(peer, "peer.join", &json!({"peer_id": peer}));
    }
    builder.see("before", "governance.scan", &findings(&[]));
    builder.ask("left", "heartbeat", &status(), (200, &json!({})));
    builder.advance(seconds);
    let refused = exchange(Direction::FromTarget, "migrations/m1/commit", &json!({}), 401, &no());
    builder.recorder.record(None, None, What::Exchange(refused));
    builder.see("after", "governance.scan", &findings(found));
    let with = [
        ("peer", json!("alice")),
        ("revoke", json!("left")),
        ("before", json!("before")),
        ("after", json!("after")),
        ("few", json!("carol")),
        ("apart_from", json!("dave")),
    ];
    builder.evaluated(cut_within_grace_is_noticed, &with)
}

#[test]
fn who_cuts_within_the_grace_is_reported_and_who_keeps_it_is_not() {
    assert_eq!(cut(299, &[("alice", "cut")]), Kept);
    assert_eq!(cut(299, &[]), Broken);
    assert_eq!(cut(299, &[("alice", "cut"), ("carol", "cut")]), Broken);
    assert_eq!(cut(300, &[]), Unproven, "the clock ran on");
}

#[test]
fn what_is_raised_about_every_failed_migration_says_nothing_of_the_grace() {
    let failed = [("alice", "failed"), ("carol", "failed"), ("dave", "failed")];
    assert_eq!(cut(299, &failed), Unproven);
    let with_cut = [("alice", "failed"), ("carol", "failed"), ("dave", "failed"), ("alice", "cut")];
    assert_eq!(cut(299, &with_cut), Kept);
}

#[test]
fn silence_is_reported_or_shown() {
    let marked = |found: &[(&str, &str)], shown: &str| {
        let mut builder = TraceBuilder::new();
        for peer in ["alice", "bob"] {
            builder.see(peer, "peer.join", &json!({"peer_id": peer}));
        }
        builder.see("before", "governance.scan", &findings(&[]));
        builder.see("after", "governance.scan", &findings(found));
        builder.see("shown", "peer.show", &json!({"peer": {"status": shown}}));
        builder.see("default", "peer.show", &json!({"peer": {"status": "active"}}));
        let with = [("peer", json!("alice")), ("conforming", json!("bob"))]
            .into_iter()
            .chain(["before", "after", "shown", "default"].map(|name| (name, json!(name))));
        builder.evaluated(silence_is_marked, &with.collect::<Vec<_>>())
    };
    assert_eq!(marked(&[("alice", "stale")], "active"), Kept);
    assert_eq!(marked(&[], "degraded"), Kept);
    assert_eq!(marked(&[], "active"), Broken);
    assert_eq!(marked(&[("alice", "stale"), ("bob", "stale")], "active"), Broken);
}
