//! A scenario played a second time on the same target: many a fault shows only at the second grant, the second
//! revocation or the second peer.
//!
//! The steps of the scenario are played twice, and its checks are evaluated on the second time. What the steps name is
//! renamed there: labels, the ids of records and, with other peers, the peers.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use toml::Spanned;

use super::check_spec::CheckSpec;
use super::format::{PeerSpec, Scenario, Step};
use super::library::Reader;
use super::load::{LoadError, Loaded};
use super::own_names::{RECORDS, add_to_name};
use super::step::changed;
use super::write;
use crate::check::{CheckDef, ParameterKind, check_with_id};

/// The end of a name that stands for the second time. It is repeated where the scenario has such a name itself.
const SECOND: &str = "_again";

/// The members of a step that hold the name of a peer.
const PEERS: [&str; 5] = ["peer", "also", "until_about", "and_about", "issuer"];

/// The members of a step that hold the label of a step.
const LABELS: [&str; 4] = ["as", "of", "grant", "listed"];

/// The members of a step that hold steps, and the one that holds the label of an earlier step in a table.
const INNER: &str = "step";
const MEANWHILE: &str = "meanwhile";
const UNTIL: &str = "until";
const THAN: &str = "than";

/// The step that waits for a call, and its member that leaves out what was received before.
const WAIT: &str = "wait";
const NEW_CALL: &str = "new_call";

/// The peers of the second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// Other peers, which federate after the first ones.
    OtherPeers,
    /// The same peers, which do not federate a second time.
    SamePeers,
}

impl Again {
    const fn name(self) -> &'static str {
        match self {
            Self::OtherPeers => "again-with-other-peers",
            Self::SamePeers => "again-with-the-same-peers",
        }
    }
}

/// Returns the scenarios that play this one a second time, as it asks for them.
pub(super) fn second_times(loaded: &Loaded, read: Reader) -> Result<Vec<Loaded>, LoadError> {
    loaded.scenario.again.iter().map(|again| second_time(loaded, *again, read)).collect()
}

fn second_time(loaded: &Loaded, again: Again, read: Reader) -> Result<Loaded, LoadError> {
    let first = &loaded.scenario;
    let steps: Vec<&Spanned<Step>> = match again {
        Again::OtherPeers => first.steps.iter().collect(),
        Again::SamePeers => first.steps.iter().filter(|step| !begins_peering(step.get_ref())).collect(),
    };
    let renaming = Renaming::new(first, &steps, again);
    let peers = if again == Again::OtherPeers { renaming.peers(&first.peers) } else { vec![] };
    let scenario = Scenario {
        title: format!("{}, {}", first.title, again.name().replace('-', " ")),
        again: vec![],
        stage: None,
        peers: [first.peers.clone(), peers].concat(),
        steps: first.steps.iter().cloned().chain(steps.into_iter().map(|step| renaming.step(step))).collect(),
        checks: first.checks.iter().map(|check| renaming.check(check)).collect(),
        ..first.clone()
    };
    let id = format!("{}-{}", loaded.id, again.name());
    let source = write(&scenario).unwrap_or_default();
    let made = read(&id, &format!("{id}, made of {}", loaded.id), &source)?;
    Ok(Loaded { second_time: true, ..made })
}

/// Returns true if the step begins a peering, which the same peers have already.
fn begins_peering(step: &Step) -> bool {
    matches!(step, Step::Federate(_) | Step::Propose(_) | Step::Accept(_) | Step::Join(_))
}

/// The names of the first time that stand for something else in the second one.
struct Renaming {
    peers: BTreeSet<String>,
    labels: BTreeSet<String>,
    /// The labels that a reference means: a peer of the same name comes before a label.
    referred: BTreeSet<String>,
    /// The end of a new name. No name of the scenario ends so.
    end: String,
}

impl Renaming {
    fn new(first: &Scenario, steps: &[&Spanned<Step>], again: Again) -> Self {
        let all: BTreeSet<String> = first.peers.iter().map(|peer| peer.name.clone()).collect();
        let played = steps.iter().flat_map(|step| step.get_ref().flatten());
        let labels: BTreeSet<String> = played.filter_map(Step::label).map(ToOwned::to_owned).collect();
        let peers = if again == Again::OtherPeers { all.clone() } else { BTreeSet::new() };
        let referred = labels.difference(&all).chain(&peers).cloned().collect();
        Self { peers, labels, referred, end: unused_end(first) }
    }

    fn name(&self, names: &BTreeSet<String>, name: &str) -> String {
        if names.contains(name) { format!("{name}{}", self.end) } else { name.to_owned() }
    }

    fn peers(&self, peers: &[PeerSpec]) -> Vec<PeerSpec> {
        let renamed = |name: &str| self.name(&self.peers, name);
        peers.iter().map(|peer| PeerSpec { name: renamed(&peer.name), ..peer.clone() }).collect()
    }

    fn step(&self, step: &Spanned<Step>) -> Spanned<Step> {
        changed(step, |step| self.rename_in_step(step))
    }

    /// Renames in a step: its own members hold names, what it sends holds references.
    fn rename_in_step(&self, step: &mut Value) {
        // What the first time received is no notice of the second one.
        if let Some(Value::Object(wait)) = step.get_mut(WAIT) {
            wait.insert(NEW_CALL.to_owned(), Value::Bool(true));
        }
        for (_, members) in step.as_object_mut().into_iter().flatten() {
            for (member, value) in members.as_object_mut().into_iter().flatten() {
                let names = [(&PEERS[..], &self.peers), (&LABELS[..], &self.labels)];
                let of_member = names.into_iter().find(|(members, _)| members.contains(&member.as_str()));
                match (member.as_str(), value) {
                    (INNER | MEANWHILE, Value::Array(steps)) => {
                        for step in steps {
                            self.rename_in_step(step);
                        }
                    }
                    (UNTIL, Value::Object(more)) => {
                        if let Some(label) = more.get_mut(THAN) {
                            self.rename(label, Some(&self.labels));
                        }
                    }
                    (member, value) => {
                        self.rename(value, of_member.map(|(_, names)| names));
                        self.rename_records(member, value);
                    }
                }
            }
        }
    }

    /// Gives each record of the second time a name of its own: a platform may want each name once.
    fn rename_records(&self, member: &str, value: &mut Value) {
        match value {
            Value::Object(record) if RECORDS.contains(&member) => add_to_name(record, &self.end),
            Value::Object(members) => {
                members.iter_mut().for_each(|(member, value)| self.rename_records(member, value));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.rename_records("", item)),
            _ => {}
        }
    }

    /// Renames in a value, which is a name among these, or holds references.
    fn rename(&self, value: &mut Value, names: Option<&BTreeSet<String>>) {
        match value {
            Value::String(text) => {
                *text = names
                    .filter(|_| !text.contains("${"))
                    .map_or_else(|| self.text(text), |names| self.name(names, text));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.rename(item, names)),
            Value::Object(members) => {
                let renamed = std::mem::take(members).into_iter().map(|(member, mut value)| {
                    self.rename(&mut value, None);
                    (self.text(&member), value)
                });
                *members = renamed.collect();
            }
            _ => {}
        }
    }

    /// Renames in the references of a text: `${grant.grant_id}` and `${id:root}`.
    fn text(&self, text: &str) -> String {
        let mut parts = text.split("${");
        let mut renamed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_at(part.find(['.', '}', '?']).unwrap_or(part.len()));
            let is_other = name.starts_with("id:") || self.referred.contains(name);
            renamed.extend(["${", name, if is_other { &self.end } else { "" }, rest]);
        }
        renamed
    }

    fn check(&self, check: &Spanned<CheckSpec>) -> Spanned<CheckSpec> {
        let mut renamed = check.get_ref().clone();
        let parameters = check_with_id(&renamed.check).map(CheckDef::parameters).unwrap_or_default();
        let either = self.peers.union(&self.labels).cloned().collect();
        for parameter in parameters {
            let names = match parameter.kind {
                ParameterKind::Labels => Some(&self.labels),
                ParameterKind::Peer => Some(&self.peers),
                ParameterKind::PeerOrJoin => Some(&either),
                ParameterKind::Value => None,
            };
            if let Some(value) = renamed.with.get_mut(&parameter.name) {
                self.rename(value, names);
            }
        }
        Spanned::new(check.span(), renamed)
    }
}

/// Returns an end of which no peer, label or reference of the scenario makes use.
fn unused_end(scenario: &Scenario) -> String {
    let labels = scenario.steps.iter().flat_map(|step| step.get_ref().flatten()).filter_map(Step::label);
    let names: Vec<&str> = scenario.peers.iter().map(|peer| peer.name.as_str()).chain(labels).collect();
    let steps: Vec<&Step> = scenario.steps.iter().map(Spanned::get_ref).collect();
    let text = serde_json::to_string(&steps).unwrap_or_default();
    let mut end = SECOND.to_owned();
    while text.contains(&format!("{end}}}")) || names.iter().any(|name| name.ends_with(&end)) {
        end.push_str(SECOND);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    const FIRST: &str = r#"
title = "A grant ends"
again = ["other_peers", "same_peers"]

[[peer]]
name = "alice"

[[step]]
federate = { peer = "alice", as = "accepted" }

[[step]]
grant = { peer = "alice", kind = "skill", id = "${id:root}", scopes = ["read"], as = "grant" }

[[step]]
operator = { method = "grant.revoke", with = { peer_id = "${alice.id}", grant_id = "${grant.grant_id}" }, as = "revoked" }

[[step]]
fetch = { peer = "alice", kind = "skill", id = "x-${id:root}-${id:leaf}", grant = "grant" }

[[check]]
clause = "2.3"
aspect = "conduct"
check = "grant-revocation-announced"
requirement = "the target announces it"
with = { peer = "alice", revoke = "revoked" }
"#;

    fn second_times_of(source: &str) -> Vec<Loaded> {
        second_times(&load("02/ends", "02/ends.toml", source).expect("sound"), load).expect("sound")
    }

    #[test]
    fn other_peers_play_every_step_under_names_of_their_own() {
        let again = &second_times_of(FIRST)[0];
        assert_eq!(again.id, "02/ends-again-with-other-peers");
        let scenario = &again.scenario;
        let peers: Vec<&str> = scenario.peers.iter().map(|peer| peer.name.as_str()).collect();
        assert_eq!(peers, ["alice", "alice_again"]);
        assert_eq!(scenario.steps.len(), 8);
        let text = serde_json::to_string(&scenario.steps[6].get_ref()).expect("JSON");
        assert!(text.contains("${alice_again.id}") && text.contains("${grant_again.grant_id}"), "{text}");
        let text = serde_json::to_string(&scenario.steps[7].get_ref()).expect("JSON");
        assert!(text.contains("x-${id:root_again}-${id:leaf_again}"), "{text}");
        let with = &scenario.checks[0].get_ref().with;
        assert_eq!((&with["peer"], &with["revoke"]), (&"alice_again".into(), &"revoked_again".into()));
    }

    #[test]
    fn what_a_step_sends_has_no_names_and_its_references_are_renamed() {
        let call = r#"
[[step]]
call = { peer = "alice", method = "POST", path = "/x", body = { grant = "${grant.grant_id}", peer = "${alice.id}", of = "grant", "${alice.id}" = 1 } }
[[check]]"#;
        let again = &second_times_of(&FIRST.replacen("[[check]]", call, 1))[0].scenario;
        let last = again.steps.last().expect("a step").get_ref();
        let sent = serde_json::to_value(last).expect("JSON")["call"]["body"].clone();
        let expected = serde_json::json!({
            "grant": "${grant_again.grant_id}", "peer": "${alice_again.id}", "of": "grant", "${alice_again.id}": 1
        });
        assert_eq!(sent, expected);
    }

    #[test]
    fn the_same_peers_do_not_federate_again() {
        let scenario = &second_times_of(FIRST)[1].scenario;
        assert_eq!((scenario.peers.len(), scenario.steps.len()), (1, 7));
        assert_eq!(scenario.steps[4].get_ref().label(), Some("grant_again"));
        let with = &scenario.checks[0].get_ref().with;
        assert_eq!((&with["peer"], &with["revoke"]), (&"alice".into(), &"revoked_again".into()));
    }

    #[test]
    fn a_wait_of_the_second_time_leaves_out_what_the_first_time_received() {
        let wait = r#"
[[step]]
repeat = { times = 2, step = [{ wait = { peer = "alice", notice = "platform.grant.revoked" } }] }

[[step]]
wait = { peer = "alice", notice = "platform.grant.revoked" }
[[check]]"#;
        let first = FIRST.replacen("[[check]]", wait, 1);
        for again in second_times_of(&first) {
            let steps = again.scenario.steps.iter().flat_map(|step| step.get_ref().flatten());
            let waits =
                steps.filter_map(|step| if let Step::Wait(wait) = step { Some(wait.new_call) } else { None });
            assert_eq!(waits.collect::<Vec<_>>(), [false, false, true, true], "{}", again.id);
        }
    }

    #[test]
    fn a_name_that_the_scenario_has_already_is_not_given_again() {
        let scenario = FIRST.replace("revoked", "grant_again").replace("${id:leaf}", "${id:root_again}");
        let again = &second_times_of(&scenario)[0].scenario;
        let labels: Vec<&str> = again.steps.iter().filter_map(|step| step.get_ref().label()).collect();
        assert_eq!(labels.iter().collect::<BTreeSet<_>>().len(), labels.len(), "{labels:?}");
        let text = serde_json::to_string(&again.steps[7].get_ref()).expect("JSON");
        assert!(text.contains("x-${id:root_again_again}-${id:root_again_again_again}"), "{text}");
    }

    #[test]
    fn other_peers_come_while_the_certificate_of_a_moved_clock_is_valid_by_the_clock_of_the_system() {
        for loaded in crate::runner::library(None).expect("sound scenarios").iter() {
            let scenario = &loaded.scenario;
            if scenario.again.contains(&Again::OtherPeers) {
                let moved: i64 = scenario.steps.iter().map(|step| seconds_moved(step.get_ref())).sum();
                assert!(moved < 12 * 3600, "{}: the clock moves by {moved} seconds", loaded.id);
            }
        }
    }

    fn seconds_moved(step: &Step) -> i64 {
        match step {
            Step::Advance(step) => step.seconds,
            Step::Repeat(repeat) => {
                i64::from(repeat.times) * repeat.step.iter().map(seconds_moved).sum::<i64>()
            }
            Step::Operator(step) => step.with["seconds"].as_i64().unwrap_or(0),
            _ => 0,
        }
    }

    #[test]
    fn a_scenario_that_does_not_ask_is_played_once() {
        assert_eq!(second_times_of(&FIRST.replace("again = [\"other_peers\", \"same_peers\"]", "")), []);
    }
}
