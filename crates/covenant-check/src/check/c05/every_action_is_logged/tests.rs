use super::*;
use crate::check::Verdict::{self, Broken, Kept, Unproven};
use crate::check::c05::audit_traces::{admitted, entry, own, peer_calls, refused, transport};
use crate::check::trace_builder::TraceBuilder;
use serde_json::json;

fn logged(new: &[Value]) -> Verdict {
    logged_after(&json!({"id": 0, "action": "accept"}), new)
}

#[test]
fn a_refused_call_without_an_entry_counts_beside_another_one_that_has_one() {
    let with_status = |status: u16, names: &[&str]| {
        let asked = |path: &str, status: u16| Exchange::to_target("alice").on("POST", path).answered(status);
        let entries = (1..)
            .zip(names)
            .map(|(id, name)| json!({"id": id, "action": name, "payload": {"federation_peer_id": "p"}}));
        let entries: Vec<Value> = entries.collect();
        TraceBuilder::new()
            .operation("alice", "peer.join", json!({"peer_id": "p"}))
            .operation("before", "audit.list", json!({ "entries": [] }))
            .call("refused", asked("sync", 422))
            .call("call", asked("sync", 200))
            .call("conflict", asked("sync", status))
            .call("call", asked("heartbeat", 200))
            .operation("after", "audit.list", json!({ "entries": entries }))
            .verdict::<EveryActionIsLogged>(json!({
                "call": ["call", "refused", "conflict"], "control": "refused", "rejected": "conflict",
                "before": "before", "after": "after", "peer": "alice",
            }))
    };
    let verdict = |names: &[&str]| with_status(409, names);
    let (sync, heartbeat) = ("federation.sync", "federation.heartbeat");
    assert_eq!(verdict(&[sync, sync, sync, heartbeat]), Kept);
    assert_eq!(with_status(200, &[sync, sync, sync, heartbeat]), Unproven, "the gap was accepted");
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let verdict = with_status(status, &[sync, sync, heartbeat]);
        assert_eq!(verdict, Unproven, "{status}: it may not have arrived");
    }
    assert_eq!(verdict(&[sync, sync, heartbeat]), Broken);
    assert_eq!(verdict(&[sync, heartbeat]), Unproven, "no refused call is logged");
    assert_eq!(verdict(&[sync, "seen", heartbeat]), Unproven, "the entry may be of another call");
}

#[test]
fn a_refusal_of_a_caller_that_may_be_unknown_needs_no_entry() {
    let verdict = |suspended: u16, body: Value, names: &[&str]| {
        let asked = |status: u16, body: Value| {
            Exchange::to_target("alice").on("POST", "sync").answered_with(status, body)
        };
        let entries = names.iter().enumerate();
        let entries = entries
            .map(|(id, name)| json!({"id": id, "action": name, "payload": {"federation_peer_id": "p"}}));
        let entries: Vec<Value> = entries.collect();
        TraceBuilder::new()
            .operation("alice", "peer.join", json!({"peer_id": "p"}))
            .operation("before", "audit.list", json!({ "entries": [] }))
            .call("refused", asked(422, json!({"error": "no such kind"})))
            .call("suspended", asked(suspended, body))
            .operation("after", "audit.list", json!({ "entries": entries }))
            .verdict::<EveryActionIsLogged>(json!({
                "call": ["refused", "suspended"], "control": "refused", "rejected": "suspended",
                "suspended": true, "before": "before", "after": "after", "peer": "alice",
            }))
    };
    let (one, two) = (&["federation.sync"][..], &["federation.sync", "federation.sync"][..]);
    for says_why in [
        json!({"error": "the peer is suspended"}),
        json!({"error": "FederationPeer is not in a reachable status (suspended)"}),
        json!({"error": {"code": "PEER_SUSPENDED"}}),
    ] {
        for status in [401, 403, 409] {
            assert_eq!(verdict(status, says_why.clone(), two), Kept, "{status} {says_why}");
            assert_eq!(verdict(status, says_why.clone(), one), Broken, "{status} {says_why}");
            assert_eq!(verdict(status, says_why.clone(), &[]), Unproven, "no refused call is logged");
        }
    }
    for body in [json!({"error": "forbidden"}), json!({"error": "on hold"}), Value::Null] {
        assert_eq!(verdict(401, body.clone(), one), Unproven, "a caller that it does not know");
        assert_eq!(verdict(403, body, one), Unproven, "perhaps one in front of the platform");
    }
    assert_eq!(verdict(200, json!({}), one), Unproven, "it was served");
    let of_operator = &["federation.sync", "peer.suspend"][..];
    assert_eq!(
        verdict(403, json!({"error": "suspended"}), of_operator),
        Unproven,
        "an entry of its operator"
    );
}

/// Returns the verdict on these new entries, if `before` is the entry of the first snapshot.
fn logged_after(before: &Value, new: &[Value]) -> Verdict {
    let with = json!({"call": "call", "before": "before", "after": "after", "peer": "alice"});
    peer_calls(before, new).verdict::<EveryActionIsLogged>(with)
}

#[test]
fn a_missing_a_nameless_and_a_doubled_entry_are_broken() {
    let anonymous = json!({"federation_peer_id": "", "action": "federation.resources", "status": 200});
    assert_eq!(logged(&[admitted(), refused(), own()]), Kept);
    assert_eq!(logged(&[admitted(), refused()]), Broken);
    assert_eq!(logged(&[admitted(), own()]), Broken);
    assert_eq!(logged(&[anonymous, refused(), own()]), Broken);
    assert_eq!(logged(&[admitted(), admitted(), refused(), own()]), Broken);
    assert_eq!(logged(&[admitted(), refused(), refused(), own()]), Broken);
    assert_eq!(logged(&[]), Broken);
}

#[test]
fn a_route_that_the_target_lacks_needs_no_entry_and_one_that_it_has_needs_it() {
    let verdict = |statuses: &[u16]| {
        let entries = |entries: &[Value]| json!({ "entries": entries });
        let mut builder = TraceBuilder::new()
            .operation("alice", "peer.join", json!({"peer_id": "p"}))
            .operation("before", "audit.list", entries(&[]))
            .call("call", Exchange::to_target("alice").on("GET", "resources/skill/a").answered(200));
        for status in statuses {
            let bundle = Exchange::to_target("alice").on("GET", "trust_bundle");
            builder = builder.call("call", bundle.answered(*status));
        }
        let logged = [admitted(), entry("federation.trust_bundle", "trust_bundle", 200)];
        let logged = &logged[..if statuses.contains(&200) { 2 } else { 1 }];
        builder.operation("after", "audit.list", entries(logged)).verdict::<EveryActionIsLogged>(
            json!({"call": "call", "before": "before", "after": "after", "peer": "alice"}),
        )
    };
    assert_eq!(verdict(&[404]), Kept);
    assert_eq!(verdict(&[200]), Kept);
    assert_eq!(verdict(&[200, 404]), Broken, "it has the route");
    assert_eq!(verdict(&[403]), Broken);
}

#[test]
fn an_invalid_call_without_an_entry_counts_where_the_caller_is_known_first() {
    let verdict = |anonymous: &[u16], status: u16| {
        let plan = |status: u16| Exchange::to_target("alice").on("POST", "migrations").answered(status);
        let builder = TraceBuilder::new().operation("alice", "peer.join", json!({"peer_id": "p"}));
        let made = |builder: TraceBuilder, status: &u16| builder.call("anonymous", plan(*status));
        anonymous
            .iter()
            .fold(builder, made)
            .operation("before", "audit.list", json!({"entries": []}))
            .call("call", plan(status))
            .call("call", Exchange::to_target("alice").on("GET", "resources/skill/a").answered(200))
            .operation("after", "audit.list", json!({"entries": [admitted()]}))
            .verdict::<EveryActionIsLogged>(json!({
                "call": "call", "anonymous": "anonymous", "before": "before", "after": "after",
                "peer": "alice",
            }))
    };
    assert_eq!(verdict(&[401, 401], 400), Broken);
    assert_eq!(verdict(&[401, 400], 400), Unproven, "the body comes first");
    assert_eq!(verdict(&[], 400), Unproven);
    assert_eq!(verdict(&[401, 400], 201), Broken, "it was accepted");
}

#[test]
fn entries_of_calls_that_were_not_accepted_show_nothing_about_those_that_are() {
    let entry = json!({"id": 1, "action": "federation.resources", "federation_peer_id": "p"});
    let verdict = |status: u16| {
        TraceBuilder::new()
            .operation("alice", "peer.join", json!({"peer_id": "p"}))
            .operation("before", "audit.list", json!({"entries": []}))
            .call("read", Exchange::to_target("alice").on("GET", "resources/skill/a").answered(status))
            .operation("after", "audit.list", json!({ "entries": [entry] }))
            .verdict::<EveryActionIsLogged>(json!({
                "call": "read", "accepted": "read", "before": "before", "after": "after", "peer": "alice",
            }))
    };
    assert_eq!([verdict(200), verdict(503)], [Kept, Unproven]);
}

#[test]
fn an_id_that_is_not_there_shows_that_a_route_is_not_there_unless_another_id_is() {
    let verdict = |commits: &[(&str, u16)]| {
        let mut builder = TraceBuilder::new()
            .operation("alice", "peer.join", json!({"peer_id": "p"}))
            .operation("before", "audit.list", json!({"entries": []}))
            .call("call", Exchange::to_target("alice").on("GET", "resources/skill/a").answered(200));
        for (id, status) in commits {
            let commit = Exchange::to_target("alice").on("POST", &format!("migrations/{id}/commit"));
            builder = builder.call("call", commit.answered(*status));
        }
        builder
            .operation("after", "audit.list", json!({"entries": [admitted()]}))
            .verdict::<EveryActionIsLogged>(
                json!({"call": "call", "before": "before", "after": "after", "peer": "alice"}),
            )
    };
    assert_eq!(verdict(&[("m", 404)]), Kept);
    assert_eq!(verdict(&[("m", 404), ("n", 201)]), Broken, "it has the route");
    assert_eq!(verdict(&[("m", 422)]), Broken);
}

#[test]
fn an_entry_that_fits_the_control_and_the_call_shows_two_controls_only_once() {
    let verdict = |entries: usize| {
        let refused = || Exchange::to_target("alice").on("GET", "resources/skill/a").answered(401);
        let entry = |id: usize| {
            json!({
                "id": id, "federation_peer_id": "p", "action": "federation.resources", "status": 401,
            })
        };
        TraceBuilder::new()
            .operation("alice", "peer.join", json!({"peer_id": "p"}))
            .operation("before", "audit.list", json!({"entries": []}))
            .call("refused", refused())
            .call("refused", refused())
            .call("foreign", refused())
            .operation(
                "after",
                "audit.list",
                json!({"entries": (1..=entries).map(entry).collect::<Vec<_>>()}),
            )
            .verdict::<EveryActionIsLogged>(json!({
                "call": ["refused", "foreign"], "control": "refused", "before": "before", "after": "after",
                "peer": "alice",
            }))
    };
    assert_eq!([verdict(3), verdict(2), verdict(1)], [Kept, Broken, Unproven]);
}

#[test]
fn a_named_route_of_own_calls_requires_an_entry_of_its_own() {
    let verdict = |names: &[&str], made: &[&str]| {
        let entries = names.iter().map(|name| json!({"federation_peer_id": "p", "action": name}));
        let entries: Vec<Value> = entries.chain([admitted()]).collect();
        let builder = TraceBuilder::new().operation("alice", "peer.join", json!({"peer_id": "p"})).operation(
            "before",
            "audit.list",
            json!({"entries": []}),
        );
        made.iter()
            .fold(builder, |builder, path| {
                builder.call("", Exchange::from_target("alice").on("POST", path).answered(201))
            })
            .call("call", Exchange::to_target("alice").on("GET", "resources/skill/a").answered(200))
            .operation("after", "audit.list", json!({ "entries": entries }))
            .verdict::<EveryActionIsLogged>(json!({
                "call": "call", "before": "before", "after": "after", "peer": "alice", "own_route": "migrations",
            }))
    };
    let made = ["heartbeat", "migrations", "migrations/m/commit"];
    assert_eq!(verdict(&["federation.heartbeat"], &made), Unproven, "it may be of either");
    assert_eq!(verdict(&[], &made), Broken);
    assert_eq!(verdict(&["federation.heartbeat", "federation.migrations"], &made), Kept);
    assert_eq!(verdict(&["partner.sent"], &made), Kept, "it says little");
    assert_eq!(verdict(&["federation.heartbeat"], &made[..1]), Unproven, "it sent none");
}

#[test]
fn a_list_of_entries_without_the_object_is_read() {
    let verdict = |entries: Value| {
        TraceBuilder::new()
            .operation("alice", "peer.join", json!({"peer_id": "p"}))
            .operation("before", "audit.list", json!([]))
            .call("call", Exchange::to_target("alice").on("GET", "resources/skill/a").answered(200))
            .operation("after", "audit.list", entries)
            .verdict::<EveryActionIsLogged>(
                json!({"call": "call", "before": "before", "after": "after", "peer": "alice"}),
            )
    };
    assert_eq!(verdict(json!([admitted()])), Kept);
    assert_eq!(verdict(json!([])), Broken);
    assert_eq!(verdict(json!({"log": [admitted()]})), Unproven, "no form of the protocol");
}

#[test]
fn an_entry_that_sums_up_calls_is_neither_broken_nor_kept() {
    let sum = |id: u64, count: u64| json!({"id": id, "payload": {"federation_peer_id": "p", "action": "resources", "status": 200, "count": count}});
    let verdict = |before: Value, after: Value| {
        let read = || Exchange::to_target("alice").on("GET", "resources/skill/a").answered(200);
        TraceBuilder::new()
            .operation("alice", "peer.join", json!({"peer_id": "p"}))
            .operation("before", "audit.list", json!({"entries": before}))
            .call("call", read())
            .call("call", read())
            .call("call", read())
            .operation("after", "audit.list", json!({"entries": after}))
            .verdict::<EveryActionIsLogged>(
                json!({"call": "call", "before": "before", "after": "after", "peer": "alice"}),
            )
    };
    assert_eq!(verdict(json!([]), json!([sum(1, 3)])), Unproven);
    assert_eq!(verdict(json!([]), json!([sum(1, 2)])), Broken, "one is not counted");
    assert_eq!(verdict(json!([sum(1, 4)]), json!([sum(1, 7)])), Unproven, "it grew");
    assert_eq!(verdict(json!([sum(1, 4)]), json!([sum(1, 4)])), Broken);
    let single = json!([sum(1, 1), sum(2, 1), sum(3, 1)]);
    assert_eq!(verdict(json!([]), single), Kept);
}

#[test]
fn an_entry_of_one_call_does_not_count_for_another() {
    assert_eq!(logged(&[admitted(), transport(&admitted()), own()]), Broken);
    assert_eq!(logged(&[admitted(), admitted(), own(), own()]), Broken);
}

#[test]
fn levels_and_background_are_no_doubles() {
    let levels = [admitted(), transport(&admitted()), refused(), transport(&refused()), own()];
    assert_eq!(logged(&levels), Kept);
    let sweep = json!({"federation_peer_id": "p", "action": "peer.liveness.checked"});
    let background: Vec<_> = [admitted(), refused(), own()].into_iter().chain(vec![sweep; 9]).collect();
    assert_eq!(logged(&background), Kept);
    // A call of the target that never reached the peer.
    let attempt = json!({"federation_peer_id": "p", "action": "federation.heartbeat.sent", "status": null});
    assert_eq!(logged(&[admitted(), refused(), own(), attempt.clone(), attempt]), Kept);
    // The accept came before the first snapshot, and is logged after it.
    let late = entry("federation.accept", "accept", 200);
    assert_eq!(logged(&[admitted(), refused(), own(), late.clone()]), Kept);
    assert_eq!(logged(&[admitted(), refused(), own(), late.clone(), late]), Broken);
}

#[test]
fn entries_that_say_little_are_counted() {
    let plain = |action: &str| json!({"federation_peer_id": "p", "action": action});
    assert_eq!(logged(&[plain("read"), plain("read"), plain("heartbeat")]), Kept);
    assert_eq!(logged(&[plain("read"), plain("read")]), Broken);
    assert_eq!(logged(&[plain("read"), plain("read"), plain("grant.used"), plain("heartbeat")]), Kept);
    assert_eq!(logged(&vec![plain("read"); 5]), Broken);
}

#[test]
fn an_entry_that_grew_is_not_new() {
    let old = json!({"id": 0, "federation_peer_id": "p", "action": "federation.accept", "read_at": 1});
    assert_eq!(logged_after(&old, &[admitted(), refused(), own()]), Kept);
}

/// Returns the verdict on the excerpt that the peer gets, without a snapshot of before.
fn disclosed(new: &[Value]) -> Verdict {
    let mut before = entry("federation.accept", "accept", 200);
    before["id"] = json!(0);
    let with = json!({"call": "call", "after": "excerpt", "peer": "alice"});
    peer_calls(&before, new).verdict::<EveryActionIsLogged>(with)
}

#[test]
fn an_excerpt_shows_the_log_unless_the_audit_has_more() {
    assert_eq!(disclosed(&[admitted(), refused(), own()]), Kept);
    assert_eq!(disclosed(&[admitted(), own()]), Broken);
    assert_eq!(disclosed(&[]), Broken);
    // The excerpt has the request for it.
    let read = entry("federation.audit_excerpts", "audit_excerpts", 200);
    assert_eq!(disclosed(&[admitted(), refused(), own(), read]), Kept);
    let mut withheld = refused();
    withheld["withheld"] = json!(true);
    assert_eq!(disclosed(&[admitted(), withheld, own()]), Unproven, "the audit has it: 5.4");
}

#[test]
fn entries_of_the_handshake_are_counted_for_no_read() {
    let of = |action: &str| json!({"federation_peer_id": "p", "action": action});
    let handshake = ["platform.peer.accepted", "platform.peer.enrolled"].map(of);
    assert_eq!(disclosed(&[&handshake[..], &[own()]].concat()), Unproven);
    assert_eq!(disclosed(&[&handshake[..], &[admitted(), refused(), own()]].concat()), Kept);
}

#[test]
fn a_peer_under_another_member_is_unproven() {
    let other = |mut entry: Value| {
        entry["peer"] = entry["federation_peer_id"].take();
        entry
    };
    assert_eq!(logged(&[other(admitted()), other(refused()), other(own())]), Unproven);
    assert_eq!(logged(&[other(admitted()), other(own())]), Broken);
}
