//! `subjects-are-logged`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::audit_entry::{AuditEntry, MatchStrength, has_subject, member, names_subject};
use super::audit_window::AuditWindow;
use super::subject::valid_subjects;
use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::definition::Check;
use crate::check::general::reply_summary;
use crate::check::outcome::{Outcome, Pass, Stop};
use covenant_model::transcript::{Exchange, Trace};

/// For each call an audit entry says who acted: the remote subject of the grant, or that of the certificate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct SubjectsAreLogged {
    /// The calls that the peer made between the two snapshots.
    pub call: Labels,
    /// The snapshot of the audit before the calls. Without one, nothing was logged before.
    pub before: Option<Label>,
    /// The snapshot of the audit after the calls: what the operator sees, or the excerpt that the peer gets.
    pub after: Label,
    /// The peer that made the calls.
    pub peer: PeerName,
    /// The operation that issued the peer's grant.
    pub grant: Label,
}

impl Check for SubjectsAreLogged {
    const ID: &'static str = "subjects-are-logged";
    const EXPECTED: &'static [&'static str] = &["remote_subject: the grant's, or the CN of the certificate"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let window = AuditWindow::read(trace, &self.peer, &self.call, self.before.as_ref(), &self.after)?;
        let issued = trace.operation(&self.grant).map(|(_, issue)| issue);
        let valid = valid_subjects(trace, &self.peer, &window.peer_id, issued);
        let valid: Vec<&str> = valid.iter().map(String::as_str).collect();
        if window.new.is_empty() {
            return Err(Stop::unproven("no new entry at all", window.evidence));
        }
        let entries = window.new.iter().map(AuditEntry::read);
        let (right, wrong): (Vec<_>, Vec<_>) = entries.partition(|entry| has_subject(entry.value, &valid));
        let nameless = window.unmatched(&right);
        let actual = format!("{} entries say who acted, for {} calls", right.len(), window.calls.len());
        // The platform may log its own calls and its own actions under any name. A missing entry is reported
        // by 5.1.
        let wrong = window.without_own(wrong);
        let closest = |call: &Exchange| {
            let strengths = wrong.iter().map(|entry| (window.match_strength(entry, call), entry));
            strengths
                .filter(|(strength, _)| *strength != MatchStrength::None)
                .max_by_key(|(strength, _)| *strength)
        };
        let found: Vec<_> = nameless.into_iter().filter_map(|call| Some((call, closest(call)?))).collect();
        match found.iter().max_by_key(|(_, (strength, _))| *strength) {
            None if right.is_empty() => Err(Stop::unproven(actual, window.evidence)),
            None => Ok(Pass::new(actual, window.evidence)),
            Some((call, _)) if window.operator_sees(call, &valid) => {
                let actual = format!("{actual}; the audit names the subject of {}", reply_summary(call));
                Err(Stop::unproven(actual, window.evidence))
            }
            // The member is an addition: a platform may name who acted elsewhere.
            Some((call, (MatchStrength::Certain, entry))) if names_subject(entry.value, &valid) => {
                let actual = format!("{actual}; that of {} names who acted elsewhere", reply_summary(call));
                Err(Stop::unproven(actual, window.evidence))
            }
            Some((call, (MatchStrength::Certain, entry))) => {
                let stated = member(entry.value, "remote_subject").unwrap_or("nothing");
                let call = reply_summary(call);
                let actual = format!("{actual}; that of {call} says {stated:?}, not one of {valid:?}");
                Err(Stop::broken(actual, window.evidence))
            }
            Some(_) => {
                let actual = format!("{actual}; the others may belong to something else");
                Err(Stop::unproven(actual, window.evidence))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c05::audit_traces::{admitted, own, peer_calls, refused, transport};
    use serde_json::{Value, json};

    /// Returns the verdict on these new entries, each with its remote subject.
    fn acted(new: &[(Value, &str)]) -> Verdict {
        let by = |(entry, who): &(Value, &str)| {
            let mut entry = entry.clone();
            entry["payload"] = json!({"remote_subject": who});
            entry
        };
        let new: Vec<Value> = new.iter().map(by).collect();
        let with =
            json!({"call": "call", "before": "before", "after": "after", "peer": "alice", "grant": "none"});
        peer_calls(&json!({"id": 0}), &new).verdict::<SubjectsAreLogged>(with)
    }

    #[test]
    fn a_call_without_an_entry_that_names_its_subject_is_broken() {
        assert_eq!(acted(&[(admitted(), "fed:p"), (refused(), "p")]), Kept);
        assert_eq!(acted(&[(admitted(), "federation-peer-p"), (refused(), "federation-peer-p")]), Kept);
        assert_eq!(acted(&[(admitted(), "fed:p"), (refused(), "federation-peer-target")]), Broken);
        assert_eq!(acted(&[(admitted(), "fed:p"), (refused(), "fed:target")]), Broken);
        assert_eq!(acted(&[(admitted(), "fed:p"), (refused(), "")]), Broken);
        // An entry of another call does not count for it.
        assert_eq!(acted(&[(admitted(), "fed:p"), (admitted(), "fed:p"), (refused(), "")]), Broken);
        // Nor does the platform's own call take an entry with the minimum content.
        let short = json!({"federation_peer_id": "p", "action": "federation.resources"});
        assert_eq!(acted(&[(admitted(), "fed:p"), (short, ""), (own(), "fed:target")]), Broken);
        // The missing entry is reported by 5.1.
        assert_eq!(acted(&[(admitted(), "fed:p"), (own(), "fed:target")]), Kept);
        assert_eq!(acted(&[]), Unproven);
        assert_eq!(acted(&[(own(), "fed:target")]), Unproven, "no entry says who acted");
    }

    #[test]
    fn a_subject_under_another_name_is_unproven() {
        let named = |payload: Value| {
            let mut entry = admitted();
            entry["payload"] = payload;
            let with = json!({"call": "call", "after": "excerpt", "peer": "alice", "grant": "none"});
            peer_calls(&json!({"id": 0}), &[entry]).verdict::<SubjectsAreLogged>(with)
        };
        for elsewhere in [
            json!({"subject": "fed:p"}),
            json!({"actor": "CN=fed:p,O=alice"}),
            json!({"remote_subject": {"cn": "fed:p", "grant": null}}),
            json!({"remote_subject": "alice (fed:p)"}),
        ] {
            assert_eq!(named(elsewhere.clone()), Unproven, "{elsewhere}");
        }
        for none in [
            json!({"subject": "fed:target"}),
            json!({"federation_peer_id": "p"}),
            json!({"peer_id": "p", "note": "fed:p"}),
            json!({"remote_subject": "fed:target", "federation_peer_id": "p"}),
        ] {
            assert_eq!(named(none.clone()), Broken, "{none}");
        }
    }

    #[test]
    fn one_entry_without_a_subject_in_the_excerpt_is_broken() {
        let disclosed = |subject: &str| {
            let mut entry = admitted();
            entry["payload"] = json!({"remote_subject": subject});
            let with = json!({"call": "call", "after": "excerpt", "peer": "alice", "grant": "none"});
            peer_calls(&json!({"id": 0}), &[entry]).verdict::<SubjectsAreLogged>(with)
        };
        assert_eq!([disclosed("fed:p"), disclosed("")], [Kept, Broken]);
    }

    #[test]
    fn what_the_platform_did_itself_may_have_any_name() {
        let sweep = json!({"action": "peer.liveness.checked"});
        assert_eq!(acted(&[(admitted(), "fed:p"), (refused(), "p"), (own(), ""), (sweep.clone(), "")]), Kept);
        let levels = [
            (admitted(), "fed:p"),
            (transport(&admitted()), ""),
            (refused(), "p"),
            (transport(&refused()), ""),
        ];
        assert_eq!(acted(&levels), Kept);
        // The trace does not show which call the entry belongs to.
        assert_eq!(acted(&[(admitted(), "fed:p"), (sweep.clone(), ""), (sweep, "")]), Unproven);
    }
}
