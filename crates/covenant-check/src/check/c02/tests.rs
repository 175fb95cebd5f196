//! Tests of the checks that use the model of a grant.

use crate::check::Verdict::{self, Broken, Kept, Unproven};
use crate::check::c02::ended_grant_is_rejected::EndedGrantIsRejected;
use crate::check::c02::granted_requests_are_served::GrantedRequestsAreServed;
use crate::check::trace_builder::TraceBuilder;
use covenant_model::transcript::Exchange;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Returns a trace with a grant of seven days, whose reported end is this many seconds later than requested.
/// Record `id` is read under it at first, and again this many seconds before the requested end, with this answer.
fn read_under_grant(reported_later: i64, id: &str, before: i64, status: u16) -> TraceBuilder {
    const WEEK: i64 = 7 * 24 * 3600;
    let put = json!({"kind": "skill", "id": "there", "record": {"name": "a"}});
    let terms =
        json!({"peer_id": "row", "resource_kind": "skill", "permission_scopes": ["read"], "ttl_days": 7});
    let builder = TraceBuilder::new();
    let ends = builder.now() + SignedDuration::from_secs(WEEK + reported_later);
    let issued = json!({"grant_id": "g", "expires_at": ends.to_string()});
    let read = |status: u16| {
        Exchange::to_target("alice").on("GET", &format!("resources/skill/{id}")).answered(status)
    };
    builder
        .operation("alice", "peer.join", json!({"peer_id": "row"}))
        .operation_with("", "resource.put", put, json!({}))
        .operation_with("grant", "grant.issue", terms, issued)
        .call("first", read(200))
        .advance(WEEK - before)
        .call("asked", read(status))
}

/// Returns the verdicts of both checks on that trace.
fn verdicts(reported_later: i64, id: &str, before: i64, status: u16) -> [Verdict; 2] {
    let builder = read_under_grant(reported_later, id, before, status);
    let with = || json!({"call": "asked", "grant": "grant"});
    [builder.verdict::<GrantedRequestsAreServed>(with()), builder.verdict::<EndedGrantIsRejected>(with())]
}

#[test]
fn a_request_served_long_before_the_end_leaves_the_end_unproven() {
    let verdict = |reported_later: i64, before: i64| {
        let with = json!({"call": "asked", "grant": "grant", "until_seconds": 60});
        let builder = read_under_grant(reported_later, "there", before, 200);
        builder.verdict::<GrantedRequestsAreServed>(with)
    };
    assert_eq!([verdict(0, 2), verdict(0, 60)], [Kept, Kept]);
    assert_eq!([verdict(0, 61), verdict(0, 3 * 24 * 3600)], [Unproven, Unproven]);
    assert_eq!(verdict(3600, 30), Kept, "its end as requested is near");
}

#[test]
fn a_grant_that_the_target_itself_revoked_and_announced_proves_nothing() {
    let verdict = |kind: &str, status: u16| {
        let event = json!({"events": [{"id": "1", "kind": kind, "payload": {"grant_id": "g"}}]});
        let notice = Exchange::from_target("alice").on("POST", "heartbeat").sending(event);
        let read = Exchange::to_target("alice").on("GET", "resources/skill/there").answered(status);
        read_under_grant(0, "there", 3600, 200)
            .call_from_target(notice.answered_with(200, json!({})))
            .call("asked", read)
            .verdict::<GrantedRequestsAreServed>(json!({"call": "asked", "grant": "grant"}))
    };
    assert_eq!(verdict("platform.grant.revoked", 401), Unproven);
    assert_eq!(
        verdict("platform.grant.revoked", 200),
        Unproven,
        "it was served after its end had been announced"
    );
    assert_eq!(verdict("platform.peer.revoked", 401), Unproven, "it ended the whole peering");
    assert_eq!(verdict("platform.grants.withdrawn", 401), Unproven, "a notice of an unknown form");
    assert_eq!(verdict("platform.grants.withdrawn", 200), Kept);
    assert_eq!(verdict("platform.news.published", 401), Broken);
}

#[test]
fn a_grant_that_ends_with_a_notice_from_a_queue_proves_nothing() {
    let verdict = |notice: Option<Value>, is_open: bool, may_end: bool| {
        let read =
            |status: u16| Exchange::to_target("alice").on("GET", "resources/skill/there").answered(status);
        let beat = |sent: Value| {
            Exchange::from_target("alice").on("POST", "heartbeat").sending(sent).answered_with(200, json!({}))
        };
        let builder = read_under_grant(0, "there", 3600, 200);
        let builder = if is_open { builder.call_from_target(beat(json!({}))) } else { builder };
        let builder = builder.call("asked", read(401));
        let builder = match notice {
            Some(notice) => builder.call_from_target(beat(notice)).call("asked", read(401)),
            None => builder,
        };
        let with = json!({"call": "asked", "grant": "grant", "may_end_with_notice": may_end});
        builder.verdict::<GrantedRequestsAreServed>(with)
    };
    let event = |kind: &str, grant: &str| {
        Some(json!({"events": [{"id": "1", "kind": kind, "payload": {"grant_id": grant}}]}))
    };
    for may_end in [false, true] {
        assert_eq!(verdict(event("platform.grant.revoked", "g"), true, may_end), Unproven);
        assert_eq!(verdict(event("platform.peer.revoked", ""), true, may_end), Unproven);
        assert_eq!(verdict(Some(json!({"status": "revoked"})), true, may_end), Unproven);
        assert_eq!(verdict(Some(json!({"status": "superseded"})), true, may_end), Unproven);
        assert_eq!(verdict(event("platform.peer.replaced", ""), true, may_end), Unproven);
        assert_eq!(verdict(event("platform.skill.replaced", ""), true, may_end), Broken);
        assert_eq!(verdict(Some(json!({"status": "ended"})), true, may_end), Unproven);
        assert_eq!(verdict(event("platform.peering.ended", ""), true, may_end), Unproven);
        assert_eq!(verdict(Some(json!({"status": "suspended"})), true, may_end), Broken);
        assert_eq!(verdict(event("platform.peer.suspended", ""), true, may_end), Broken);
        assert_eq!(verdict(Some(json!({"status": "active"})), true, may_end), Broken);
        assert_eq!(verdict(None, true, may_end), Broken);
    }
    assert_eq!([verdict(None, false, true), verdict(None, false, false)], [Unproven, Broken]);
}

#[test]
fn a_notice_that_the_operator_asked_for_withdraws_nothing() {
    let event =
        json!({"events": [{"id": "1", "kind": "platform.grant.revoked", "payload": {"grant_id": "g"}}]});
    let notice = Exchange::from_target("alice").on("POST", "heartbeat").sending(event);
    let read = Exchange::to_target("alice").on("GET", "resources/skill/there").answered(401);
    let verdict = read_under_grant(0, "there", 3600, 200)
        .call("asked", read)
        .operation_with("", "grant.revoke", json!({"grant_id": "g"}), json!({}))
        .call_from_target(notice.answered_with(200, json!({})))
        .verdict::<GrantedRequestsAreServed>(json!({"call": "asked", "grant": "grant"}));
    assert_eq!(verdict, Broken);
}

#[test]
fn a_refusal_after_a_review_counts_beside_a_fresh_grant_that_is_served() {
    let verdict = |first: u16, fresh: u16, last: u16, is_open: bool| {
        let read =
            |status: u16| Exchange::to_target("alice").on("GET", "resources/skill/there").answered(status);
        let builder = read_under_grant(0, "there", 3600, first).call("fresh", read(fresh));
        let builder = builder.call("asked", read(last));
        let beat = Exchange::from_target("bob").on("POST", "heartbeat").answered(200);
        let builder = if is_open { builder.call_from_target(beat) } else { builder };
        let with = json!({"call": "asked", "grant": "grant", "control": "fresh"});
        builder.verdict::<GrantedRequestsAreServed>(with)
    };
    assert_eq!(verdict(200, 200, 200, true), Kept);
    assert_eq!(verdict(401, 200, 401, true), Broken);
    assert_eq!(verdict(401, 200, 401, false), Unproven, "a notice of its end could not arrive");
    assert_eq!(verdict(401, 401, 401, true), Unproven, "the peer is not served at all");
    assert_eq!(verdict(401, 200, 200, true), Unproven, "it was served once the peer was active");
}

#[test]
fn a_grant_that_a_review_may_have_withdrawn_proves_nothing() {
    let verdict = |status: u16, shown: &str, answer: Value| {
        let read =
            |status: u16| Exchange::to_target("alice").on("GET", "resources/skill/there").answered(status);
        let beat = Exchange::from_target("alice").on("POST", "heartbeat").answered(200);
        let own = Exchange::to_target("alice").on("POST", "heartbeat").answered_with(200, answer);
        read_under_grant(0, "there", 3600, 200)
            .call_from_target(beat)
            .operation("shown", "peer.show", json!({"peer": {"status": shown}}))
            .call("", own)
            .call("asked", read(status))
            .call("fresh", read(200))
            .call("asked", read(status))
            .verdict::<GrantedRequestsAreServed>(
                json!({"call": "asked", "grant": "grant", "control": "fresh", "suspended": "shown"}),
            )
    };
    let silent = || json!({"data": {"status": "active"}});
    assert_eq!(verdict(200, "suspended", silent()), Kept);
    assert_eq!(verdict(401, "suspended", silent()), Broken);
    assert_eq!(verdict(200, "active", silent()), Unproven, "it was not suspended");
    let withdrawn = || json!({"data": {"notices": [{"kind": "grants_ended"}]}});
    assert_eq!(verdict(401, "suspended", withdrawn()), Unproven, "its answer may announce the end");
}

#[test]
fn a_grant_ends_when_it_was_reported_to() {
    assert_eq!(verdicts(0, "there", 2, 200), [Kept, Unproven]);
    assert_eq!(verdicts(0, "there", 2, 401), [Broken, Unproven]);
    assert_eq!(verdicts(0, "there", -1, 200), [Unproven, Unproven]);
    assert_eq!(verdicts(0, "there", -2, 200), [Unproven, Broken]);
    assert_eq!(verdicts(0, "there", -2, 401), [Unproven, Kept]);
    assert_eq!(verdicts(3600, "there", -600, 200), [Unproven, Unproven], "reported to end an hour later");
    assert_eq!(verdicts(-3600, "there", 600, 401), [Unproven, Unproven], "its clock is an hour behind");
}

#[test]
fn an_absent_record_and_a_limited_caller_are_no_refusal() {
    assert_eq!(verdicts(0, "absent", 2, 404)[0], Unproven);
    assert_eq!(verdicts(0, "there", 2, 404)[0], Broken);
    assert_eq!(verdicts(0, "there", 2, 429)[0], Unproven);
}

#[test]
fn a_grant_under_which_nothing_was_ever_served_proves_nothing_about_its_end() {
    let ended = |first: u16| {
        let terms = json!({"peer_id": "row", "resource_kind": "skill", "permission_scopes": ["read"]});
        let builder = TraceBuilder::new();
        let issued = json!({"grant_id": "g", "expires_at": builder.now().to_string()});
        let read =
            |status: u16| Exchange::to_target("alice").on("GET", "resources/skill/there").answered(status);
        builder
            .operation("alice", "peer.join", json!({"peer_id": "row"}))
            .operation_with("grant", "grant.issue", terms, issued)
            .call("first", read(first))
            .advance(60)
            .call("asked", read(401))
            .verdict::<EndedGrantIsRejected>(json!({"call": "asked", "grant": "grant"}))
    };
    assert_eq!([ended(200), ended(401), ended(404)], [Kept, Unproven, Unproven]);
}

#[test]
fn a_plan_that_fails_under_a_2xx_is_refused_and_one_that_has_not_ended_is_open() {
    let verdicts = |before: i64, code: u16, status: &str| {
        let terms = json!({"peer_id": "row", "resource_kind": "skill", "permission_scopes": ["migrate"], "ttl_days": 7});
        let builder = TraceBuilder::new();
        let ends = builder.now() + SignedDuration::from_hours(7 * 24);
        let issued = json!({"grant_id": "g", "expires_at": ends.to_string()});
        let plan = |code: u16, status: &str| {
            Exchange::to_target("alice")
                .on("POST", "migrations")
                .sending(json!({"root_resource_kind": "skill", "root_resource_id": "a", "steps": []}))
                .answered_with(code, json!({"data": {"migration_id": "m", "status": status}}))
        };
        let builder = builder
            .operation("alice", "peer.join", json!({"peer_id": "row"}))
            .operation_with("grant", "grant.issue", terms, issued)
            .call("first", plan(201, "completed"))
            .advance(7 * 24 * 3600 - before)
            .call("asked", plan(code, status));
        let with = || json!({"call": "asked", "grant": "grant"});
        [builder.verdict::<GrantedRequestsAreServed>(with()), builder.verdict::<EndedGrantIsRejected>(with())]
    };
    assert_eq!(verdicts(60, 201, "completed"), [Kept, Unproven]);
    assert_eq!(verdicts(60, 200, "failed"), [Broken, Unproven]);
    assert_eq!(verdicts(60, 202, "validating"), [Unproven, Unproven]);
    assert_eq!(verdicts(-60, 201, "completed"), [Unproven, Broken]);
    assert_eq!(verdicts(-60, 200, "failed"), [Unproven, Kept]);
    assert_eq!(verdicts(-60, 202, "validating"), [Unproven, Unproven]);
    assert_eq!(verdicts(-60, 429, "limited"), [Unproven, Unproven]);
}
