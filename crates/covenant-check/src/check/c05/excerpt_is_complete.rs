//! `excerpt-is-complete`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::audit_entry::{AuditEntry, actions_in};
use super::audit_window::AuditWindow;
use super::excerpt::excerpt_entries;
use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::definition::Check;
use crate::check::general::reply_summary;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls};
use covenant_model::transcript::Trace;

/// An excerpt has an entry for each call of the requesting peer that the audit has an entry of. A call that
/// the audit lacks too is reported by 5.1.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ExcerptIsComplete {
    /// The calls that the peer made between the two snapshots.
    pub call: Labels,
    /// The snapshot of the audit before the calls.
    pub before: Label,
    /// The snapshot of the audit after the calls.
    pub after: Label,
    /// The peer that made the calls and requests the excerpt.
    pub peer: PeerName,
    /// The requests for the excerpt.
    pub excerpt: Label,
}

impl Check for ExcerptIsComplete {
    const ID: &'static str = "excerpt-is-complete";
    const EXPECTED: &'static [&'static str] =
        &["in the excerpt, an entry for each call that the audit has one of"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let window = AuditWindow::read(trace, &self.peer, &self.call, Some(&self.before), &self.after)?;
        let mut requests = calls(trace).labelled(&self.excerpt).rev();
        let found = requests.find_map(|request| Some((request.n(), excerpt_entries(request.exchange)?)));
        let (n, excerpt) = found.or_unproven_at("no excerpt was delivered", &window.evidence)?;
        let logged: Vec<&Value> = window.new.iter().collect();
        let disclosed: Vec<&Value> = excerpt.iter().filter(|entry| !window.has_before(entry)).collect();
        let without_entry = |entries: &[&Value]| {
            window.unmatched(&entries.iter().copied().map(AuditEntry::read).collect::<Vec<_>>())
        };
        let (unlogged, undisclosed) = (without_entry(&logged), without_entry(&disclosed));
        let calls = window.calls.len();
        let evidence = window.evidence.iter().copied().chain([n]);
        if unlogged.len() == calls {
            return Err(Stop::unproven("the audit has none of the calls", evidence));
        }
        let Some(call) = undisclosed.last().filter(|_| undisclosed.len() > unlogged.len()) else {
            return Ok(Pass::new(format!("all that is logged of {calls} calls"), evidence));
        };
        let lacking = undisclosed.len() - unlogged.len();
        let actual = format!("{lacking} of {calls} calls are not in the excerpt, as {}", reply_summary(call));
        if disclosed.iter().any(|entry| actions_in(entry) > 1) {
            return Err(Stop::unproven(format!("{actual}: an entry sums up several calls"), evidence));
        }
        Err(Stop::broken(actual, evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c05::audit_traces::{admitted, own, peer_calls, refused};
    use serde_json::json;

    fn disclosed(new: &[Value]) -> Verdict {
        let with = json!({
            "call": "call", "before": "before", "after": "after", "peer": "alice", "excerpt": "excerpt",
        });
        peer_calls(&json!({"id": 0}), new).verdict::<ExcerptIsComplete>(with)
    }

    fn withheld(mut entry: Value) -> Value {
        entry["withheld"] = json!(true);
        entry
    }

    #[test]
    fn an_excerpt_that_leaves_out_a_logged_call_is_broken() {
        assert_eq!(disclosed(&[admitted(), refused(), own()]), Kept);
        assert_eq!(
            disclosed(&[admitted(), refused(), withheld(own())]),
            Kept,
            "the target's own call is no action of the peer"
        );
        assert_eq!(disclosed(&[admitted(), withheld(refused()), own()]), Broken);
        assert_eq!(disclosed(&[withheld(admitted()), withheld(refused())]), Broken);
        // A call that the audit lacks too is reported by 5.1.
        assert_eq!(disclosed(&[admitted()]), Kept);
        assert_eq!(disclosed(&[]), Unproven);
        let sum = json!({"action": "resources", "count": 2});
        assert_eq!(disclosed(&[sum, withheld(admitted()), withheld(refused())]), Unproven);
    }
}
