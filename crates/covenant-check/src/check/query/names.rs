//! The names by which a target may refer to a peer.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{CallQuery, calls, peer_id};
use crate::check::c05::mention::{contains_name, is_unmistakable};
use covenant_model::operator::{OperatorMethod, peer};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// Returns the names of a peer: its id at the target, its addresses with and without the scheme, and the subjects of its
/// certificates.
pub(in crate::check) fn names_of(trace: &Trace, peer: &str) -> BTreeSet<String> {
    let id = peer_id(trace, peer);
    let mut names: BTreeSet<String> = id.iter().cloned().collect();
    let mut add = |text: &Value| {
        let text = text.as_str().unwrap_or_default().trim_end_matches('/');
        let host = text.split_once("://").map_or(text, |(_, rest)| rest);
        names.extend([text, host].into_iter().filter(|name| !name.is_empty()).map(ToOwned::to_owned));
    };
    for call in calls(trace).of(peer).made_by_peer().on(Route::Accept) {
        let (sent, answer) = (call.exchange.sent(), call.exchange.data());
        if let Some(sent) = sent {
            sent["endpoints"].as_array().into_iter().flatten().for_each(|endpoint| add(&endpoint["url"]));
            add(&sent["base_url"]);
            add(&sent["caller_inbound_subject"]);
        }
        if let Some(answer) = &answer {
            add(&answer["assigned_inbound_subject"]);
        }
    }
    let proposed = trace.operations([peer::Propose::METHOD]);
    let own = proposed.filter(|(_, propose)| {
        let proposed = propose.result.as_ref().and_then(|result| result["peer_id"].as_str());
        proposed.is_some() && proposed == id.as_deref()
    });
    own.for_each(|(_, propose)| add(&propose.parameters["remote_instance_url"]));
    names
}

/// Returns whether a text in a value is one of these names, or has one among other words, if it can't be a word itself.
pub(in crate::check) fn mentions_one(value: &Value, names: &[String]) -> bool {
    let is_in = |text: &str, name: &str| text == name || (is_unmistakable(name) && contains_name(text, name));
    match value {
        Value::String(text) => names.iter().any(|name| is_in(text, name)),
        Value::Array(items) => items.iter().any(|item| mentions_one(item, names)),
        Value::Object(members) => members.values().any(|member| mentions_one(member, names)),
        _ => false,
    }
}
