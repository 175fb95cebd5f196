//! Tests of the checks of commitment 10, on constructed traces.

use serde_json::json;

use super::retirement::{break_waits_for_its_notice, deprecation_announced};
use super::*;
use crate::check::Verdict::{self, Broken, Kept, Unproven};
use covenant_model::clock::Clock;
use covenant_model::transcript::{Body, Message, Operation, OperationFailure, Recorder, What};
use covenant_model::wire::notice::kind;

const DAY: i64 = 24 * 3600;

/// A trace with a clock that can be moved.
struct TraceBuilder(Recorder, Clock);

impl TraceBuilder {
    fn begin() -> Self {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        Self(Recorder::in_memory("x", clock.clone()), clock)
    }

    fn exchange(self, label: Option<&str>, direction: Direction, sent: &Value, answer: (u16, Value)) -> Self {
        let exchange =
            Exchange::made("alice", direction).sending(sent.clone()).answered_with(answer.0, answer.1);
        self.0.record(None, label, What::Exchange(exchange));
        self
    }

    fn call(self, label: &str, status: u16) -> Self {
        self.exchange(Some(label), Direction::ToTarget, &json!({}), (status, json!({"data": {}})))
    }

    fn runs(self, release: &str) -> Self {
        self.tell(&json!({ "platform_version": release }))
    }

    fn tell(self, body: &Value) -> Self {
        self.exchange(None, Direction::FromTarget, body, (200, json!({"data": {}})))
    }

    fn declare(self) -> Self {
        let parameters = json!({"breaks_at": "2026-07-01T00:00:01Z", "notice_url": "https://it.example/1"});
        let method = "release.deprecate".into();
        let operation = Operation { method, parameters, result: Some(json!({})), failure: None };
        self.0.record(None, Some("declared"), What::Operation(operation));
        self
    }

    fn after(self, seconds: i64) -> Self {
        self.1.advance_seconds(seconds);
        self
    }

    fn verdict(self, evaluate: fn(&Trace, Arguments<'_>) -> CheckResult, with: Value) -> Verdict {
        let with = serde_json::from_value(with).expect("arguments");
        evaluate(&self.0.trace(), Arguments::new(&with)).verdict
    }

    fn broke_in_time(self) -> Verdict {
        self.verdict(break_waits_for_its_notice, json!({"peer": "alice", "call": ["served", "later"]}))
    }

    fn announced(self) -> Verdict {
        self.verdict(deprecation_announced, json!({"peer": "alice", "start": "declared"}))
    }

    fn set_target(self, theirs: &str, status: &str) -> Self {
        let said = json!({"platform_version": theirs});
        let met = json!({"data": {"platform_version": "1.4.0", "status": status, "peer_id": "p"}});
        self.exchange(Some("met"), Direction::ToTarget, &said, (200, met))
    }

    fn keep_apart(self, theirs: &str, status: &str, sync: u16) -> Verdict {
        let with = json!({"first": "met", "call": "sync", "probe": "beat", "control": "valid"});
        let builder = self.set_target(theirs, status).call("sync", sync).call("beat", 200);
        builder.verdict(versions_keep_apart, with)
    }

    /// Returns the verdict on the accept of a neighbour, after another peer was admitted or not.
    fn go_together(self, theirs: &str, accept: u16) -> Verdict {
        let said = json!({"platform_version": theirs});
        let builder = self.exchange(Some("neighbour"), Direction::ToTarget, &said, (accept, json!({})));
        let with = json!({"first": "neighbour", "call": "neighbour", "probe": "beat"});
        builder.call("beat", 200).verdict(versions_go_together, with)
    }

    fn scans(self, found: &Value) -> Self {
        for (label, findings) in [("before", &json!([])), ("after", found)] {
            let result = Some(json!({ "findings": findings }));
            let method = "governance.scan".into();
            let scan = Operation { method, parameters: json!({}), result, failure: None };
            self.0.record(None, Some(label), What::Operation(scan));
        }
        self
    }

    fn reported(self) -> Verdict {
        let with = json!({"first": "met", "peer": "p", "before": "before", "after": "after"});
        self.verdict(drift_is_reported, with)
    }
}

/// Returns a call of a peer on a route below the prefix.
fn exchange(peer: &str, method: &str, path: &str, sent: &Value, answer: Message) -> Exchange {
    Exchange { response: Some(answer), ..Exchange::to_target(peer).on(method, path).sending(sent.clone()) }
}

fn answer(status: u16, data: &Value) -> Message {
    Message { status: Some(status), body: Body::Json(json!({ "data": data })), ..Message::default() }
}

impl TraceBuilder {
    fn routed(self, peer: &str, label: &str, route: (&str, &str), sent: &Value, answer: Message) -> Self {
        let exchange = exchange(peer, route.0, route.1, sent, answer);
        self.0.record(None, Some(label), What::Exchange(exchange));
        self
    }

    fn accepts(self, peer: &str, theirs: &str) -> Self {
        let data = json!({"platform_version": "1.4.0", "status": "enrolled"});
        let said = json!({"platform_version": theirs});
        self.routed(peer, &format!("met-{peer}"), ("POST", "accept"), &said, answer(200, &data))
    }

    fn syncs(self, peer: &str, status: u16, taken: u64) -> Self {
        let batch = json!({"records": [{"id": "1"}]});
        let answer = answer(status, &json!({"accepted": taken}));
        self.routed(peer, &format!("sync-{peer}"), ("POST", "sync"), &batch, answer)
    }

    fn work(self, evaluate: fn(&Trace, Arguments<'_>) -> CheckResult, call: &str) -> Verdict {
        let with =
            json!({"first": "met-alice", "call": call, "probe": "beat", "control": ["sync-bob", "read-bob"]});
        self.call("beat", 200).verdict(evaluate, with)
    }
}

#[test]
fn a_neighbour_that_fares_no_worse_than_the_targets_like_proves_nothing() {
    let met = || TraceBuilder::begin().accepts("alice", "1.3.0").accepts("bob", "1.4.0");
    let work = |builder: TraceBuilder| builder.work(versions_go_together, "sync-alice");
    assert_eq!(work(met().syncs("bob", 200, 1).syncs("alice", 200, 1)), Kept);
    assert_eq!(work(met().syncs("bob", 200, 1).syncs("alice", 404, 0)), Broken);
    assert_eq!(work(met().syncs("bob", 200, 1).syncs("alice", 200, 0)), Broken);
    assert_eq!(work(met().syncs("bob", 200, 1).syncs("alice", 429, 0)), Unproven);
    assert_eq!(work(met().syncs("bob", 404, 0).syncs("alice", 404, 0)), Unproven);
    // The calls of a peer of another version than the target's say nothing.
    let far = TraceBuilder::begin().accepts("alice", "1.3.0").accepts("bob", "1.1.0");
    assert_eq!(work(far.syncs("bob", 404, 0).syncs("alice", 404, 0)), Broken);
}

#[test]
fn a_sync_that_took_nothing_is_no_sync() {
    let met = || TraceBuilder::begin().accepts("alice", "1.6.0").accepts("bob", "1.4.0").syncs("bob", 200, 1);
    let apart = |builder: TraceBuilder| builder.work(versions_keep_apart, "sync-alice");
    assert_eq!(apart(met().syncs("alice", 200, 1)), Broken);
    assert_eq!(apart(met().syncs("alice", 200, 0)), Unproven);
    assert_eq!(apart(met().syncs("alice", 429, 0)), Unproven);
    assert_eq!(apart(met().syncs("alice", 422, 0)), Kept);
}

#[test]
fn who_is_enrolled_by_its_heartbeat_is_let_in() {
    let verdict = |status: &str| {
        let said = json!({"platform_version": "1.3.0"});
        let data = |status: &str| json!({"platform_version": "1.4.0", "status": status});
        let builder = TraceBuilder::begin()
            .routed("alice", "met-alice", ("POST", "accept"), &said, answer(200, &data("accepted")))
            .routed("alice", "beat", ("POST", "heartbeat"), &said, answer(200, &data(status)))
            .syncs("alice", 200, 1);
        let with = json!({"first": "met-alice", "call": "sync-alice", "probe": "beat"});
        builder.verdict(versions_go_together, with)
    };
    assert_eq!([verdict("active"), verdict("accepted")], [Kept, Unproven]);
}

#[test]
fn what_a_neighbour_migrated_and_cannot_read_is_broken_where_its_like_can() {
    let verdict = |alice: bool, bob: bool| {
        let mut builder = TraceBuilder::begin().accepts("alice", "1.3.0").accepts("bob", "1.4.0");
        for (peer, exists) in [("bob", bob), ("alice", alice)] {
            let plan = json!({"steps": [{"resource_id": "7"}]});
            let done = answer(201, &json!({"status": "completed"}));
            builder = builder.routed(peer, &format!("migrated-{peer}"), ("POST", "migrations"), &plan, done);
            let read = answer(200, &json!({ "exists": exists }));
            builder =
                builder.routed(peer, &format!("read-{peer}"), ("GET", "resources/skill/7"), &json!({}), read);
        }
        builder.work(versions_go_together, "read-alice")
    };
    assert_eq!(verdict(true, true), Kept);
    assert_eq!(verdict(false, true), Broken);
    assert_eq!(verdict(false, false), Unproven);
}

/// Returns the verdict on the target's join of a peer, compared with the join of a peer of the target's
/// release.
fn joined(theirs: &str, is_joined: bool, like_is_joined: bool, beat: u16) -> Verdict {
    let builder = TraceBuilder::begin();
    let recorded = answer(200, &json!({"platform_version": theirs, "peer_id": "1"}));
    let accept = exchange("alice", "POST", "accept", &json!({"platform_version": "1.4.0"}), recorded);
    let accept = Exchange { direction: Direction::FromTarget, ..accept };
    builder.0.record(None, None, What::Exchange(accept));
    for (label, is_joined) in [("joined", is_joined), ("like", like_is_joined)] {
        let refused = OperationFailure::Refused { code: -32010, message: "no".into() };
        let join = Operation {
            method: "peer.join".into(),
            parameters: json!({}),
            result: is_joined.then(|| json!({"peer_id": "1"})),
            failure: (!is_joined).then_some(refused),
        };
        builder.0.record(None, Some(label), What::Operation(join));
    }
    let with = json!({"peer": "alice", "join": "joined", "like": "like", "call": "beat", "probe": "beat"});
    builder.call("beat", beat).verdict(neighbours_are_joined, with)
}

#[test]
fn a_neighbour_that_is_not_joined_is_broken_where_its_like_is() {
    assert_eq!(joined("1.5.0", true, true, 200), Kept);
    assert_eq!(joined("1.5.0", false, true, 401), Broken);
    assert_eq!(joined("1.5.0", false, false, 401), Unproven);
    assert_eq!(joined("1.5.0", true, true, 401), Broken);
    assert_eq!(joined("1.6.0", false, true, 401), Unproven);
}

#[test]
fn a_sync_that_is_sent_to_a_anonymous_client_is_broken() {
    let sent = |theirs: &str, to: &[&str]| {
        let builder = TraceBuilder::begin().accepts("alice", theirs);
        for peer in to {
            let sync = exchange(peer, "POST", "sync", &json!({}), answer(200, &json!({})));
            let sync = Exchange { direction: Direction::FromTarget, ..sync };
            builder.0.record(None, None, What::Exchange(sync));
        }
        builder.verdict(no_sync_is_sent, json!({"first": "met-alice", "peer": "alice", "conforming": "bob"}))
    };
    assert_eq!(sent("1.6.0", &["bob"]), Kept);
    assert_eq!(sent("1.6.0", &["bob", "alice"]), Broken);
    assert_eq!(sent("1.6.0", &[]), Unproven);
    assert_eq!(sent("1.5.0", &["bob", "alice"]), Unproven);
}

fn notice() -> Value {
    json!({"events": [{"kind": kind::RELEASE_DEPRECATED, "payload": {"breaks_at": "2026-07-01"}}]})
}

#[test]
fn a_break_before_30_days_of_notice_is_broken() {
    let recorded = || TraceBuilder::begin().runs("1.4.0").call("served", 200).tell(&notice());
    assert_eq!(recorded().after(30 * DAY - 1).call("later", 422).broke_in_time(), Broken);
    assert_eq!(recorded().after(30 * DAY).call("later", 422).broke_in_time(), Kept);
    assert_eq!(recorded().runs("2.0.0").after(30 * DAY).call("later", 200).broke_in_time(), Kept);
    assert_eq!(recorded().runs("1.5.0").after(30 * DAY).call("later", 200).broke_in_time(), Unproven);
    assert_eq!(TraceBuilder::begin().call("served", 200).call("later", 422).broke_in_time(), Broken);
    assert_eq!(TraceBuilder::begin().call("served", 200).call("later", 505).broke_in_time(), Broken);
    assert_eq!(TraceBuilder::begin().call("served", 422).broke_in_time(), Unproven);
    assert_eq!(TraceBuilder::begin().broke_in_time(), Unproven);
}

#[test]
fn what_was_never_served_is_no_break() {
    let builder = |before: u16| {
        let builder = TraceBuilder::begin().runs("1.4.0").call("served", 200);
        let builder = builder.syncs("alice", before, 1).runs("2.0.0");
        let exchange = exchange("alice", "POST", "sync", &json!({}), answer(404, &json!({})));
        builder.0.record(None, Some("later"), What::Exchange(exchange));
        builder
    };
    let verdict = |before: u16| {
        let with = json!({"peer": "alice", "call": ["served", "sync-alice", "later"]});
        builder(before).verdict(break_waits_for_its_notice, with)
    };
    assert_eq!(verdict(200), Broken);
    assert_eq!(verdict(404), Unproven);
}

#[test]
fn a_sync_of_which_no_more_is_taken_is_a_break() {
    let verdict = |taken: [u64; 2]| {
        let builder = TraceBuilder::begin().runs("1.4.0").call("served", 200).syncs("alice", 200, taken[0]);
        let with = json!({"peer": "alice", "call": ["served", "sync-alice"]});
        builder.runs("2.0.0").syncs("alice", 200, taken[1]).verdict(break_waits_for_its_notice, with)
    };
    assert_eq!(verdict([1, 1]), Kept);
    assert_eq!(verdict([1, 0]), Broken);
    assert_eq!(verdict([0, 0]), Unproven);
}

#[test]
fn a_migration_of_which_nothing_is_there_is_a_break() {
    let verdict = |exists: [bool; 2]| {
        let mut builder = TraceBuilder::begin().runs("1.4.0").call("served", 200);
        for (id, exists) in ["7", "8"].into_iter().zip(exists) {
            let plan = json!({"steps": [{"resource_id": id}]});
            let done = answer(201, &json!({"status": "completed"}));
            builder = builder.routed("alice", "migrated", ("POST", "migrations"), &plan, done);
            let read = answer(200, &json!({ "exists": exists }));
            let path = format!("resources/skill/{id}");
            builder = builder.routed("alice", "read", ("GET", &path), &json!({}), read).runs("2.0.0");
        }
        let with = json!({"peer": "alice", "call": ["served", "migrated", "read"]});
        builder.verdict(break_waits_for_its_notice, with)
    };
    assert_eq!(verdict([true, true]), Kept);
    assert_eq!(verdict([true, false]), Broken);
    assert_eq!(verdict([false, false]), Unproven);
}

#[test]
fn an_end_that_is_reported_in_words_of_its_own_is_no_silence() {
    let begun = || TraceBuilder::begin().runs("1.4.0").call("served", 200);
    for payload in [
        json!({"see": "https://it.example/1"}),
        json!({"ends": "on 2026-07-01"}),
        json!(["HTTPS://IT.example/1"]),
    ] {
        let recorded = json!({"events": [{"kind": "platform.release.retiring", "payload": payload}]});
        assert_eq!(begun().declare().tell(&recorded).announced(), Unproven, "{recorded}");
        assert_eq!(begun().tell(&recorded).declare().announced(), Broken, "{recorded}");
        let broke = |days: i64| begun().declare().tell(&recorded).after(days * DAY).call("later", 422);
        assert_eq!(broke(30).broke_in_time(), Unproven, "{recorded}");
        assert_eq!(broke(29).broke_in_time(), Broken, "{recorded}");
    }
    assert_eq!(begun().declare().after(30 * DAY).call("later", 422).broke_in_time(), Broken);
    let dated = json!({"sent_at": "2026-07-01T00:00:01Z"});
    let on_the_day = begun().declare().after(30 * DAY).tell(&dated).call("later", 422);
    assert_eq!(on_the_day.broke_in_time(), Broken);
}

/// Returns the verdict on a break after too short a notice, by the kinds of findings raised about it, about
/// one that waited and about one without a notice.
fn noticed(short: &[&str], waited: &[&str], silent: &[&str], moved: u16) -> Verdict {
    let mut found = vec![];
    let mut builder = TraceBuilder::begin();
    for (peer, kinds) in [("short", short), ("waited", waited), ("silent", silent)] {
        let about = |kind: &&str| json!({"kind": kind, "federation_peer_id": peer, "message": peer});
        found.extend(kinds.iter().map(about));
        let met = answer(200, &json!({ "peer_id": peer }));
        builder = builder.routed(peer, "met", ("POST", "accept"), &json!({}), met);
    }
    let with = json!({
        "peer": "short", "waited": "waited", "silent": "silent", "moved": "moved", "before": "before",
        "after": "after",
    });
    builder.call("moved", moved).scans(&json!(found)).verdict(short_notice_is_noticed, with)
}

#[test]
fn a_short_notice_is_reported_apart_from_one_that_was_waited_for() {
    assert_eq!(noticed(&["drift", "early"], &["drift"], &["drift", "early"], 200), Kept);
    assert_eq!(noticed(&["drift"], &["drift"], &["drift", "early"], 200), Broken);
    assert_eq!(noticed(&[], &[], &[], 200), Broken);
    assert_eq!(noticed(&["drift"], &["drift"], &["drift"], 200), Unproven);
    assert_eq!(noticed(&["drift"], &["drift"], &["drift", "early"], 401), Unproven);
}

#[test]
fn a_limit_or_a_failure_is_no_break() {
    for status in [429, 500, 503] {
        let builder =
            TraceBuilder::begin().runs("1.4.0").call("served", 200).runs("2.0.0").call("later", status);
        assert_eq!(builder.broke_in_time(), Unproven, "{status}");
    }
}

#[test]
fn an_end_that_is_reported_in_headers_is_reported() {
    let builder = TraceBuilder::begin().declare();
    let sunset = ("Sunset".to_owned(), "Wed, 01 Jul 2026 00:00:01 GMT".to_owned());
    let answer = Message { status: Some(200), headers: vec![sunset], ..Message::default() };
    builder.0.record(
        None,
        None,
        What::Exchange(exchange("alice", "GET", "trust_bundle", &json!({}), answer)),
    );
    assert_eq!(builder.announced(), Unproven);
}

#[test]
fn an_end_that_no_one_hears_of_is_broken_in_whatever_form_it_might_be_reported() {
    let answered = json!({"data": {"metadata": {"deprecations": [{"breaks_at": "2026-07-01"}]}}});
    let declared = || TraceBuilder::begin().declare();
    assert_eq!(declared().tell(&notice()).announced(), Kept);
    assert_eq!(declared().exchange(None, Direction::ToTarget, &json!({}), (200, answered)).announced(), Kept);
    assert_eq!(declared().tell(&json!({"deprecated": ["1.x"]})).announced(), Unproven);
    assert_eq!(declared().tell(&json!({"metadata": {"deprecations": []}})).announced(), Broken);
    assert_eq!(declared().tell(&json!({"notes": "until the deprecation is due"})).announced(), Broken);
    assert_eq!(TraceBuilder::begin().tell(&notice()).declare().announced(), Broken);
    assert_eq!(TraceBuilder::begin().tell(&notice()).announced(), Unproven);
}

#[test]
fn a_sync_between_versions_that_do_not_go_together_is_broken() {
    assert_eq!(TraceBuilder::begin().keep_apart("1.6.0", "enrolled", 422), Kept);
    assert_eq!(TraceBuilder::begin().keep_apart("1.6.0", "enrolled", 200), Broken);
    assert_eq!(TraceBuilder::begin().keep_apart("1.6.0", "enrolled", 500), Unproven);
    assert_eq!(TraceBuilder::begin().keep_apart("1.6.0", "accepted", 422), Unproven);
    assert_eq!(TraceBuilder::begin().keep_apart("1.5.0", "enrolled", 422), Unproven);
    assert_eq!(TraceBuilder::begin().call("valid", 422).keep_apart("1.6.0", "enrolled", 422), Unproven);
}

#[test]
fn a_neighbour_that_is_turned_away_is_broken() {
    let met = || TraceBuilder::begin().set_target("1.4.7", "enrolled");
    assert_eq!(met().go_together("1.3.9", 422), Broken);
    assert_eq!(met().go_together("1.2.9", 422), Unproven);
    assert_eq!(TraceBuilder::begin().go_together("1.3.9", 422), Unproven);
}

#[test]
fn a_neighbour_that_is_left_at_the_door_is_broken_where_its_like_was_let_in() {
    let accept = |builder: TraceBuilder, label: &str, theirs: &str, answer: (u16, Value)| {
        let exchange = Exchange::to_target(label)
            .on("POST", "accept")
            .sending(json!({"platform_version": theirs, "csr_pem": "x"}))
            .answered_with(answer.0, answer.1);
        builder.0.record(None, Some(label), What::Exchange(exchange));
        builder
    };
    let said = |status: &str| json!({"data": {"platform_version": "1.4.0", "status": status}});
    let verdict = |control: &str, theirs: &str, answer: (u16, Value)| {
        let builder = accept(TraceBuilder::begin(), "control", "1.4.0", (200, said(control)));
        let with = json!({"first": "met", "call": "met", "probe": "beat", "control": "control"});
        accept(builder, "met", theirs, answer).call("beat", 200).verdict(versions_go_together, with)
    };
    assert_eq!(verdict("enrolled", "1.3.0", (200, said("enrolled"))), Kept);
    assert_eq!(verdict("enrolled", "1.3.0", (200, said("accepted"))), Broken);
    assert_eq!(verdict("enrolled", "1.3.0", (500, json!({"error": "oh"}))), Broken);
    assert_eq!(verdict("enrolled", "1.2.0", (500, json!({"error": "oh"}))), Unproven);
    assert_eq!(verdict("accepted", "1.3.0", (200, said("accepted"))), Unproven);
}

#[test]
fn silence_is_broken_of_a_version_that_does_not_go_with_the_targets() {
    let found = json!([{"kind": "peer_schema_version_drift", "federation_peer_id": "p"}]);
    let met = |theirs: &str| {
        let builder = TraceBuilder::begin().set_target(theirs, "enrolled");
        let joined = Operation {
            method: "peer.join".into(),
            parameters: json!({}),
            result: Some(json!({"peer_id": "p"})),
            failure: None,
        };
        builder.0.record(None, Some("p"), What::Operation(joined));
        builder
    };
    assert_eq!(met("2.0.0").scans(&found).reported(), Kept);
    assert_eq!(met("2.0.0").scans(&json!([])).reported(), Broken);
    assert_eq!(met("1.5.0").scans(&json!([])).reported(), Unproven);
    assert_eq!(TraceBuilder::begin().scans(&json!([])).reported(), Unproven);
}
