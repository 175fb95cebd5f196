//! `messages-disclose-no-other-peer`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::disclosure::{Disclosure, Names};
use crate::check::arguments::{Labels, PeerName};
use crate::check::c05::mention::is_unmistakable;
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, labelled_calls, peer_id};
use covenant_model::transcript::{Direction, Operation, Trace};
use covenant_model::wire::path::Route;

/// No message of the target to a peer holds the address of another peer, or an entry of the target's log about another
/// peer or about what its operator did without that peer. The excerpt is left to 5.4.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct MessagesDiscloseNoOtherPeer {
    /// The peer that reads the messages.
    pub peer: PeerName,
    /// The peers of which the messages must disclose nothing.
    pub other_peers: Vec<PeerName>,
    /// The calls of those peers, each of which has to be accepted. The messages after the first of them count.
    pub acts: Labels,
    /// The operations of the operator that are no concern of the peer: their reasons, subjects and ids of records.
    pub private: Labels,
    /// The calls of the peer that have to be accepted; then the answers to its calls are read. Without this argument, the
    /// calls that the target makes to it are read, and one of them has to be a heartbeat.
    pub call: Option<Labels>,
}

impl Check for MessagesDiscloseNoOtherPeer {
    const ID: &'static str = "messages-disclose-no-other-peer";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] =
        &["messages without addresses of other peers and without entries of the log about others"];
    const CONTROL: Option<&'static str> = Some(
        "the other peers gave their addresses and were served, what is looked for was known to them alone, and messages of \
         the target to the peer followed",
    );

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let acts: Vec<Call<'_>> = labelled_calls(trace, &self.acts).collect();
        if let Some(act) = acts.iter().find(|act| !act.exchange.succeeded()) {
            return Err(Stop::unproven(
                format!("the other peer was not served: {}", act.summary()),
                [act.n()],
            ));
        }
        let first = acts.iter().map(Call::n).min().or_unproven("the other peers did nothing")?;
        let names = self.names(trace).or_unproven("what is known of the other peers is no secret")?;
        // Records are what these calls carry: the target may share them with both.
        let without_records = Names { records: vec![], ..names.clone() };
        let names_for = |call: &Call<'_>| match call.route() {
            Some(
                Route::Sync | Route::Migrations | Route::MigrationCommit { .. } | Route::Resource { .. },
            ) => &without_records,
            _ => &names,
        };
        let messages: Vec<(Call<'_>, &Value)> = calls(trace)
            .of(&self.peer)
            .after(first)
            .filter_map(|call| Some((call, self.read(&call)?)))
            .collect();
        let disclosed =
            messages.iter().filter_map(|(call, message)| Some((names_for(call).disclosed(message)?, call)));
        let disclosed: Vec<(Disclosure, &Call<'_>)> = disclosed.collect();
        if let Some((what, call)) = disclosed.iter().max_by_key(|(what, _)| *what) {
            let route = call.route().map_or("unknown", |route| route.name());
            let evidence = [first, call.n()];
            return Err(match what {
                Disclosure::Address => {
                    Stop::final_breach(format!("{route}: the address of another peer"), evidence)
                }
                Disclosure::Entry => {
                    Stop::final_breach(format!("{route}: an entry of the log about others"), evidence)
                }
                Disclosure::Mention => {
                    let actual =
                        format!("{route}: it names another peer, in a form that the binding does not know");
                    Stop::unproven(actual, evidence)
                }
            });
        }
        self.messages_came(trace, first)?;
        let evidence = [first].into_iter().chain(messages.iter().map(|(call, _)| call.n()));
        Ok(Pass::new(format!("{} messages, none about another peer", messages.len()), evidence))
    }
}

impl MessagesDiscloseNoOtherPeer {
    /// Returns the message of the target in a call, if the check reads it.
    fn read<'a>(&self, call: &Call<'a>) -> Option<&'a Value> {
        match (&self.call, call.exchange.direction) {
            (None, Direction::FromTarget) => call.exchange.sent(),
            (Some(_), Direction::ToTarget) if call.route() != Some(Route::AuditExcerpts) => {
                call.exchange.response.as_ref()?.body.json()
            }
            _ => None,
        }
    }

    /// Ends the check unless the messages came that would have shown a breach.
    fn messages_came(&self, trace: &Trace, first: u64) -> Result<(), Stop> {
        let Some(labels) = &self.call else {
            let mut own = calls(trace).of(&self.peer).made_by_target().after(first);
            return match own.find(|call| call.route() == Some(Route::Heartbeat)) {
                Some(_) => Ok(()),
                None => Err(Stop::unproven("no heartbeat of the target reached the peer", [first])),
            };
        };
        for label in labels.iter() {
            let mut answers = calls(trace).labelled(label).after(first);
            if let Some(call) = answers.find(|call| !call.exchange.succeeded()) {
                return Err(Stop::unproven(format!("not served: {}", call.summary()), [call.n()]));
            }
            if calls(trace).labelled(label).after(first).next().is_none() {
                return Err(Stop::unproven(format!("{label:?} was not made"), [first]));
            }
        }
        Ok(())
    }

    /// Returns what is known of the others, without what the peer itself sent. Returns `None` if no address and no id of a
    /// peer is left.
    fn names(&self, trace: &Trace) -> Option<Names> {
        let own: Vec<String> = calls(trace)
            .of(&self.peer)
            .filter_map(|call| match call.exchange.direction {
                Direction::ToTarget => call.exchange.sent().map(Value::to_string),
                Direction::FromTarget => Some(call.exchange.response.as_ref()?.body.json()?.to_string()),
            })
            .collect();
        // A short id may be part of anything. It counts where a member names a peer alone.
        let is_sent =
            |name: &String| is_unmistakable(name) && own.iter().any(|text| text.contains(name.as_str()));
        let is_secret = |name: &String| !name.is_empty() && !is_sent(name);
        let others = || self.other_peers.iter().map(|peer| &**peer);
        let addresses: BTreeSet<String> = others()
            .flat_map(|peer| calls(trace).of(peer).made_by_peer().on(Route::Accept).collect::<Vec<_>>())
            .flat_map(|accept| accept.exchange.sent().map(addresses).unwrap_or_default())
            .filter(|address| is_unmistakable(address) && is_secret(address))
            .collect();
        let ids: Vec<String> = others().filter_map(|peer| peer_id(trace, peer)).filter(is_secret).collect();
        if addresses.is_empty() || ids.len() < self.other_peers.len() {
            return None;
        }
        let private = || self.private.iter().filter_map(|label| trace.operation(label));
        let known = |text: &String| is_unmistakable(text) && is_secret(text);
        let texts = private().flat_map(|(_, operation)| texts(operation)).filter(known);
        let put = private().filter_map(|(_, operation)| operation.parameters["id"].as_str());
        Some(Names {
            own: peer_id(trace, &self.peer)?,
            addresses: addresses.into_iter().collect(),
            others: ids.into_iter().chain(texts).collect(),
            records: put.map(ToOwned::to_owned).filter(known).collect(),
        })
    }
}

/// Returns the addresses in an accept: each one as a URL, and its host with the port.
fn addresses(accept: &Value) -> Vec<String> {
    let urls = accept["endpoints"].as_array().into_iter().flatten().filter_map(|one| one["url"].as_str());
    let forms = |url: &str| {
        let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next());
        let host = host.filter(|host| host.contains(':')).map(ToOwned::to_owned);
        [Some(url.to_owned()), host].into_iter().flatten()
    };
    urls.flat_map(forms).collect()
}

/// Returns the texts of an operation that only the operator and the one whom it concerns know.
fn texts(operation: &Operation) -> impl Iterator<Item = String> + '_ {
    let names = ["reason", "remote_subject"].into_iter();
    names.filter_map(|name| operation.parameters[name].as_str().map(ToOwned::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    const ALICE: &str = "0190a6d4-0000-7000-8000-00000000000a";
    const BOB: &str = "0190a6d4-0000-7000-8000-00000000000b";

    fn accepted(peer: &str, id: &str, port: u16) -> Exchange {
        let endpoints = json!({"endpoints": [{"url": format!("https://127.0.0.1:{port}"), "scope": "wan"}]});
        let answer = json!({"success": true, "data": {"peer_id": id}});
        Exchange::to_target(peer).on("POST", "accept").sending(endpoints).answered_with(200, answer)
    }

    fn acted(status: u16) -> TraceBuilder {
        let issue = json!({"peer_id": BOB, "remote_subject": "bob-steward-1"});
        let put = json!({"kind": "skill", "id": "0190a6d4-0000-7000-8000-00000000000c", "record": {}});
        TraceBuilder::new()
            .call("bob-accepts", accepted("bob", BOB, 40_001))
            .operation_with("private", "grant.issue", issue, json!({"grant_id": "g"}))
            .operation_with("own", "resource.put", put, json!({}))
            .call("act", Exchange::to_target("bob").on("GET", "resources/skill/a").answered(status))
            .call("accept", accepted("alice", ALICE, 40_002))
    }

    fn with(call: Option<&str>) -> Value {
        json!({
            "peer": "alice", "other_peers": ["bob"], "acts": "act", "private": ["private", "own"], "call": call,
        })
    }

    /// Returns the verdicts on these members of a heartbeat's answer, and of a heartbeat of the target.
    fn disclosed_by(members: &Value) -> [Verdict; 2] {
        let answer = json!({"success": true, "data": members});
        let beat = Exchange::to_target("alice").on("POST", "heartbeat").sending(json!({}));
        let own = Exchange::from_target("alice").on("POST", "heartbeat").sending(members.clone());
        [
            acted(200)
                .call("beat", beat.answered_with(200, answer))
                .verdict::<MessagesDiscloseNoOtherPeer>(with(Some("beat"))),
            acted(200)
                .call_from_target(own.answered_with(200, json!({})))
                .verdict::<MessagesDiscloseNoOtherPeer>(with(None)),
        ]
    }

    #[test]
    fn the_address_of_another_peer_is_broken_in_any_member() {
        let url = |port: u16| json!({"our_endpoints": [{"url": format!("https://127.0.0.1:{port}")}]});
        assert_eq!(disclosed_by(&url(40_003)), [Kept; 2]);
        assert_eq!(disclosed_by(&url(40_002)), [Kept; 2], "its own");
        assert_eq!(disclosed_by(&url(40_001)), [Broken; 2]);
        assert_eq!(disclosed_by(&json!({"metadata": {"mesh": ["127.0.0.1:40001/api"]}})), [Broken; 2]);
        assert_eq!(disclosed_by(&json!({"port": 40_001})), [Kept; 2]);
        let about = json!({"governance": {"peer_findings": [{"message": "as https://127.0.0.1:40001"}]}});
        assert_eq!(disclosed_by(&about), [Unproven; 2], "a finding about the reader");
    }

    #[test]
    fn an_entry_about_others_is_broken_and_a_bare_name_is_unproven() {
        let at = "2026-06-01T00:00:00Z";
        let entry = |of: &str| json!({"log": [{"action": "read", "at": at, "federation_peer_id": of}]});
        assert_eq!(disclosed_by(&entry(BOB)), [Broken; 2]);
        assert_eq!(disclosed_by(&entry(ALICE)), [Kept; 2]);
        let event =
            |payload: Value| json!({"events": [{"kind": "x.y", "emitted_at": at, "payload": payload}]});
        assert_eq!(disclosed_by(&event(json!({"who": format!("fed:{BOB}")}))), [Broken; 2]);
        assert_eq!(disclosed_by(&event(json!({"subject": "bob-steward-1"}))), [Broken; 2]);
        assert_eq!(
            disclosed_by(&event(json!({"record": "0190a6d4-0000-7000-8000-00000000000c"}))),
            [Broken; 2]
        );
        assert_eq!(disclosed_by(&event(json!({"federation_peer_id": ALICE, "beside": BOB}))), [Unproven; 2]);
        let migration = json!({"log": [{"action": "migration", "at": at, "federation_peer_id": BOB}]});
        assert_eq!(disclosed_by(&migration), [Unproven; 2], "the contract excepts migrations");
        assert_eq!(disclosed_by(&json!({"partners": [{"peer_id": BOB, "since": at}]})), [Unproven; 2]);
    }

    #[test]
    fn a_record_that_the_target_shares_by_itself_is_no_entry_of_its_log() {
        const PRIVATE: &str = "0190a6d4-0000-7000-8000-00000000000c";
        let sent = |path: &str, who: &str| {
            let at = "2026-06-01T00:00:00Z";
            let payload = json!({"id": PRIVATE, "kind": "skill", "updated_at": at, "by": who});
            let record = json!({"id": PRIVATE, "updated_at": at, "payload": payload});
            let sent = json!({"kind": "skill", "records": [record]});
            let own = Exchange::from_target("alice").on("POST", path).sending(sent);
            let beat = Exchange::from_target("alice").on("POST", "heartbeat").sending(json!({}));
            acted(200)
                .call_from_target(own.answered_with(200, json!({})))
                .call_from_target(beat.answered_with(200, json!({})))
                .verdict::<MessagesDiscloseNoOtherPeer>(with(None))
        };
        assert_eq!(
            [sent("sync", "x"), sent("migrations", "x"), sent("heartbeat", "x")],
            [Kept, Kept, Broken]
        );
        assert_ne!(sent("sync", BOB), Kept, "it names the other peer");
    }

    #[test]
    fn a_short_id_is_looked_for_where_a_member_names_a_peer() {
        let verdict = |member: &str| {
            let mut entry = json!({"action": "read", "at": "2026-06-01T00:00:00Z"});
            entry[member] = json!(2);
            let answer = json!({"data": {"log": [entry]}});
            let beat = Exchange::to_target("alice").on("POST", "heartbeat").sending(json!({"priority": 2}));
            TraceBuilder::new()
                .call("bob-accepts", accepted("bob", "2", 40_001))
                .call("act", Exchange::to_target("bob").on("GET", "resources/skill/a").answered(200))
                .call("alice-accepts", accepted("alice", "1", 40_002))
                .call("beat", beat.answered_with(200, answer))
                .verdict::<MessagesDiscloseNoOtherPeer>(with(Some("beat")))
        };
        assert_eq!([verdict("federation_peer_id"), verdict("status")], [Broken, Kept]);
    }

    #[test]
    fn without_acts_and_messages_nothing_is_shown() {
        let beat = || Exchange::to_target("alice").on("POST", "heartbeat").sending(json!({}));
        let verdict = |status: u16, label: &str| {
            acted(status)
                .call("beat", beat().answered_with(200, json!({"data": {}})))
                .verdict::<MessagesDiscloseNoOtherPeer>(with(Some(label)))
        };
        assert_eq!(
            [verdict(200, "beat"), verdict(401, "beat"), verdict(200, "none")],
            [Kept, Unproven, Unproven]
        );
        let refused = acted(200).call("beat", beat().answered(429));
        assert_eq!(refused.verdict::<MessagesDiscloseNoOtherPeer>(with(Some("beat"))), Unproven);
        assert_eq!(acted(200).verdict::<MessagesDiscloseNoOtherPeer>(with(None)), Unproven);
    }
}
