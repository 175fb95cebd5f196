//! `excerpt-holds-own-entries-only`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::audit_entry::member;
use super::excerpt::{DELIVERED, ExcerptRequest, excerpt_requests};
use super::mention::{internal_member, is_unmistakable, mentions_name};
use crate::check::arguments::{Labels, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, peer_id};
use covenant_model::transcript::{Operation, Trace};
use covenant_model::wire::path::Route;

/// An excerpt has the interactions of the requesting peer, and in no member anything of another peer, of a local
/// user or of an operator's note.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ExcerptHoldsOwnEntriesOnly {
    /// The requests for the excerpt.
    pub call: Labels,
    /// The peers of which the excerpt must hold no entry.
    pub other_peers: Vec<PeerName>,
    /// The operations that issued the grants of the other peers.
    pub grants: Labels,
}

impl Check for ExcerptHoldsOwnEntriesOnly {
    const ID: &'static str = "excerpt-holds-own-entries-only";
    const EXPECTED: &'static [&'static str] = &["entries about the requesting peer only"];
    const CONTROL: Option<&'static str> =
        Some("the excerpt has entries, and the names of the other peers, who acted too, are known");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let requests = excerpt_requests(trace, &self.call);
        let is_delivered = |request: &&ExcerptRequest<'_>| request.call.exchange.status() == Some(DELIVERED);
        let delivered: Vec<&ExcerptRequest<'_>> = requests.iter().filter(is_delivered).collect();
        let numbers: Vec<u64> = requests.iter().map(|request| request.call.n()).collect();
        let last = delivered.last().or_unproven_at("no excerpt was delivered", &numbers)?;
        let evidence: Vec<u64> = delivered.iter().map(|request| request.call.n()).collect();
        let mut peers = self.other_peers.iter().map(|peer| &**peer).chain([last.call.exchange.peer.as_str()]);
        if peers.any(|peer| peer_id(trace, peer).is_none()) {
            return Err(Stop::unproven("the peers' ids are not known", evidence));
        }
        let names = self.names_of_others(trace);
        let is_foreign = |entry: &&Value| names.iter().any(|name| mentions_name(entry, name));
        let foreign = delivered
            .iter()
            .find_map(|request| Some((request.call.n(), request.entries.iter().flatten().find(is_foreign)?)));
        if let Some((n, entry)) = foreign {
            let action = member(entry, "action").unwrap_or_default();
            return Err(Stop::final_breach(format!("an entry about another peer: {action}"), [n]));
        }
        let own = peer_id(trace, &last.call.exchange.peer).unwrap_or_default();
        let mut entries = delivered
            .iter()
            .flat_map(|request| request.entries.iter().flatten().map(|entry| (request.call.n(), entry)));
        if let Some((n, name)) = entries.find_map(|(n, entry)| Some((n, internal_member(entry, &own)?))) {
            return Err(Stop::broken(format!("an entry with the internal member {name:?}"), [n]));
        }
        if last.entries.is_none() {
            return Err(Stop::unproven("the excerpt can't be read", evidence));
        }
        let counts = delivered.iter().map(|request| request.entries.as_ref().map_or(0, Vec::len));
        let count = counts.max().filter(|count| *count > 0);
        let count = count.or_unproven_at("the excerpt is empty, though the peer acted", &evidence)?;
        Ok(Pass::new(format!("{count} entries, all about the requesting peer"), evidence))
    }
}

impl ExcerptHoldsOwnEntriesOnly {
    /// Returns the names of the other peers: their ids and addresses, the subjects of their grants, the ids of their migrations, and what the operator noted about them.
    fn names_of_others(&self, trace: &Trace) -> Vec<String> {
        let ids = self.other_peers.iter().filter_map(|peer| peer_id(trace, peer));
        let acts = self.other_peers.iter().flat_map(|peer| calls(trace).of(peer).made_by_peer());
        let migrations =
            acts.filter_map(|act| Some(act.exchange.data()?["migration_id"].as_str()?.to_owned()));
        let ends =
            self.other_peers.iter().flat_map(|peer| calls(trace).of(peer).made_by_peer().on(Route::Accept));
        let addresses = ends.filter_map(|accept| accept.exchange.sent()?["endpoints"].as_array());
        let addresses = addresses.flatten().filter_map(|endpoint| endpoint["url"].as_str());
        let of_others: Vec<String> =
            self.other_peers.iter().filter_map(|peer| peer_id(trace, peer)).collect();
        let is_about_other = |operation: &&Operation| {
            of_others.iter().any(|id| operation.parameters["peer_id"] == id.as_str())
        };
        let notes = trace.entries().iter().filter_map(|entry| entry.operation()).filter(is_about_other);
        let notes = notes.filter_map(|operation| operation.parameters["reason"].as_str());
        let issued: Vec<&Operation> =
            self.grants.iter().filter_map(|label| Some(trace.operation(label)?.1)).collect();
        let subjects = issued.iter().filter_map(|issue| issue.parameters["remote_subject"].as_str());
        // The requester itself presents a grant of another peer here, so an entry of that call may name it.
        let texts = addresses.chain(notes).map(ToOwned::to_owned);
        let acts = migrations.chain(texts).filter(|name| is_unmistakable(name));
        acts.chain(subjects.map(ToOwned::to_owned)).chain(ids).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    fn accepted(peer: &str, id: &str) -> Exchange {
        Exchange::to_target(peer)
            .on("POST", "accept")
            .answered_with(200, json!({"success": true, "data": {"peer_id": id}}))
    }

    fn excerpt_for_alice(entries: &Value) -> Exchange {
        Exchange::to_target("alice")
            .on("GET", "audit_excerpts")
            .answered_with(200, json!({"success": true, "data": {"events": entries}}))
    }

    /// Returns the verdict on an excerpt for alice, whose id is `own`. The other peer is bob, who has a grant
    /// of this subject.
    fn disclosed(other: &str, subject: &str, entries: &Value) -> Verdict {
        let issued = json!({"grant_id": "grant-0042"});
        TraceBuilder::new()
            .call("alice-accepts", accepted("alice", "own"))
            .call("bob-accepts", accepted("bob", other))
            .operation_with("foreign", "grant.issue", json!({"remote_subject": subject}), issued)
            .call("asked", excerpt_for_alice(entries))
            .verdict::<ExcerptHoldsOwnEntriesOnly>(
                json!({"call": "asked", "other_peers": ["bob"], "grants": "foreign"}),
            )
    }

    #[test]
    fn an_entry_about_another_peer_is_broken_in_any_member() {
        let id = "0190a6d4-0000-7000-8000-000000000001";
        let about = |entry: Value| disclosed(id, "bob-foreign", &json!([{"id": "1"}, entry]));
        assert_eq!(about(json!({"payload": {"federation_peer_id": "own"}})), Kept);
        assert_eq!(about(json!({"payload": {"federation_peer_id": id}})), Broken);
        assert_eq!(about(json!({"text": format!("fed:{id} read")})), Broken);
        assert_eq!(about(json!({"text": "bob-foreign read"})), Broken);
        assert_eq!(about(json!({"payload": {"grant_id": "grant-0042"}})), Kept, "alice presented it");
        assert_eq!(about(json!({"user": "fed:own"})), Kept, "it is alice herself");
        assert_eq!(about(json!({"user": "carol"})), Broken);
        assert_eq!(about(json!({"payload": {"grant_id": "grant-00421"}})), Kept);
        assert_eq!(about(json!({"remote_subject": format!("federation-peer-{id}")})), Broken);
        assert_eq!(disclosed(id, "bob-foreign", &json!([])), Unproven);
    }

    #[test]
    fn a_local_user_or_an_operators_note_is_broken_in_any_member() {
        let about = |entry: Value| disclosed("0190a6d4-0000-7000-8000-000000000001", "bob", &json!([entry]));
        assert_eq!(about(json!({"payload": {"user_id": 12}})), Broken);
        assert_eq!(about(json!({"payload": {"detail": {"operator_note": "keep an eye on it"}}})), Broken);
        assert_eq!(about(json!({"internal_comments": ["slow"]})), Broken);
        assert_eq!(about(json!({"payload": {"user_id": null, "operator_note": " "}})), Kept);
        assert_eq!(about(json!({"payload": {"notes": "compatible", "user_agent": "x"}})), Kept);
    }

    #[test]
    fn an_entry_about_any_of_several_other_peers_is_broken() {
        let accepts = ["alice", "bob", "carol"].into_iter().fold(TraceBuilder::new(), |builder, peer| {
            builder.call("accept", accepted(peer, &format!("{peer}-row-1")))
        });
        let builder =
            accepts.call("asked", excerpt_for_alice(&json!([{"federation_peer_id": "carol-row-1"}])));
        let verdict = |others: &[&str]| {
            let with = json!({"call": "asked", "other_peers": others, "grants": "none"});
            builder.verdict::<ExcerptHoldsOwnEntriesOnly>(with)
        };
        assert_eq!([verdict(&["bob"]), verdict(&["bob", "carol"])], [Kept, Broken]);
        assert_eq!(verdict(&["bob", "dave"]), Unproven);
    }

    #[test]
    fn a_short_or_common_id_counts_only_where_a_peer_is_named() {
        let about = |id: &str, entry: Value| disclosed(id, "bob", &json!([entry]));
        assert_eq!(about("2", json!({"grant_id": "2", "status": 2, "peer_count": 2})), Kept);
        assert_eq!(about("2", json!({"federation_peer_id": "2"})), Broken);
        assert_eq!(about("2", json!({"federation_peer_id": 2})), Broken);
        assert_eq!(about("2", json!({"payload": {"remote_subject": "fed:2"}})), Broken);
        assert_eq!(about("platform", json!({"kind": "platform.peer.accepted", "source": "platform"})), Kept);
        assert_eq!(about("platform", json!({"peer_id": "platform"})), Broken);
        assert_eq!(about("2", json!({"text": "bobsled"})), Kept);
    }
}
