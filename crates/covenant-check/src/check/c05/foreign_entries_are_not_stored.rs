//! `foreign-entries-are-not-stored`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::audit_entry::member;
use super::excerpt::{excerpt_entries, excerpt_requests};
use super::mention::mentions_name;
use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, peer_id};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// An entry of a peer's excerpt about other parties is not stored as an event on the target, nor disclosed to
/// another peer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ForeignEntriesAreNotStored {
    /// The peer whose excerpt has foreign entries.
    pub peer: PeerName,
    /// The operator's snapshots of the audit after the excerpt was delivered.
    pub snapshot: Label,
    /// The requests of another peer for its own excerpt.
    pub call: Option<Labels>,
}

impl Check for ForeignEntriesAreNotStored {
    const ID: &'static str = "foreign-entries-are-not-stored";
    const EXPECTED: &'static [&'static str] =
        &["nothing of the foreign entries in the audit, nor in another peer's excerpt"];
    const CONTROL: Option<&'static str> =
        Some("the target got an excerpt with foreign entries, and its audit lists entries");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let foreign = foreign_entries(trace, &self.peer);
        let (delivered, foreign) = foreign.or_unproven("the target got no excerpt with foreign entries")?;
        let snapshots: Vec<(u64, &Vec<Value>)> = trace
            .labelled(&self.snapshot)
            .filter_map(|entry| Some((entry.n, entry.operation()?.list("entries")?)))
            .collect();
        let evidence = [delivered].into_iter().chain(snapshots.iter().map(|(n, _)| *n));
        if snapshots.iter().all(|(_, entries)| entries.is_empty()) {
            return Err(Stop::unproven("the audit could not be read, or it is empty", evidence));
        }
        let requests = self.call.iter().flat_map(|labels| excerpt_requests(trace, labels));
        let disclosed: Vec<(u64, Vec<Value>)> =
            requests.filter_map(|request| Some((request.call.n(), request.entries?))).collect();
        let disclosed = disclosed.iter().map(|(n, entries)| (*n, entries));
        let entries = snapshots.iter().copied().chain(disclosed);
        let entries = entries.flat_map(|(n, entries)| entries.iter().map(move |entry| (n, entry)));
        let stored: Vec<(u64, &Value)> = entries.filter(|(_, entry)| is_about(entry, &foreign)).collect();
        // The excerpt of a peer describes events on that peer's platform, whoever it names. An entry that the
        // target keeps under the name of that peer says no more than that.
        let id = peer_id(trace, &self.peer);
        let names_source = |entry: &Value| id.as_ref().is_some_and(|id| mentions_name(entry, id));
        if let Some((n, _)) = stored.iter().find(|(_, entry)| !names_source(entry)) {
            return Err(Stop::final_breach(
                "a foreign entry is stored among the target's own",
                [delivered, *n],
            ));
        }
        if stored.is_empty() {
            return Ok(Pass::new("nothing of them is stored", evidence));
        }
        Err(Stop::unproven("they are stored, as statements of that peer", evidence))
    }
}

/// Returns the parties other than the target that a peer's excerpt to the target names, and the ids of the
/// entries about them.
fn foreign_entries(trace: &Trace, peer: &str) -> Option<(u64, BTreeSet<String>)> {
    let mut excerpts = calls(trace).of(peer).made_by_target().on(Route::AuditExcerpts);
    excerpts.find_map(|call| {
        let target = call.exchange.data()?["peer_id"].clone();
        let events = excerpt_entries(call.exchange)?;
        let foreign = events.iter().filter(|event| {
            let about = &event["payload"]["federation_peer_id"];
            about.is_string() && *about != target
        });
        let names = foreign.flat_map(|event| {
            let payload = &event["payload"];
            [&event["id"], &payload["federation_peer_id"], &payload["remote_subject"]]
        });
        let names: BTreeSet<String> = names.filter_map(Value::as_str).map(ToOwned::to_owned).collect();
        (!names.is_empty()).then_some((call.n(), names))
    })
}

/// Returns whether an entry itself belongs to one of these names, and does not only mention them.
fn is_about(entry: &Value, foreign: &BTreeSet<String>) -> bool {
    let names = ["id", "federation_peer_id", "remote_subject"].map(|name| member(entry, name));
    names.into_iter().flatten().any(|name| foreign.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Direction, Exchange};
    use serde_json::json;

    /// Returns the verdict on this entry in the audit, after mallory delivered an excerpt that is about
    /// carol.
    fn stored(entry: &Value) -> Verdict {
        let [named, bare] = [json!({"entries": [entry]}), json!([entry])].map(|audit| stored_as(&audit));
        assert_eq!(named, bare, "a list may be sent without the object");
        named
    }

    fn stored_as(audit: &Value) -> Verdict {
        let enveloped = |data: &Value| json!({"success": true, "data": data});
        let about = |id: &str, peer: &str| json!({"id": id, "payload": {"federation_peer_id": peer, "remote_subject": format!("fed:{peer}")}});
        let padded = json!({"peer_id": "us", "events": [about("e-1", "us"), about("e-2", "carol")]});
        let accept = Exchange::to_target("mallory").on("POST", "accept");
        let excerpt = Exchange::made("mallory", Direction::FromTarget).on("GET", "audit_excerpts");
        TraceBuilder::new()
            .call("accept", accept.answered_with(200, enveloped(&json!({"peer_id": "mallory-row-1"}))))
            .call_from_target(excerpt.answered_with(200, enveloped(&padded)))
            .operation("stored", "audit.list", audit.clone())
            .verdict::<ForeignEntriesAreNotStored>(json!({"peer": "mallory", "snapshot": "stored"}))
    }

    #[test]
    fn a_statement_of_a_peer_about_others_is_no_entry_of_the_target() {
        assert_eq!(
            stored(&json!({"id": "1", "federation_peer_id": "mallory-row-1", "action": "excerpt.sent"})),
            Kept
        );
        assert_eq!(stored(&json!({"id": "1", "federation_peer_id": "carol"})), Broken);
        assert_eq!(stored(&json!({"id": "1", "remote_subject": "fed:carol"})), Broken);
        assert_eq!(stored(&json!({"id": "e-2"})), Broken);
        let attributed = json!({"id": "1", "federation_peer_id": "carol", "reported_by": "mallory-row-1"});
        assert_eq!(stored(&attributed), Unproven);
        let nested = json!({"id": "1", "federation_peer_id": "mallory-row-1", "events": [{"federation_peer_id": "carol"}]});
        assert_eq!(stored(&nested), Kept);
        assert_eq!(stored_as(&json!([])), Unproven, "an empty audit proves nothing");
    }
}
