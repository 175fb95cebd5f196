//! Gaps of a trace: entries that were cut, and calls that a limit of the suite rejected.
//!
//! One rule holds for all checks: no verdict rests on what was not seen.

use std::collections::BTreeMap;

use serde_json::Value;

use super::definition::AbsentCall;
use super::{CheckResult, Verdict};
use covenant_model::transcript::{Note, NoteKind, Trace};

impl CheckResult {
    /// Replaces the result with `unproven` if the check read an entry of which the beginning is kept alone: what was cut
    /// might say otherwise. A check that read no such entry has this result over the whole entry too, be it a breach or not.
    pub(super) fn unless_cut(self, trace: &Trace) -> Self {
        let Some(entry) = trace.cut_entry_read() else { return self };
        let cut = "an answer of the operator is longer than what is recorded of it";
        let actual = match self.verdict {
            Verdict::Kept | Verdict::Broken => cut.to_owned(),
            // What the check did not find may be in what was cut.
            Verdict::Unproven => format!("{}; {cut}", self.actual),
            Verdict::NotApplicable => return self,
        };
        Self { verdict: Verdict::Unproven, actual, evidence: vec![entry], ..self }
    }

    /// Replaces the result with `unproven` if it may rest on the absence of a call of the target, and a limit of the suite
    /// rejected a call to the same peer: it may be the one that is missing. `with` are the arguments of the check.
    pub(super) fn unless_rejected_by_limit(
        mut self,
        absent: AbsentCall,
        with: &BTreeMap<String, Value>,
        trace: &Trace,
    ) -> Self {
        let may_rest_on_it = match absent {
            AbsentCall::SaysNothing => false,
            AbsentCall::MayBreak => self.verdict == Verdict::Broken,
            AbsentCall::MayKeep => self.verdict == Verdict::Kept,
        };
        let rejected_by_limit = || trace.notes().find(|(_, note)| is_rejected_by_limit(note, with));
        let Some((n, note)) = may_rest_on_it.then(rejected_by_limit).flatten() else { return self };
        self.evidence.push(n);
        let actual = format!("{}; it may be the one that is missing, or more", note.message);
        Self { verdict: Verdict::Unproven, actual, ..self }
    }
}

/// Returns whether a note says that a call was rejected by a limit: one to a peer that the check is about, or to any if it names
/// none.
fn is_rejected_by_limit(note: &Note, with: &BTreeMap<String, Value>) -> bool {
    let named = ["peer", "peers"].into_iter().filter_map(|name| with.get(name));
    let mut peers = named.flat_map(|peers| match peers {
        Value::Array(peers) => peers.as_slice(),
        peer => std::slice::from_ref(peer),
    });
    let mut is_of_check = peers.by_ref().peekable();
    note.kind == NoteKind::RejectedByLimit
        && (is_of_check.peek().is_none() || is_of_check.any(|peer| *peer == note.facts["peer"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::checks;
    use crate::check::trace_builder::TraceBuilder;
    use crate::check::{PlannedCheck, evaluate};
    use covenant_model::contract::{Aspect, Basis};
    use covenant_model::transcript::{Exchange, Outcome, What};
    use serde_json::json;

    fn trace(peer: Option<&str>) -> Trace {
        let builder = TraceBuilder::new();
        let Some(peer) = peer else { return builder.trace() };
        let message =
            format!("a call of the target to {peer} was rejected by a limit: 413, its body is too long");
        let note = Note { kind: NoteKind::RejectedByLimit, message, facts: json!({ "peer": peer }) };
        builder.unlabelled(What::Note(note)).trace()
    }

    #[test]
    fn a_call_that_was_rejected_by_limit_may_be_the_one_that_is_missing() {
        use AbsentCall::{MayBreak, MayKeep, SaysNothing};
        for (absent, verdict, with, peer, wanted) in [
            (MayBreak, Broken, json!({"peer": "alice"}), Some("alice"), Unproven),
            (MayBreak, Broken, json!({"peers": ["bob", "alice"]}), Some("alice"), Unproven),
            (MayBreak, Broken, json!({"grant": "held"}), Some("alice"), Unproven),
            (MayBreak, Broken, json!({"peer": "alice"}), Some("bob"), Broken),
            (MayBreak, Broken, json!({"peer": "alice"}), None, Broken),
            (MayBreak, Kept, json!({"peer": "alice"}), Some("alice"), Kept),
            (MayKeep, Kept, json!({"peer": "alice"}), Some("alice"), Unproven),
            (MayKeep, Kept, json!({"peer": "alice"}), Some("bob"), Kept),
            (MayKeep, Broken, json!({"peer": "alice"}), Some("alice"), Broken),
            (SaysNothing, Broken, json!({"peer": "alice"}), Some("alice"), Broken),
        ] {
            let with_map = with.as_object().expect("arguments").clone().into_iter().collect();
            let result = CheckResult { verdict, expected: vec![], actual: String::new(), evidence: vec![] };
            let result = result.unless_rejected_by_limit(absent, &with_map, &trace(peer));
            assert_eq!(result.verdict, wanted, "{absent:?} {verdict:?} {with} {peer:?}");
            if wanted == Unproven {
                assert!(result.actual.contains("413") && result.evidence == [2], "{result:?}");
            }
        }
    }

    /// Returns the verdict on a target that revoked a grant of alice and sent her nothing, after what `more` adds.
    fn silent(more: impl FnOnce(TraceBuilder) -> TraceBuilder) -> CheckResult {
        let arrival = Exchange::from_target("bob").on("POST", "heartbeat").answered(200);
        let revoke = json!({"grant_id": "g"});
        let builder = TraceBuilder::new().call_from_target(arrival);
        let builder = more(builder.operation_with("revoke", "grant.revoke", revoke, json!({})));
        let trace = builder.unlabelled(What::End(Outcome::Completed)).trace();
        let check = PlannedCheck {
            id: "x#1".to_owned(),
            scenario: "x".to_owned(),
            clause: "2.3".parse().expect("a clause"),
            aspect: Aspect::Conduct,
            check: "grant-revocation-announced".to_owned(),
            basis: Basis::Observed,
            rests_on: vec![],
            deepens: false,
            requirement: String::new(),
            with: [("peer", "alice"), ("revoke", "revoke")]
                .map(|(name, label)| (name.to_owned(), label.into()))
                .into(),
        };
        evaluate(&check, Some(&trace)).result
    }

    #[test]
    fn silence_is_unproven_where_a_call_to_the_same_peer_was_rejected_by_limit() {
        let rejected_by_limit = |peer: &'static str| {
            silent(|builder| {
                let note = Note {
                    kind: NoteKind::RejectedByLimit,
                    message: format!("a call of the target to {peer} was rejected by a limit: 503, no room"),
                    facts: json!({ "peer": peer }),
                };
                builder.unlabelled(What::Note(note))
            })
        };
        assert_eq!(silent(|builder| builder).verdict, Broken);
        assert_eq!(rejected_by_limit("bob").verdict, Broken);
        let result = rejected_by_limit("alice");
        assert_eq!(result.verdict, Unproven);
        assert!(result.actual.contains("503, no room") && result.evidence.contains(&4), "{result:?}");
    }

    #[test]
    fn a_cut_entry_costs_the_checks_that_read_it_and_no_other() {
        let long = || json!({"events": "x".repeat(3 << 20)});
        // The check reads the revocation and the calls. Nothing in a list of events could excuse the silence.
        let unread = silent(|builder| builder.operation_with("listed", "event.list", json!({}), long()));
        assert_eq!(unread.verdict, Broken, "{}", unread.actual);
        let unread = silent(|builder| builder.operation_with("revoke", "event.list", json!({}), json!({})));
        assert_eq!(unread.verdict, Unproven, "another operation under the label names no grant");
        let read = silent(|builder| {
            builder.operation_with("revoke", "grant.revoke", json!({"grant_id": "g"}), long())
        });
        assert_eq!((read.verdict, &*read.evidence), (Unproven, &[4][..]), "{}", read.actual);
        assert!(read.actual.contains("longer than what is recorded"), "{}", read.actual);
        // What was left out of a note may concern every check.
        let note = silent(|builder| {
            let facts = long();
            builder.unlabelled(What::Note(Note { kind: NoteKind::Kinds, message: String::new(), facts }))
        });
        assert_eq!(note.verdict, Unproven, "{}", note.actual);
    }

    /// The checks that use the rule of the way back, and others whose breach or pass may be the absence of a call.
    #[test]
    fn each_check_of_a_call_of_the_target_says_what_its_absence_means() {
        let ids = |meaning: AbsentCall| {
            checks().filter(|check| check.absent_call == meaning).map(|check| check.id).collect::<Vec<_>>()
        };
        let (breaks, keeps) = (ids(AbsentCall::MayBreak), ids(AbsentCall::MayKeep));
        for silent in [
            "disclosure-member-is-sent",
            "grant-revocation-announced",
            "revoked-event-precedes-teardown",
            "revoked-status-precedes-teardown",
            "residency-declared",
            "compromise-is-disclosed-in-time",
            "deprecation-announced",
            "major-break-follows-30-day-notice",
        ] {
            assert!(breaks.contains(&silent), "{silent}");
        }
        assert_eq!((breaks.len(), keeps.len()), (12, 10), "{breaks:?} {keeps:?}");
    }
}
