//! Disclosures about others in a message to a peer.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::check::c05::mention::{contains_name, is_mentioned};

/// The members by which an entry of a log says what happened.
const HAPPENED: [&str; 7] = ["action", "event", "event_kind", "event_type", "kind", "operation", "type"];

/// The word for entries that may be replicated.
const EXCEPTION: &str = "migration";

/// Disclosure of a message, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Disclosure {
    /// A name, in a form that says nothing of what it is for.
    Mention,
    /// An entry of a log: a name, with what happened and when.
    Entry,
    /// The address of another peer.
    Address,
}

/// Facts that are known of others, and of the peer that reads the messages.
#[derive(Clone)]
pub(super) struct Names {
    /// The id of the peer that reads: an entry that has it is about that peer too.
    pub(super) own: String,
    /// The addresses of the other peers.
    pub(super) addresses: Vec<String>,
    /// Ids of the other peers, subjects of their grants, and what the operator did without the reader.
    pub(super) others: Vec<String>,
    /// Ids of records that the operator put without the reader.
    pub(super) records: Vec<String>,
}

impl Names {
    /// Returns the most that a message discloses of others, or `None` for nothing.
    pub(super) fn disclosed(&self, message: &Value) -> Option<Disclosure> {
        self.within("", message)
    }

    fn within(&self, member: &str, value: &Value) -> Option<Disclosure> {
        match value {
            Value::String(text) if self.addresses.iter().any(|address| contains_name(text, address)) => {
                Some(Disclosure::Address)
            }
            Value::String(_) | Value::Number(_) => {
                let mut names = self.others.iter().chain(&self.records);
                let is_named = names.any(|name| is_mentioned(member, value, name));
                is_named.then_some(Disclosure::Mention)
            }
            Value::Array(items) => items.iter().filter_map(|item| self.within(member, item)).max(),
            Value::Object(members) => {
                let found = members.iter().filter_map(|(name, value)| self.within(name, value)).max()?;
                if is_about_reader(member) {
                    return Some(Disclosure::Mention);
                }
                let is_own = is_mentioned("", value, &self.own);
                let is_entry = found == Disclosure::Mention && !is_own && is_entry(members);
                Some(if is_entry { Disclosure::Entry } else { found })
            }
            _ => None,
        }
    }
}

/// Returns whether a member is about the findings about the reader: `prefix_overlap_with_other_peer` of the observed wire
/// may say which peer that is.
fn is_about_reader(member: &str) -> bool {
    let member = member.to_lowercase();
    member.contains("governance") || member.contains("finding")
}

/// Returns whether an object says what happened, and when. The contract lets platforms replicate the entries of migrations.
fn is_entry(members: &Map<String, Value>) -> bool {
    let mut what = HAPPENED.iter().filter_map(|name| members.get(*name)?.as_str());
    let has_happened = what.clone().next().is_some() && !what.any(|text| text.contains(EXCEPTION));
    let inner = members.values().filter_map(Value::as_object).flat_map(Map::values);
    has_happened && members.values().chain(inner).any(is_moment)
}

fn is_moment(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok())
}
