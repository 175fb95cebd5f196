//! Tests of the checks that share traces: of a flood, and of the records in a batch.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::flood::FLOOD_CALLS;
use crate::check::Verdict::{self, Broken, Kept, Unproven};
use crate::check::c06::flood_limited::FloodLimited;
use crate::check::c06::flood_reported::FloodReported;
use crate::check::c06::other_records_are_unchanged::OtherRecordsAreUnchanged;
use crate::check::c06::rejected_records_are_not_stored::RejectedRecordsAreNotStored;
use crate::check::definition::Check;
use crate::check::trace_builder::TraceBuilder;
use covenant_model::transcript::{Exchange, FailureKind};
use covenant_model::wire::canonical::{canonical_json, sha256_hex};
use covenant_model::wire::path::Route;

fn call(peer: &str, route: &Route, status: u16) -> Exchange {
    let answer = if status < 400 { json!({}) } else { json!({"error": "no"}) };
    Exchange::to_target(peer).on("POST", &route.to_string()).sending(json!({})).answered_with(status, answer)
}

/// Builds a flood of 300 calls of this route, `at_once` of them at a time, with a second between the groups.
fn flooded(route: &Route, status: u16, at_once: usize) -> TraceBuilder {
    let mut builder = TraceBuilder::new()
        .operation("mallory", "peer.propose", json!({"peer_id": "m"}))
        .operation("before", "governance.scan", json!({"findings": []}))
        .call("few", call("alice", route, status));
    for number in 0..FLOOD_CALLS {
        let seconds = i64::from(number % at_once == 0);
        builder = builder.advance(seconds).call("flood", call("mallory", route, status));
    }
    builder.call("quiet", call("alice", &Route::Heartbeat, 200)).operation(
        "after",
        "governance.scan",
        json!({"findings": []}),
    )
}

fn limited(builder: &TraceBuilder) -> Verdict {
    builder.verdict::<FloodLimited>(json!({"call": "flood", "control": "few", "probe": "quiet"}))
}

fn reported(builder: &TraceBuilder) -> Verdict {
    builder.verdict::<FloodReported>(json!({
        "call": "flood", "peer": "mallory", "before": "before", "after": "after", "conforming": "alice",
    }))
}

#[test]
fn calls_of_more_than_a_minute_are_no_flood() {
    for (at_once, expected) in [(10, Broken), (5, Unproven)] {
        let builder = flooded(&Route::Heartbeat, 200, at_once);
        assert_eq!(limited(&builder), expected);
        assert_eq!(reported(&builder), expected);
    }
}

#[test]
fn a_peer_that_shares_an_address_may_be_limited_because_of_another() {
    let from = |peer: &str, status, last: Option<u8>| Exchange {
        source: last.map(|last| Ipv4Addr::new(127, 0, 1, last)),
        ..call(peer, &Route::Heartbeat, status)
    };
    let limited_with = |status: u16, quiet, flooding| {
        let mut builder = TraceBuilder::new().call("few", from("alice", 200, quiet));
        for _ in 0..FLOOD_CALLS {
            builder = builder.call("flood", from("mallory", 429, flooding));
        }
        limited(&builder.call("quiet", from("alice", status, quiet)))
    };
    let quiet_limited = |quiet, flooding| [429, 503].map(|status| limited_with(status, quiet, flooding));
    assert_eq!(quiet_limited(Some(1), Some(2)), [Broken; 2]);
    assert_eq!(quiet_limited(Some(1), Some(1)), [Unproven; 2]);
    assert_eq!(quiet_limited(None, None), [Unproven; 2]);
}

#[test]
fn a_few_calls_that_are_limited_are_broken_where_nothing_else_may_be_why() {
    let from = |peer: &str, status, last: u8| Exchange {
        source: Some(Ipv4Addr::new(127, 0, 1, last)),
        ..call(peer, &Route::Heartbeat, status)
    };
    let few_limited = |calls: usize, flooding: u8| {
        let served =
            (1..calls).fold(TraceBuilder::new(), |builder, _| builder.call("few", from("alice", 200, 1)));
        let begun = served.call("few", from("alice", 429, 1));
        let builder =
            (0..FLOOD_CALLS).fold(begun, |builder, _| builder.call("flood", from("mallory", 429, flooding)));
        limited(&builder.call("quiet", from("quiet", 200, 3)))
    };
    assert_eq!(few_limited(3, 2), Broken);
    assert_eq!(few_limited(3, 1), Unproven, "it shares its address");
    assert_eq!(few_limited(7, 2), Unproven, "they were more than six");
}

#[test]
fn a_server_that_is_gone_does_not_limit() {
    let flooded = |lost: &[(FailureKind, usize)], status: u16| {
        let kinds = lost.iter().flat_map(|(kind, times)| std::iter::repeat_n(*kind, *times));
        let lost: Vec<Exchange> = kinds
            .map(|kind| {
                Exchange::to_target("mallory").on("POST", "heartbeat").sending(json!({})).failing(kind)
            })
            .collect();
        let answered = (lost.len()..FLOOD_CALLS).map(|_| call("mallory", &Route::Heartbeat, status));
        let answered: Vec<Exchange> = answered.collect();
        let builder = TraceBuilder::new().call("few", call("alice", &Route::Heartbeat, 200));
        let builder = builder.side_by_side("flood", 0, lost.into_iter().chain(answered));
        limited(&builder.call("quiet", call("alice", &Route::Heartbeat, 200)))
    };
    assert_eq!(flooded(&[(FailureKind::Closed, 100)], 200), Kept);
    assert_eq!(flooded(&[(FailureKind::Certificate, 100)], 200), Kept);
    assert_eq!(flooded(&[(FailureKind::Refused, 100)], 200), Unproven);
    assert_eq!(flooded(&[(FailureKind::Closed, 20), (FailureKind::Refused, 80)], 200), Unproven);
    assert_eq!(flooded(&[(FailureKind::Closed, 100)], 502), Unproven);
    assert_eq!(flooded(&[(FailureKind::Handshake, 100)], 200), Unproven);
}

#[test]
fn a_flood_of_handshakes_is_known_as_the_peers_while_its_token_is_good() {
    for (status, expected) in [(401, Unproven), (200, Unproven), (422, Broken), (429, Broken)] {
        assert_eq!(reported(&flooded(&Route::Accept, status, 10)), expected, "{status}");
    }
}

#[test]
fn a_call_that_is_refused_for_another_reason_is_not_limited() {
    for (route, status, expected) in [
        (Route::Accept, 422, Broken),
        (Route::Accept, 401, Unproven),
        (Route::Accept, 403, Unproven),
        (Route::Accept, 200, Broken),
        (Route::Heartbeat, 403, Kept),
        (Route::Heartbeat, 500, Unproven),
    ] {
        assert_eq!(limited(&flooded(&route, status, 10)), expected, "{route} {status}");
    }
}

#[test]
fn a_peer_is_cut_off_by_the_number_of_its_lost_calls_wherever_they_are_recorded() {
    let flooded = |lost: usize, from: usize| {
        let status = |number: usize| if (from..from + lost).contains(&number) { 403 } else { 200 };
        let calls = (0..FLOOD_CALLS).map(|number| call("mallory", &Route::Heartbeat, status(number)));
        let builder = TraceBuilder::new().call("few", call("alice", &Route::Heartbeat, 200));
        let builder = builder.side_by_side("flood", 0, calls);
        limited(&builder.call("quiet", call("alice", &Route::Heartbeat, 200)))
    };
    for (lost, expected) in [(100, Kept), (8, Unproven), (1, Unproven), (0, Broken)] {
        for from in [0, 150, FLOOD_CALLS - lost] {
            assert_eq!(flooded(lost, from), expected, "{lost} from {from}");
        }
    }
}

#[test]
fn a_flood_whose_answer_changes_in_the_end_may_have_been_limited() {
    let refused = |text: &str| call("m", &Route::Accept, 422).answered_with(422, json!({"error": text}));
    let mut builder = TraceBuilder::new().call("few", refused("no request"));
    for number in 0..FLOOD_CALLS {
        let text = if number < 100 { "no request" } else { "enough" };
        builder = builder.call("flood", refused(text));
    }
    assert_eq!(limited(&builder.call("quiet", call("q", &Route::Heartbeat, 200))), Unproven);
}

/// Returns a batch of `skill` with these records.
pub(super) fn batch_of(from: &Value, to: &Value, payloads: &[Value]) -> Value {
    let record = |payload: &Value| json!({"id": payload["id"], "updated_at": "2026-06-01T00:00:00Z", "payload": payload});
    let records: Vec<Value> = payloads.iter().map(record).collect();
    let sha256 = sha256_hex(canonical_json(&json!(records)));
    json!({"resource_kind": "skill", "cursor": {"from": from, "to": to}, "records": records, "sha256": sha256})
}

/// Returns a batch of the record `a` with these names, one after the other.
pub(super) fn batch(from: &str, to: &str, names: &[&str]) -> Value {
    let payloads: Vec<Value> = names.iter().map(|name| json!({"id": "a", "name": name})).collect();
    batch_of(&json!(from), &json!(to), &payloads)
}

/// Returns the verdict of a check on a batch that is sent between these lists of records.
fn between<C: Check>(before: &Value, batch: &Value, after: &Value) -> Verdict {
    answered_between::<C>(before, (batch, 422), after)
}

/// Returns the same, where the batch gets this status.
fn answered_between<C: Check>(before: &Value, (batch, status): (&Value, u16), after: &Value) -> Verdict {
    let sync = |batch: &Value, status: u16| {
        Exchange::to_target("alice").on("POST", "sync").sending(batch.clone()).answered(status)
    };
    let list = |builder: TraceBuilder, label: &str, rows: &Value| {
        let result = json!({ "resources": rows });
        builder.operation_with(label, "resource.list", json!({"kind": "skill"}), result)
    };
    let valid = batch_of(&json!("0"), &json!("1"), &[json!({"id": "kept", "name": "kept"})]);
    let builder = list(TraceBuilder::new().call("control", sync(&valid, 200)), "before", before);
    list(builder.call("call", sync(batch, status)), "after", after).verdict::<C>(json!({
        "call": "call", "before": "before", "after": "after", "control": "control",
    }))
}

fn row(id: &str, record: &Value) -> Value {
    json!({"id": id, "record": record})
}

#[test]
fn only_records_of_the_call_can_have_been_stored() {
    let kept = row("kept", &json!({"name": "kept"}));
    let own = |beats: u64| row("own", &json!({"beats": beats}));
    let stored = |after: &[Value]| {
        let before = json!([kept, own(1)]);
        between::<RejectedRecordsAreNotStored>(&before, &batch("0", "1", &["a"]), &json!(after))
    };
    assert_eq!(stored(&[kept.clone(), own(2), row("new", &json!({}))]), Kept);
    assert_eq!(stored(&[kept.clone(), own(1), row("a", &json!({}))]), Broken);
    for status in [408, 429, 503, 504] {
        let before = json!([kept]);
        let batch = batch("0", "1", &["a"]);
        let verdict = answered_between::<RejectedRecordsAreNotStored>(&before, (&batch, status), &before);
        assert_eq!(verdict, Unproven, "{status}: it was put off");
    }
}

#[test]
fn a_batch_that_comes_again_may_be_noted_and_may_not_undo_what_came_after_it() {
    let a = |name: &str, synced: u64| row("a", &json!({"name": name, "synced": synced}));
    let kept = row("kept", &json!({"name": "kept"}));
    let again = batch("0", "1", &["old"]);
    let verdict =
        |before: &Value, after: &Value| between::<RejectedRecordsAreNotStored>(before, &again, after);
    assert_eq!(verdict(&json!([kept, a("new", 1)]), &json!([kept, a("new", 2)])), Kept);
    assert_eq!(verdict(&json!([kept, a("new", 1)]), &json!([kept, a("old", 2)])), Broken);
    assert_eq!(verdict(&json!([kept, a("new", 1)]), &json!([kept])), Broken);
    assert_eq!(verdict(&json!([a("new", 1)]), &json!([a("new", 1)])), Unproven, "nothing is kept at all");
}

#[test]
fn a_record_may_be_stored_under_its_own_id_whatever_it_names_inside() {
    let mut crossed = batch("0", "1", &["theirs"]);
    crossed["records"][0]["id"] = json!("b");
    let kept = row("kept", &json!({"name": "kept"}));
    let a = |name: &str| row("a", &json!({"name": name}));
    let verdict = |batch: &Value, after: &[Value]| {
        between::<OtherRecordsAreUnchanged>(&json!([kept, a("own")]), batch, &json!(after))
    };
    let b = row("b", &json!({"name": "theirs"}));
    assert_eq!(verdict(&crossed, &[kept.clone(), a("own")]), Kept);
    assert_eq!(verdict(&crossed, &[kept.clone(), a("own"), b]), Kept);
    assert_eq!(verdict(&crossed, &[kept.clone(), a("theirs")]), Broken);
    assert_eq!(verdict(&batch("0", "1", &["theirs"]), &[kept.clone(), a("theirs")]), Unproven);
}
