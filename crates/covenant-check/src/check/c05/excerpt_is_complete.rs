//! `excerpt-is-complete`.

use jiff::Timestamp;
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
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::clock::read_moment;
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
    /// `true` if the answer has to state the window that was asked for: a target may answer for another one, and say so.
    #[serde(default)]
    pub states_window: bool,
}

impl Check for ExcerptIsComplete {
    const ID: &'static str = "excerpt-is-complete";
    const EXPECTED: &'static [&'static str] =
        &["in the excerpt, an entry for each call that the audit has one of"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let window = AuditWindow::read(trace, &self.peer, &self.call, Some(&self.before), &self.after)?;
        let requests = calls(trace).labelled(&self.excerpt).rev();
        let delivered = requests.filter_map(|request| Some((request, excerpt_entries(request.exchange)?)));
        let delivered: Vec<(Call<'_>, Vec<Value>)> = delivered.collect();
        let asked = asked_window(trace, &self.excerpt);
        let is_of_window = |request: &Call<'_>| !self.states_window || stated_window(request) == asked;
        let lacking = if delivered.is_empty() {
            "no excerpt was delivered"
        } else {
            "the excerpt states another window than was asked for"
        };
        let found = delivered.iter().find(|(request, _)| is_of_window(request));
        let (request, excerpt) = found.or_unproven_at(lacking, &window.evidence)?;
        let n = request.n();
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

/// Returns the ends of the window that the first of these requests asks for, to the second.
fn asked_window(trace: &Trace, label: &str) -> Option<[Timestamp; 2]> {
    let request = calls(trace).labelled(label).next()?;
    let (_, query) = request.exchange.request.path.as_deref()?.split_once('?')?;
    let end = |name: &str| {
        let mut members = query.split('&').filter_map(|member| member.split_once('='));
        let (_, text) = members.find(|(member, _)| *member == name)?;
        let end = read_moment(&text.replace("%3A", ":").replace("%2B", "+"))?;
        Timestamp::from_second(end.as_second()).ok()
    };
    Some([end("since")?, end("until")?])
}

/// Returns the ends of the window that an excerpt states, to the second.
fn stated_window(request: &Call<'_>) -> Option<[Timestamp; 2]> {
    let data = request.exchange.data()?;
    let end = |name: &str| {
        let end = read_moment(data["window"][name].as_str()?)?;
        Timestamp::from_second(end.as_second()).ok()
    };
    Some([end("since")?, end("until")?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c05::audit_traces::{admitted, own, peer_calls, refused};
    use covenant_model::transcript::Exchange;
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
    fn an_excerpt_of_another_window_than_was_asked_for_is_unproven() {
        let verdict = |since: Option<&str>, events: &[Value]| {
            let query = "since=2026-01-01T00:00:00-03:00&until=2026-01-01T02:00:00-03:00";
            let request = Exchange::to_target("alice").on("GET", &format!("audit_excerpts?{query}"));
            let window = since.map(|since| json!({"since": since, "until": "2026-01-01T05:00:00Z"}));
            let data = json!({"window": window, "events": events});
            let builder = peer_calls(&json!({"id": 0}), &[admitted(), refused(), own()]);
            builder
                .call("asked", request.answered_with(200, json!({ "data": data })))
                .verdict::<ExcerptIsComplete>(json!({
                    "call": "call", "before": "before", "after": "after", "peer": "alice", "excerpt": "asked",
                    "states_window": true,
                }))
        };
        let mut all = [admitted(), refused(), own()];
        for (n, entry) in (1..).zip(&mut all) {
            entry["id"] = json!(n);
        }
        for asked in ["2026-01-01T03:00:00Z", "2026-01-01T00:00:00.5-03:00"] {
            assert_eq!(verdict(Some(asked), &all), Kept);
            assert_eq!(verdict(Some(asked), &[]), Broken);
        }
        assert_eq!(verdict(Some("2026-01-01T00:00:00Z"), &[]), Unproven);
        assert_eq!(verdict(None, &[]), Unproven);
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
