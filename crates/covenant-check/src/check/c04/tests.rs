//! Tests of the two checks of the notice.

use serde_json::{Value, json};

use crate::check::Verdict::{self, Broken, Kept, Unproven};
use crate::check::c04::revoked_event_precedes_teardown::RevokedEventPrecedesTeardown;
use crate::check::c04::revoked_status_precedes_teardown::RevokedStatusPrecedesTeardown;
use crate::check::trace_builder::TraceBuilder;
use covenant_model::transcript::{Exchange, FailureKind, What};
use covenant_model::wire::notice::kind::PEER_REVOKED;

fn no() -> Value {
    json!({"error": "Certificate is revoked"})
}

fn event() -> Value {
    json!({"status": "active", "events": [{"kind": PEER_REVOKED}]})
}

fn status() -> Value {
    json!({"status": "revoked"})
}

fn both() -> Value {
    json!({"status": "revoked", "events": [{"kind": PEER_REVOKED}]})
}

/// Returns a call of alice that gets this answer.
fn call(status: u16, answer: Value) -> Exchange {
    Exchange::to_target("alice").on("POST", "heartbeat").sending(json!({})).answered_with(status, answer)
}

/// Returns a call of the target to alice on this path.
fn sent(path: &str, body: &Value) -> Exchange {
    Exchange::from_target("alice").on("POST", path).sending(body.clone()).answered_with(200, json!({}))
}

/// Returns the verdicts on the event and on the status, after these entries.
fn verdicts(after: impl Fn(TraceBuilder) -> TraceBuilder) -> [Verdict; 2] {
    let builder = TraceBuilder::new()
        .call_from_target(sent("heartbeat", &json!({"status": "active"})))
        .call("before", call(200, json!({})));
    let builder = after(builder);
    let with = json!({"peer": "alice", "revoke": "revoke", "call": "call"});
    [
        builder.verdict::<RevokedEventPrecedesTeardown>(with.clone()),
        builder.verdict::<RevokedStatusPrecedesTeardown>(with),
    ]
}

/// Returns the verdicts on a target that sends this while it revokes, and then refuses.
fn announced(path: &str, body: &Value) -> [Verdict; 2] {
    verdicts(|builder| {
        builder
            .call_from_target(sent(path, body))
            .operation("revoke", "peer.revoke", json!({}))
            .call("call", call(401, no()))
    })
}

#[test]
fn each_form_of_the_notice_is_due() {
    assert_eq!(announced("heartbeat", &both()), [Kept, Kept]);
    assert_eq!(announced("heartbeat", &event()), [Kept, Broken]);
    assert_eq!(announced("heartbeat", &status()), [Broken, Kept]);
    assert_eq!(announced("heartbeat", &json!({"status": "active"})), [Broken, Broken]);
    let other_notice = json!({"events": [{"kind": "platform.grant.revoked"}]});
    assert_eq!(announced("heartbeat", &other_notice), [Broken, Broken]);
    assert_eq!(announced("heartbeat", &json!(["status"])), [Broken, Broken]);
}

#[test]
fn a_notice_of_another_form_is_no_silence() {
    let other_kind = json!({"status": "active", "events": [{"kind": "federation.revocation"}]});
    assert_eq!(announced("heartbeat", &other_kind), [Unproven, Unproven]);
    assert_eq!(announced("heartbeat", &json!({"peer_status": "revoked"})), [Unproven, Unproven]);
    assert_eq!(announced("heartbeat", &json!({"revoked_at": "2026-06-01T00:00:00Z"})), [Unproven, Unproven]);
    assert_eq!(announced("heartbeat", &json!({"revoked_at": null})), [Broken, Broken]);
    assert_eq!(announced("events", &json!({"kind": PEER_REVOKED})), [Unproven, Unproven]);
    assert_eq!(announced("farewell", &json!({})), [Unproven, Unproven]);
    assert_eq!(
        verdicts(|builder| {
            let builder = builder.operation("revoke", "peer.revoke", json!({}));
            let builder = builder.call("call", call(200, json!({"data": {"status": "revoked"}})));
            builder.call("call", call(401, no()))
        }),
        [Unproven, Unproven]
    );
    let gone = json!({"error": "gone", "events": [{"kind": PEER_REVOKED}]});
    assert_eq!(
        verdicts(|builder| builder
            .operation("revoke", "peer.revoke", json!({}))
            .call("call", call(410, gone.clone()))),
        [Unproven, Unproven]
    );
}

#[test]
fn the_two_forms_may_come_one_after_the_other_and_not_both_after_a_refusal() {
    let forms = |before: Option<Value>, after: &[Value]| {
        verdicts(|builder| {
            let builder = before
                .iter()
                .fold(builder, |builder, body| builder.call_from_target(sent("heartbeat", body)));
            let builder = builder.operation("revoke", "peer.revoke", json!({})).call("call", call(401, no()));
            after.iter().fold(builder, |builder, body| builder.call_from_target(sent("heartbeat", body)))
        })
    };
    assert_eq!(forms(Some(event()), &[status()]), [Kept, Unproven]);
    assert_eq!(forms(Some(status()), &[event()]), [Unproven, Kept]);
    assert_eq!(forms(None, &[event(), status()]), [Broken, Broken]);
}

#[test]
fn a_limit_is_no_teardown() {
    for status_code in [429, 503] {
        let verdicts = verdicts(|builder| {
            let builder = builder
                .operation("revoke", "peer.revoke", json!({}))
                .call("call", call(status_code, json!({})));
            let builder = builder
                .call_from_target(sent("heartbeat", &event()))
                .call_from_target(sent("heartbeat", &status()));
            builder.call("call", call(401, no()))
        });
        assert_eq!(verdicts, [Kept, Kept], "{status_code}");
    }
}

#[test]
fn a_peer_that_was_offline_gets_the_notice_when_it_is_back() {
    let back = |notice: Option<Value>| {
        let builder = TraceBuilder::new()
            .call_from_target(sent("heartbeat", &json!({"status": "active"})))
            .call("before", call(200, json!({})))
            .operation("revoke", "peer.revoke", json!({}))
            .call("call", call(401, no()));
        let builder =
            notice.iter().fold(builder, |builder, body| builder.call_from_target(sent("heartbeat", body)));
        let with = json!({"peer": "alice", "revoke": "revoke", "call": "call", "offline": true});
        builder.verdict::<RevokedEventPrecedesTeardown>(with)
    };
    assert_eq!(back(Some(event())), Kept);
    assert_eq!(back(None), Broken);
    assert_eq!(back(Some(json!({"events": [{"kind": "peering.terminated"}]}))), Unproven);
}

#[test]
fn a_call_during_the_revocation_shows_a_teardown_before_the_notice() {
    let verdicts = |statuses: [u16; 2]| {
        verdicts(|builder| {
            let interposed = What::Exchange(call(statuses[0], json!({})));
            let builder =
                builder.between_steps("call", interposed).call_from_target(sent("heartbeat", &both()));
            builder.operation("revoke", "peer.revoke", json!({})).call("call", call(statuses[1], no()))
        })
    };
    assert_eq!(verdicts([401, 401]), [Broken, Broken]);
    assert_eq!(verdicts([200, 401]), [Kept, Kept]);
    assert_eq!(verdicts([429, 401]), [Kept, Kept]);
}

#[test]
fn a_slow_revocation_serves_calls_until_the_notice() {
    let verdicts = |first: u16| {
        verdicts(|builder| {
            let builder =
                builder.operation("revoke", "peer.revoke", json!({})).call("call", call(first, json!({})));
            let builder = builder
                .call_from_target(sent("heartbeat", &event()))
                .call_from_target(sent("heartbeat", &status()));
            builder.call("call", call(401, no()))
        })
    };
    assert_eq!(verdicts(200), [Kept, Kept]);
    assert_eq!(verdicts(401), [Broken, Broken]);
}

#[test]
fn a_call_that_was_lost_is_no_teardown_and_a_refused_certificate_is_one() {
    let verdicts = |kind: FailureKind| {
        verdicts(|builder| {
            let lost = Exchange::to_target("alice").on("POST", "heartbeat").sending(json!({})).failing(kind);
            let builder = builder.operation("revoke", "peer.revoke", json!({})).call("call", lost);
            let builder = builder
                .call_from_target(sent("heartbeat", &event()))
                .call_from_target(sent("heartbeat", &status()));
            builder.call("call", call(401, no()))
        })
    };
    for kind in [
        FailureKind::Timeout,
        FailureKind::Closed,
        FailureKind::Refused,
        FailureKind::Handshake,
        FailureKind::Malformed,
    ] {
        assert_eq!(verdicts(kind), [Kept, Kept], "{kind}");
    }
    assert_eq!(verdicts(FailureKind::Certificate), [Broken, Broken]);
}

#[test]
fn a_call_that_was_put_off_before_the_revocation_does_not_show_that_the_peer_was_not_admitted() {
    let late_notice = verdicts(|builder| {
        let builder = builder.call("limited", call(429, no())).operation("revoke", "peer.revoke", json!({}));
        builder.call("call", call(401, no())).call_from_target(sent("heartbeat", &both()))
    });
    assert_eq!(late_notice, [Broken, Broken]);
}

#[test]
fn a_peer_that_was_not_admitted_before_gets_the_notice_too() {
    let verdicts = |is_announced: bool| {
        verdicts(|builder| {
            let builder = builder
                .operation("", "peer.suspend", json!({}))
                .call("suspended", call(401, no()))
                .operation("revoke", "peer.revoke", json!({}))
                .call("call", call(401, no()));
            if is_announced { builder.call_from_target(sent("heartbeat", &both())) } else { builder }
        })
    };
    assert_eq!(verdicts(true), [Kept, Kept]);
    assert_eq!(verdicts(false), [Broken, Broken]);
}

#[test]
fn a_notice_in_one_form_is_not_called_silence() {
    let text = |body: &Value| {
        let builder = TraceBuilder::new().call("before", call(200, json!({})));
        let builder = builder.call_from_target(sent("heartbeat", body));
        let builder = builder.operation("revoke", "peer.revoke", json!({})).call("call", call(401, no()));
        let with = json!({"peer": "alice", "revoke": "revoke", "call": "call"});
        builder.result::<RevokedStatusPrecedesTeardown>(with).actual
    };
    let expected = "a platform.peer.revoked event came, and not a heartbeat whose status is revoked";
    assert!(text(&event()).ends_with(expected), "{}", text(&event()));
    assert!(text(&json!({})).ends_with("no notice of any form"), "{}", text(&json!({})));
}

/// Returns the verdicts on a target that refuses a read under a grant with this status while it connects to deliver the notice,
/// and sends these events then.
fn read_at_the_notice(served_before: bool, status: u16, events: &[&str]) -> [Verdict; 2] {
    let read = |status: u16| {
        let answer = if status == 200 { json!({"data": {}}) } else { no() };
        Exchange::to_target("alice").on("GET", "resources/skill/a").answered_with(status, answer)
    };
    verdicts(|builder| {
        let builder = if served_before { builder.call("served", read(200)) } else { builder };
        let builder = builder
            .call("before", call(200, json!({})))
            .between_steps("call", What::Exchange(call(200, json!({}))))
            .between_steps("call", What::Exchange(read(status)));
        let events: Vec<Value> = events.iter().map(|kind| json!({"kind": kind})).collect();
        let notice = json!({"status": "revoked", "events": events});
        builder
            .call_from_target(sent("heartbeat", &notice))
            .operation("revoke", "peer.revoke", json!({}))
            .call("call", call(401, no()))
    })
}

#[test]
fn the_end_of_another_grant_or_one_that_is_announced_too_late_excuses_no_teardown() {
    let ended = |ids: [Option<&str>; 2]| {
        let read = |status: u16, answer: Value| {
            Exchange::to_target("alice").on("GET", "resources/skill/a").answered_with(status, answer)
        };
        let end = |id: &str| json!({"kind": "platform.grant.revoked", "payload": {"grant_id": id}});
        let [with, after] = ids.map(|id| id.map(end).into_iter().collect::<Vec<Value>>());
        let events: Vec<Value> = with.into_iter().chain([json!({"kind": PEER_REVOKED})]).collect();
        verdicts(|builder| {
            builder
                .call("served", read(200, json!({"data": {"grant_id": "g"}})))
                .call("before", call(200, json!({})))
                .between_steps("call", What::Exchange(read(401, no())))
                .call_from_target(sent("heartbeat", &json!({"status": "revoked", "events": events})))
                .call_from_target(sent("heartbeat", &json!({"status": "revoked", "events": after})))
                .operation("revoke", "peer.revoke", json!({}))
                .call("call", call(401, no()))
        })
    };
    assert_eq!(ended([Some("g"), None]), [Kept, Kept]);
    assert_eq!(ended([Some("other"), None]), [Broken, Broken]);
    assert_eq!(ended([None, Some("g")]), [Broken, Broken]);
}

#[test]
fn a_grant_ends_with_a_notice_of_two_messages_whatever_the_form_of_its_id() {
    let ended = |id: Value, before: Value| {
        let read = |status: u16, answer: Value| {
            Exchange::to_target("alice").on("GET", "resources/skill/a").answered_with(status, answer)
        };
        let end = json!({"kind": "platform.grant.revoked", "payload": {"grant_id": id}});
        verdicts(|builder| {
            builder
                .call("served", read(200, json!({"data": {"grant_id": before}})))
                .call("before", call(200, json!({})))
                .between_steps("call", What::Exchange(read(401, no())))
                .call_from_target(sent("heartbeat", &json!({"status": "revoked"})))
                .call_from_target(sent("heartbeat", &json!({"events": [end, {"kind": PEER_REVOKED}]})))
                .operation("revoke", "peer.revoke", json!({}))
                .call("call", call(401, no()))
        })
    };
    assert_eq!(ended(json!("g"), json!("g")), [Kept, Kept]);
    assert_eq!(ended(json!("12"), json!(12)), [Kept, Kept]);
    assert_eq!(ended(json!("other"), json!("g")), [Broken, Broken]);
}

#[test]
fn a_grant_that_ends_before_the_notice_is_a_teardown() {
    assert_eq!(read_at_the_notice(true, 200, &[PEER_REVOKED]), [Kept, Kept]);
    assert_eq!(read_at_the_notice(true, 401, &[PEER_REVOKED]), [Broken, Broken]);
    assert_eq!(read_at_the_notice(true, 403, &[PEER_REVOKED]), [Broken, Broken]);
    assert_eq!(read_at_the_notice(true, 422, &[PEER_REVOKED]), [Kept, Kept], "refused for another reason");
    assert_eq!(read_at_the_notice(false, 401, &[PEER_REVOKED]), [Kept, Kept], "it was never served");
    let with_its_own = read_at_the_notice(true, 401, &["platform.grant.revoked", PEER_REVOKED]);
    assert_eq!(with_its_own, [Kept, Kept], "the grant ended with a notice of its own");
}
