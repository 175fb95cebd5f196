//! `excerpt-holds-own-entries-only`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::audit_entry::{has_peer_id, has_peer_id_elsewhere, member};
use super::excerpt::{DELIVERED, ExcerptRequest, excerpt_requests};
use super::mention::{contains_name, internal_members, is_unmistakable, known_operators, mentions_name};
use super::subject::valid_subjects;
use crate::check::arguments::{Labels, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, peer_id};
use covenant_model::operator::{OperatorMethod, grant};
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
        let requester = last.call.exchange.peer.as_str();
        let own = peer_id(trace, requester).unwrap_or_default();
        let names = self.names_of_others(trace);
        let records: Vec<String> = self.records_of_others(trace, requester, &own).into_iter().collect();
        let subjects = self.subjects_of_others(trace);
        let entries = || {
            let of = |request: &ExcerptRequest<'_>| request.call.n();
            let listed = delivered.iter().map(move |request| (of(request), request.entries.iter().flatten()));
            listed.flat_map(|(n, entries)| entries.map(move |entry| (n, entry)))
        };
        let mentions = |entry: &Value, names: &[String]| names.iter().any(|name| mentions_name(entry, name));
        // Where the requester presented a grant of another peer, the subject of its own call is that of the grant (5.2).
        let is_own = |entry: &Value| has_peer_id(entry, &own) || has_peer_id_elsewhere(entry, &own);
        let presented = self.is_foreign_grant_presented(trace, requester);
        let has_subject = |entry: &Value| !(presented && is_own(entry)) && mentions(entry, &subjects);
        let is_named = |entry: &Value| mentions(entry, &names) || mentions(entry, &records);
        let is_foreign = |entry: &Value| is_named(entry) || has_subject(entry);
        let is_open =
            |entry: &Value| presented && !is_named(entry) && member(entry, "federation_peer_id").is_none();
        let is_breach = |entry: &Value| is_foreign(entry) && !is_open(entry);
        // A record is that of another peer as long as the requester does not name it.
        let is_final = |entry: &Value| mentions(entry, &names) || has_subject(entry);
        let first = entries().find(|(_, entry)| is_breach(entry) && is_final(entry));
        if let Some((n, entry)) = first.or_else(|| entries().find(|(_, entry)| is_breach(entry))) {
            let action = member(entry, "action").unwrap_or_default();
            let breach = Stop::broken(format!("an entry about another peer: {action}"), [n]);
            return Err(breach.final_if(is_final(entry)));
        }
        let issued: Vec<&Operation> = grants_of(trace, &own).collect();
        let own_names = valid_subjects(trace, requester, &own, issued);
        let operators = known_operators(trace, &own_names);
        let internal = || {
            let members = entries().map(|(n, entry)| (n, internal_members(entry, &own_names)));
            members.flat_map(|(n, members)| members.into_iter().map(move |member| (n, member)))
        };
        if let Some((n, member)) = internal().find(|(_, member)| member.is_breach(&operators)) {
            return Err(Stop::broken(format!("an entry with the internal member {:?}", member.name), [n]));
        }
        if let Some((n, entry)) = entries().find(|(_, entry)| is_foreign(entry)) {
            let action = member(entry, "action").unwrap_or_default();
            let actual = format!(
                "an entry with a subject of another peer, whose grant the requester presented: {action}"
            );
            return Err(Stop::unproven(actual, [n]));
        }
        if let Some((n, member)) = internal().next() {
            let actual =
                format!("an entry names someone under {:?}, and nothing shows who that is", member.name);
            return Err(Stop::unproven(actual, [n]));
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
    /// Returns the names of the other peers: their ids and addresses, the ids of their migrations, and what the operator noted
    /// about them.
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
        // The requester itself presents a grant of another peer here, so an entry of that call may name it.
        let texts = addresses.chain(notes).map(ToOwned::to_owned);
        let acts = migrations.chain(texts).filter(|name| is_unmistakable(name));
        acts.chain(ids).collect()
    }

    /// Returns the subjects of the grants of the other peers.
    fn subjects_of_others(&self, trace: &Trace) -> Vec<String> {
        let subjects = self.issued(trace).filter_map(|issue| issue.parameters["remote_subject"].as_str());
        subjects.map(ToOwned::to_owned).collect()
    }

    /// Returns the operations that issued the grants of the other peers.
    fn issued<'a>(&'a self, trace: &'a Trace) -> impl Iterator<Item = &'a Operation> {
        self.grants.iter().filter_map(|label| Some(trace.operation(label)?.1))
    }

    /// Returns whether the requester presented a grant of another peer.
    fn is_foreign_grant_presented(&self, trace: &Trace, requester: &str) -> bool {
        let tokens: Vec<&str> =
            self.issued(trace).filter_map(|issue| issue.result.as_ref()?["bearer_token"].as_str()).collect();
        let mut made = calls(trace).of(requester).made_by_peer();
        made.any(|call| {
            let mut headers = call.exchange.request.headers.iter();
            headers.any(|(_, value)| tokens.iter().any(|token| value.contains(token)))
        })
    }

    /// Returns the ids of the records that only the other peers named: no call to or from the requester has them, but for the
    /// excerpts themselves, and no operation.
    fn records_of_others(&self, trace: &Trace, requester: &str, own: &str) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        for call in self.other_peers.iter().flat_map(|peer| calls(trace).of(peer).made_by_peer()) {
            if let Some(Route::Resource { id, .. }) = call.route() {
                ids.insert(id);
            }
            let Some(sent) = call.exchange.sent() else { continue };
            ids.extend(sent["root_resource_id"].as_str().map(ToOwned::to_owned));
            let listed = ["steps", "records"].into_iter().filter_map(|list| sent[list].as_array()).flatten();
            let named = listed.flat_map(|item| [&item["resource_id"], &item["id"], &item["payload"]["id"]]);
            ids.extend(named.filter_map(Value::as_str).map(ToOwned::to_owned));
        }
        let of_requester = calls(trace).of(requester).map(|call| {
            let request = serde_json::to_string(&call.exchange.request);
            let is_excerpt = call.has_label_of(&self.call);
            let answer = (!is_excerpt).then(|| serde_json::to_string(&call.exchange.response));
            [request, answer.unwrap_or_else(|| Ok(String::new()))].map(Result::unwrap_or_default).concat()
        });
        let operations = trace.entries().iter().filter_map(|entry| entry.operation());
        let operations = operations.map(|operation| operation.parameters.to_string());
        let known: Vec<String> = of_requester.chain(operations).collect();
        ids.retain(|id| {
            is_unmistakable(id) && *id != own && !known.iter().any(|text| contains_name(text, id))
        });
        ids
    }
}

/// Returns the operations that issued grants to a peer.
fn grants_of<'a>(trace: &'a Trace, peer_id: &'a str) -> impl Iterator<Item = &'a Operation> {
    let issued = trace.operations([grant::Issue::METHOD]).map(|(_, issue)| issue);
    issued.filter(move |issue| issue.parameters["peer_id"] == peer_id)
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
        assert_eq!(about(json!({"user": "carol"})), Unproven, "nothing shows who that is");
        assert_eq!(about(json!({"payload": {"grant_id": "grant-00421"}})), Kept);
        assert_eq!(about(json!({"remote_subject": format!("federation-peer-{id}")})), Broken);
        assert_eq!(disclosed(id, "bob-foreign", &json!([])), Unproven);
    }

    #[test]
    fn a_local_user_or_an_operators_note_is_broken_in_any_member() {
        let about = |entry: Value| disclosed("0190a6d4-0000-7000-8000-000000000001", "bob", &json!([entry]));
        assert_eq!(about(json!({"payload": {"user_id": 12}})), Unproven);
        assert_eq!(about(json!({"payload": {"detail": {"operator_note": "keep an eye on it"}}})), Broken);
        assert_eq!(about(json!({"internal_comments": ["slow"]})), Broken);
        assert_eq!(about(json!({"operator_note": "own asks for more than it needs"})), Broken);
        assert_eq!(about(json!({"operator_note": "own", "operator_note_count": 0})), Kept);
        assert_eq!(about(json!({"payload": {"user_id": null, "operator_note": " "}})), Kept);
        assert_eq!(about(json!({"payload": {"notes": "compatible", "user_agent": "x"}})), Kept);
    }

    #[test]
    fn a_user_is_broken_where_the_operators_view_knows_it_as_an_operator() {
        let known_as = |operator: &Value, entry: Value| {
            let issue = json!({"peer_id": "own-row-1", "remote_subject": "alice-grant"});
            TraceBuilder::new()
                .call("accept", accepted("alice", "own-row-1"))
                .call("accept", accepted("bob", "bob-row-1"))
                .operation_with("own", "grant.issue", issue, json!({"grant_id": "g", "issued_by": operator}))
                .call("asked", excerpt_for_alice(&json!([{"id": "1"}, {"payload": entry}])))
                .verdict::<ExcerptHoldsOwnEntriesOnly>(
                    json!({"call": "asked", "other_peers": ["bob"], "grants": "none"}),
                )
        };
        let about = |entry: Value| known_as(&json!(17), entry);
        let typed = |id: u64| json!({"type": "User", "role": "staff", "id": id});
        assert_eq!(known_as(&typed(17), json!({"user": typed(17)})), Broken);
        assert_eq!(known_as(&typed(17), json!({"user": typed(18)})), Unproven, "a type is no name");
        assert_eq!(known_as(&typed(17), json!({"user": "User"})), Unproven);
        let with =
            |id: u64| json!({"id": id, "permissions": ["read"], "organization": {"id": 17, "name": "Acme"}});
        assert_eq!(known_as(&with(1), json!({"user": with(99)})), Unproven, "many share these");
        assert_eq!(about(json!({"user": with(99)})), Unproven, "the id of an organization");
        assert_eq!(about(json!({"user": {"profile": {"id": 17}}})), Broken);
        assert_eq!(known_as(&json!("Operator"), json!({"user": "Operator"})), Unproven, "a role is no name");
        for operator in [json!({"user_id": "17"}), json!({"user": {"id": 17}}), json!({"local_user": 17})] {
            assert_eq!(about(operator.clone()), Broken, "{operator}");
        }
        assert_eq!(about(json!({"user_id": 18})), Unproven, "it may be an account of the federation");
        for nobody in [
            json!({"user": "alice-grant"}),
            json!({"user": "CN=fed:own-row-1"}),
            json!({"user": "fed:the-platform-itself"}),
            json!({"user": "anonymous"}),
            json!({"user": "none"}),
            json!({"user": "-"}),
            json!({"user": false}),
            json!({"user_id": 0}),
            json!({"user_id": null, "operator_note": "n/a"}),
        ] {
            assert_eq!(about(nobody.clone()), Kept, "{nobody}");
        }
    }

    #[test]
    fn a_subject_of_another_peer_may_be_that_of_the_grant_that_the_requester_presented() {
        let presenting = |presents: bool, entry: Value| {
            let issued = json!({"grant_id": "grant-0042", "bearer_token": "<bearer_token:1>"});
            let mut fetch = Exchange::to_target("alice").on("GET", "resources/skill/a").answered(401);
            if presents {
                let header = ("authorization".to_owned(), "Bearer <bearer_token:1>".to_owned());
                fetch.request.headers.push(header);
            }
            TraceBuilder::new()
                .call("accept", accepted("alice", "own-row-1"))
                .call("accept", accepted("bob", "bob-row-1"))
                .operation_with("foreign", "grant.issue", json!({"remote_subject": "bob-foreign"}), issued)
                .call("tried", fetch)
                .call("asked", excerpt_for_alice(&json!([{"payload": entry}])))
                .verdict::<ExcerptHoldsOwnEntriesOnly>(
                    json!({"call": "asked", "other_peers": ["bob"], "grants": "foreign"}),
                )
        };
        let own = json!({"federation_peer_id": "own-row-1", "remote_subject": "bob-foreign"});
        let other = json!({"federation_peer_id": "bob-row-1", "remote_subject": "bob-foreign"});
        let nameless = json!({"remote_subject": "bob-foreign"});
        assert_eq!(presenting(false, own.clone()), Broken, "no call of alice has this subject");
        assert_eq!([presenting(true, own), presenting(true, other)], [Kept, Broken]);
        let observed = json!({"peer_id": "own-row-1", "remote_subject": "bob-foreign"});
        assert_eq!(presenting(true, observed), Kept, "the observed wire has it under this name");
        assert_eq!([presenting(true, nameless.clone()), presenting(false, nameless)], [Unproven, Broken]);
        let beside =
            json!({"federation_peer_id": "own-row-1", "remote_subject": "bob-foreign", "by": "bob-row-1"});
        assert_eq!(presenting(true, beside), Broken);
    }

    #[test]
    fn an_entry_about_a_record_that_only_another_peer_named_is_broken() {
        const RECORD: &str = "0190a6d4-0000-7000-8000-00000000000a";
        const SHARED: &str = "0190a6d4-0000-7000-8000-00000000000b";
        let about = |id: &str| {
            let plan = json!({"root_resource_id": RECORD, "steps": [{"resource_id": RECORD}, {"resource_id": SHARED}]});
            let migrated = Exchange::to_target("bob").on("POST", "migrations").sending(plan).answered(201);
            let read =
                Exchange::to_target("alice").on("GET", &format!("resources/skill/{SHARED}")).answered(200);
            let entry = json!({"action": "federation.migrations", "payload": {"resource_id": id}});
            TraceBuilder::new()
                .call("accept", accepted("alice", "own-row-1"))
                .call("accept", accepted("bob", "bob-row-1"))
                .call("migrated", migrated)
                .call("read", read)
                .call("asked", excerpt_for_alice(&json!([entry])))
                .verdict::<ExcerptHoldsOwnEntriesOnly>(
                    json!({"call": "asked", "other_peers": ["bob"], "grants": "none"}),
                )
        };
        assert_eq!([about(RECORD), about(SHARED), about("own")], [Broken, Kept, Kept]);
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
