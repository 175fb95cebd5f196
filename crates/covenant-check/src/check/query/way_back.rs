//! Silence: a call of the target that did not arrive, and whether it could have.
//!
//! Silence is a breach only where the way back is shown open: by a call of the target that arrived at a peer, by
//! `network.probe`, or by the user's word. One rule holds for all checks that look for a call of the target.

use jiff::{SignedDuration, Timestamp};

use super::admission::is_admitted;
use super::{CallQuery, calls};
use crate::check::arguments::Label;
use crate::check::outcome::{OrUnproven, Outcome, Stop};
use covenant_model::operator::{Method, OperatorMethod, peer, platform};
use covenant_model::transcript::{Direction, Exchange, NoteKind, Trace, WayBack, What};
use covenant_model::wire::path::Route;

/// The time in which a platform that federates sends a heartbeat. A target whose heartbeats are more than this
/// apart is silent.
const HEARTBEAT_DUE: SignedDuration = SignedDuration::from_mins(10);

/// The operations after which a platform may owe a peer no heartbeat, or can send none.
const HEARTBEATS_PAUSE: [Method; 4] =
    [peer::Suspend::METHOD, peer::Revoke::METHOD, platform::Stop::METHOD, platform::Kill::METHOD];

/// Returns the stop for a call of the target to a peer that did not arrive: broken, as these entries and the one
/// that shows the way back, or unproven if nothing shows it.
pub(in crate::check) fn silence(
    trace: &Trace,
    peer: &str,
    actual: impl Into<String>,
    evidence: impl IntoIterator<Item = u64>,
) -> Stop {
    let evidence = evidence.into_iter();
    let Some((n, way_back)) = trace.way_back(peer) else { return not_shown_open(peer, evidence) };
    let actual = with_word(actual.into(), &way_back);
    Stop::broken(actual, evidence.chain([n]))
}

/// Returns the stop for a target that sent a peer no heartbeat and named `lacking` in no answer: broken if a
/// heartbeat was due, and could have arrived.
pub(in crate::check) fn silence_of_heartbeats(trace: &Trace, peer: &str, lacking: &str) -> Stop {
    if trace.way_back(peer).is_none() {
        return not_shown_open(peer, []);
    }
    let Some((first, last)) = active_peering(trace, peer) else {
        return Stop::unproven("the target sent no heartbeat", []);
    };
    let minutes = HEARTBEAT_DUE.as_mins();
    let actual = format!("no heartbeat within {minutes} minutes of an active peering, and no {lacking}");
    silence(trace, peer, actual, [first, last])
}

/// Returns the outcome, where a breach is unproven unless a call of the target arrived at the peer after the entry `moved`, in which
/// the peer named another address, and before the operation `revoke`, of which a notice is owed. Nothing else shows that the way to
/// that address is open, and known to the target.
pub(in crate::check) fn unless_lost_by_move(
    outcome: Outcome,
    trace: &Trace,
    peer: &str,
    moved: Option<&Label>,
    revoke: &Label,
) -> Outcome {
    let Some(moved) = moved.filter(|_| matches!(outcome, Err(Stop::Broken(_)))) else { return outcome };
    let moved = calls(trace).labelled(moved).accepted().next();
    let moved = moved.or_unproven("the target accepted no heartbeat that names the new address")?.n();
    let revoked = trace.operation(revoke).map_or(moved, |(n, _)| n);
    let arrived = calls(trace).of(peer).made_by_target().after(moved).before(revoked).next();
    arrived.or_unproven_at("no call of the target arrived at the new address", &[moved])?;
    outcome
}

fn not_shown_open(peer: &str, evidence: impl IntoIterator<Item = u64>) -> Stop {
    let actual = format!(
        "no call of the target arrived at {peer}: the way back is not shown open; let the adapter answer \
         network.probe, or pass --way-back-open if the platform can reach the peers"
    );
    Stop::unproven(actual, evidence)
}

/// Adds whose word the way back rests on. A call that arrived needs no word.
fn with_word(actual: String, way_back: &WayBack) -> String {
    match way_back.word() {
        Some(word) => format!("{actual}; that a call could have arrived rests on {word}"),
        None => actual,
    }
}

/// Returns two heartbeats of the peer between which the target owed one: it accepted both, they are far enough
/// apart, and in between it refused nothing and its operator paused nothing.
fn active_peering(trace: &Trace, peer: &str) -> Option<(u64, u64)> {
    let mut since: Option<(u64, Timestamp)> = None;
    for entry in trace.entries() {
        match &*entry.what {
            What::Exchange(exchange) if exchange.peer == peer && !is_active(exchange) => since = None,
            What::Exchange(exchange) if exchange.peer == peer && is_heartbeat_of_peer(exchange) => {
                let (first, at) = *since.get_or_insert((entry.n, entry.at));
                if entry.at.duration_since(at) >= HEARTBEAT_DUE {
                    return Some((first, entry.n));
                }
            }
            What::Operation(operation) if HEARTBEATS_PAUSE.iter().any(|method| operation.is(*method)) => {
                since = None;
            }
            What::Note(note) if note.kind == NoteKind::Resumed => since = None,
            _ => {}
        }
    }
    None
}

fn is_heartbeat_of_peer(exchange: &Exchange) -> bool {
    exchange.direction == Direction::ToTarget && exchange.route() == Some(Route::Heartbeat)
}

/// Returns whether a call was accepted, and names no status in which a peer is not admitted.
fn is_active(exchange: &Exchange) -> bool {
    let status = exchange.data().map(|data| data["status"].clone()).unwrap_or_default();
    exchange.succeeded() && is_admitted(&status) != Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use crate::check::{CheckResult, check_with_id, result_of};
    use covenant_model::transcript::Place;
    use serde_json::{Value, json};

    /// A check, its arguments and a trace in which the target is silent, after what a builder holds already.
    type Silent = (&'static str, Value, fn(TraceBuilder) -> TraceBuilder);

    fn beat(status: u16, data: &Value) -> Exchange {
        Exchange::to_target("alice")
            .on("POST", "heartbeat")
            .sending(json!({}))
            .answered_with(status, json!({"data": data}))
    }

    fn beats_for(builder: TraceBuilder, seconds: i64) -> TraceBuilder {
        builder.call("beat", beat(200, &json!({}))).pass(seconds).call("beat", beat(200, &json!({})))
    }

    fn revoked(builder: TraceBuilder) -> TraceBuilder {
        builder.operation("revoke", "peer.revoke", json!({})).call("call", beat(401, &json!({})))
    }

    /// Returns one trace for each kind of check that looks for a call of the target.
    fn silent() -> [Silent; 8] {
        let teardown = || json!({"peer": "alice", "revoke": "revoke", "call": "call"});
        [
            ("disclosure-member-is-sent", json!({"peer": "alice", "member": "jurisdiction"}), |builder| {
                beats_for(builder, 600)
            }),
            ("residency-declared", json!({"peer": "alice"}), |builder| beats_for(builder, 600)),
            ("grant-revocation-announced", json!({"peer": "alice", "revoke": "revoke"}), |builder| {
                builder.operation_with("revoke", "grant.revoke", json!({"grant_id": "g"}), json!({}))
            }),
            ("revoked-event-precedes-teardown", teardown(), revoked),
            ("revoked-status-precedes-teardown", teardown(), revoked),
            (
                "compromise-is-disclosed-in-time",
                json!({"declare": "declared", "peers": ["alice"]}),
                |builder| {
                    let detected_at = json!({"detected_at": builder.now().to_string()});
                    builder
                        .operation_with("declared", "compromise.declare", detected_at, json!({}))
                        .advance(25 * 3600)
                },
            ),
            ("deprecation-announced", json!({"peer": "alice", "deprecate": "declared"}), |builder| {
                let breaks_at = json!({"breaks_at": "2026-07-01T00:00:00Z"});
                builder.operation_with("declared", "release.deprecate", breaks_at, json!({}))
            }),
            (
                "major-break-follows-30-day-notice",
                json!({"peer": "alice", "call": ["served", "later"]}),
                |builder| builder.call("served", beat(200, &json!({}))).call("later", beat(422, &json!({}))),
            ),
        ]
    }

    /// Returns the results of all checks over silent traces that begin with these entries.
    fn results(shown: fn(TraceBuilder) -> TraceBuilder) -> Vec<(&'static str, CheckResult)> {
        let result = |(id, with, silent): Silent| {
            let with = with.as_object().expect("arguments").clone().into_iter().collect();
            let check = check_with_id(id).expect("a check").read(&with).expect("its arguments");
            (id, result_of(&*check, &silent(shown(TraceBuilder::new())).trace()))
        };
        silent().into_iter().map(result).collect()
    }

    #[test]
    fn silence_to_a_peer_that_moved_is_unproven_until_a_call_arrives_there() {
        let verdict = |status: u16, before: bool, after: bool| {
            let arrival = |builder: TraceBuilder, arrives: bool| {
                let beat = Exchange::from_target("alice").on("POST", "heartbeat").answered(200);
                if arrives { builder.call_from_target(beat) } else { builder }
            };
            let builder = arrival(TraceBuilder::new(), true).call("moved", beat(status, &json!({})));
            let revoke = json!({"grant_id": "g"});
            let builder =
                arrival(builder, before).operation_with("revoke", "grant.revoke", revoke, json!({}));
            let builder = arrival(builder, after);
            let with = [("peer", "alice"), ("revoke", "revoke"), ("moved", "moved")];
            let with = with.map(|(name, value)| (name.to_owned(), json!(value))).into();
            let check = check_with_id("grant-revocation-announced").expect("a check").read(&with);
            result_of(&*check.expect("its arguments"), &builder.trace()).verdict
        };
        assert_eq!(verdict(200, true, true), Broken);
        assert_eq!(verdict(200, true, false), Broken);
        assert_eq!(verdict(200, false, false), Unproven, "what arrived before it moved shows nothing");
        assert_eq!(verdict(200, false, true), Unproven, "the notice may have been sent before that");
        assert_eq!(verdict(422, true, true), Unproven, "the target does not know the new address");
    }

    fn noted(builder: TraceBuilder, way_back: &WayBack) -> TraceBuilder {
        builder.unlabelled(What::Note(way_back.note()))
    }

    #[test]
    fn silence_is_unproven_where_nothing_shows_the_way_back() {
        for (id, result) in results(|builder| builder) {
            assert_eq!(result.verdict, Unproven, "{id}");
            let hint = ["the way back is not shown open", "network.probe", "--way-back-open"];
            assert!(hint.iter().all(|words| result.actual.contains(words)), "{id}: {}", result.actual);
        }
    }

    #[test]
    fn silence_is_broken_where_a_call_of_the_target_arrived() {
        for shown in [
            |builder: TraceBuilder| builder.call_from_target(Exchange::from_target("bob").answered(401)),
            |builder| {
                let elsewhere = Place { scenario: "00-sanity".to_owned(), entry: 9 };
                noted(builder, &WayBack::Arrived(elsewhere))
            },
        ] {
            for (id, result) in results(shown) {
                assert_eq!(result.verdict, Broken, "{id}");
                assert!(result.evidence.contains(&2), "{id}: {:?}", result.evidence);
                assert!(!result.actual.contains("rests on"), "{id}: {}", result.actual);
            }
        }
    }

    #[test]
    fn silence_is_broken_on_the_word_of_the_operator_or_the_user_and_says_so() {
        let probed: fn(TraceBuilder) -> TraceBuilder = |builder| {
            let url = "https://127.0.0.1:4000";
            let proposed = json!({"remote_instance_url": url, "url": url});
            builder
                .operation_with("", "network.probe", json!({"url": url}), json!({"reached": true}))
                .operation_with("", "peer.propose", proposed, json!({}))
        };
        let stated: fn(TraceBuilder) -> TraceBuilder = |builder| noted(builder, &WayBack::Stated);
        for (shown, word) in [(probed, "network.probe"), (stated, "--way-back-open")] {
            for (id, result) in results(shown) {
                assert_eq!(result.verdict, Broken, "{id}");
                assert!(result.evidence.contains(&2), "{id}: {:?}", result.evidence);
                assert!(result.actual.contains(word), "{id}: {}", result.actual);
            }
        }
    }

    #[test]
    fn heartbeats_are_due_within_ten_minutes_of_an_active_peering() {
        let verdict = |beats: fn(TraceBuilder) -> TraceBuilder| {
            let builder = beats(noted(TraceBuilder::new(), &WayBack::Stated));
            let Stop::Broken(_) = silence_of_heartbeats(&builder.trace(), "alice", "residency") else {
                return Unproven;
            };
            Broken
        };
        assert_eq!(verdict(|builder| beats_for(builder, 600)), Broken);
        assert_eq!(verdict(|builder| beats_for(builder, 599)), Unproven);
        assert_eq!(verdict(|builder| builder.pass(600).call("beat", beat(200, &json!({})))), Unproven);
        let with_pause: [fn(TraceBuilder) -> TraceBuilder; 3] = [
            |builder| builder.operation("", "peer.suspend", json!({})),
            |builder| builder.call("beat", beat(401, &json!({}))),
            |builder| builder.call("beat", beat(200, &json!({"status": "accepted"}))),
        ];
        for pause in with_pause {
            let builder = noted(TraceBuilder::new(), &WayBack::Stated).call("beat", beat(200, &json!({})));
            let builder = pause(builder.pass(300)).pass(300).call("beat", beat(200, &json!({})));
            let stop = silence_of_heartbeats(&builder.trace(), "alice", "residency");
            assert!(matches!(stop, Stop::Unproven(_)), "{stop:?}");
        }
    }
}
