//! An exchange as a template: what differs from run to run is a placeholder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::compare::{Difference, Known};
use super::form::{placeholder, without_number};
use crate::golden::normalise_with_forms;
use crate::transcript::{Direction, Entry, Exchange, FailureKind, Message, Trace};

/// The name of a route that the wire does not have.
const UNKNOWN: &str = "unknown";
/// The name of the route of a read.
const RESOURCES: &str = "resources";
/// The headers that a peer acts on.
const HEADERS: &[&str] = &["content-type", "retry-after", "authorization"];

/// An exchange of a scenario as a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The number of its entry in the trace from which it was made.
    pub n: u64,
    /// The direction of the call.
    pub direction: Direction,
    /// The peer that called or was called.
    pub peer: String,
    /// The name of the route; `unknown` if the wire has no such route.
    pub route: String,
    /// The step of the scenario that made the call; a call of the target has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// The label of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The request, normalised.
    pub request: Value,
    /// The response, normalised; null if there was none.
    #[serde(default)]
    pub response: Value,
    /// The kind of the failure, if there was no response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureKind>,
    /// True if it stands for many equal calls of one step, made side by side. Any of them may answer it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub many: bool,
    /// Differences between the two plays of the recording, by rule and place. They are compared with nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub varies: Vec<Variable>,
}

/// A difference between two plays of one release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The id of the rule.
    pub rule: String,
    /// The place.
    pub at: String,
}

impl Variable {
    pub(super) fn of(difference: &Difference) -> Self {
        Self { rule: difference.rule.id.to_owned(), at: difference.at.clone() }
    }
}

/// Key that finds an exchange again in another play.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    peer: String,
    call: String,
    step: Option<u32>,
}

impl Template {
    /// Returns the templates of a trace, in order.
    #[must_use]
    pub fn all(trace: &Trace) -> Vec<Self> {
        trace.exchanges().map(|(entry, exchange)| Self::new(entry, exchange)).collect()
    }

    fn new(entry: &Entry, exchange: &Exchange) -> Self {
        let mut both = normalise_with_forms(exchange);
        let mut request = both["request"].take();
        let mut response = both["response"].take();
        split_query(&mut request);
        add_headers(&mut request, &exchange.request);
        if let Some(message) = &exchange.response {
            add_headers(&mut response, message);
        }
        Self {
            n: entry.n,
            direction: exchange.direction,
            peer: exchange.peer.clone(),
            route: exchange.route().map_or(UNKNOWN, |route| route.name()).to_owned(),
            step: entry.step.filter(|_| exchange.direction == Direction::ToTarget),
            label: entry.label.clone(),
            request,
            response,
            failure: exchange.failure.as_ref().map(|failure| failure.kind),
            many: false,
            varies: vec![],
        }
    }

    /// Returns what finds the exchange again. The calls of a peer are found by their step, those of the target by
    /// their route alone: when it makes them is its choice. A platform may have ids of any form in its paths, so a path
    /// counts only where the wire has no such route.
    pub(super) fn key(&self) -> Key {
        let method = self.request["method"].as_str().unwrap_or_default();
        let path = self.request["path"].as_str().unwrap_or_default();
        let call = match self.route.as_str() {
            UNKNOWN => path.split('/').map(without_number).collect::<Vec<_>>().join("/"),
            // A read is one of a kind.
            RESOURCES => {
                path.rsplit('/').nth(1).map_or(RESOURCES.to_owned(), |kind| format!("{RESOURCES} {kind}"))
            }
            route => route.to_owned(),
        };
        Key { peer: self.peer.clone(), call: format!("{method} {call}"), step: self.step }
    }

    /// Returns the status of the response.
    #[must_use]
    pub fn status(&self) -> Option<u64> {
        self.response["status"].as_u64()
    }

    /// Returns the message that the target sent: its answer, or its call.
    #[must_use]
    pub fn of_target(&self) -> &Value {
        match self.direction {
            Direction::ToTarget => &self.response,
            Direction::FromTarget => &self.request,
        }
    }

    /// Returns whether the target did the same in another exchange.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        self.of_target() == other.of_target() && self.failure == other.failure
    }

    /// Returns whether the two plays of the recording differ there too.
    pub(super) fn has_varied(&self, difference: &Difference) -> bool {
        self.varies.contains(&Variable::of(difference))
    }

    /// Leaves out the differences in which the two plays of the recording differ too.
    pub(super) fn without_varied(&self, mut differences: Vec<Difference>) -> Vec<Difference> {
        differences.retain(|difference| !self.has_varied(difference));
        differences
    }

    /// Returns the exchange in words: `the answer to heartbeat of alice (step 4)`.
    pub(super) fn in_words(&self) -> String {
        let step = self.step.map(|step| format!(" (step {step})")).unwrap_or_default();
        format!("the answer to {} of {}{step}", self.route, self.peer)
    }

    /// Returns the placeholders that stand for the same here and in another play, because both have the same request.
    pub(super) fn known_in(&self, other: &Self) -> Known {
        let mut places = BTreeMap::new();
        if self.request == other.request {
            scalars("request", &self.request, &mut places);
            in_lists(&self.request, &mut places);
        }
        places.into_keys().collect()
    }

    /// Returns the places that hold one value, by that value: ids, tokens and the like outside of lists.
    pub(super) fn echoes(&self) -> BTreeMap<String, Vec<String>> {
        let mut places = BTreeMap::new();
        scalars("request", &self.request, &mut places);
        if self.direction == Direction::ToTarget {
            scalars("response", &self.response, &mut places);
        }
        places
    }
}

/// Collects the placeholders that identify something, with their places. Moments are left out: two that are equal are so
/// by chance.
fn scalars(at: &str, value: &Value, places: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                scalars(&format!("{at}.{name}"), member, places);
            }
        }
        Value::String(text) if at == "request.path" => {
            for (number, part) in text.split('/').enumerate().filter(|(_, part)| is_identity(part)) {
                places.entry((*part).to_owned()).or_default().push(format!("{at}[{number}]"));
            }
        }
        Value::String(text) if is_identity(text) => {
            places.entry(text.clone()).or_default().push(at.to_owned());
        }
        _ => {}
    }
}

/// Collects the placeholders in the lists of a value.
fn in_lists(value: &Value, places: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Object(members) => members.values().for_each(|member| in_lists(member, places)),
        Value::Array(items) => {
            for item in items {
                scalars("", item, places);
                in_lists(item, places);
            }
        }
        _ => {}
    }
}

fn is_identity(text: &str) -> bool {
    placeholder(text).is_some_and(|class| !["time", "pem", "url"].iter().any(|one| class.starts_with(one)))
}

/// Makes the query an object, so that its members are compared by name.
fn split_query(request: &mut Value) {
    let Some((path, query)) = request["path"].as_str().and_then(|path| path.split_once('?')) else { return };
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let pairs: Map<String, Value> = pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let path = path.to_owned();
    request["path"] = json!(path);
    request["query"] = Value::Object(pairs);
}

fn add_headers(to: &mut Value, message: &Message) {
    let mut kept = Map::new();
    for (name, value) in &message.headers {
        let name = name.to_ascii_lowercase();
        let first = |end: char| value.split(end).next().unwrap_or(value).trim().to_owned();
        let value = match name.as_str() {
            "content-type" => json!(first(';').to_ascii_lowercase()),
            "authorization" => json!(first(' ').to_ascii_lowercase()),
            // Seconds, or a moment.
            _ => value.parse::<u64>().map_or_else(|_| json!("a moment"), |seconds| json!(seconds)),
        };
        if HEADERS.contains(&name.as_str()) {
            kept.insert(name, value);
        }
    }
    if !kept.is_empty() {
        to["headers"] = Value::Object(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::transcript::{Recorder, What};

    #[test]
    fn a_template_has_the_query_by_name_and_the_headers_that_matter() {
        let start = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let recorder = Recorder::in_memory("x", Clock::manual(start));
        let id = "01a2075f-ab38-734e-bd8b-a790d60fdad4";
        let path = format!("resources/skill/{id}?since=2026-06-01T00:00:00Z");
        let mut exchange = Exchange::to_target("alice").on("GET", &path).answered(200);
        exchange.request.headers.push(("Authorization".to_owned(), "Bearer x".to_owned()));
        recorder.record(Some(4), Some("read"), What::Exchange(exchange));
        let templates = Template::all(&recorder.trace());
        let template = &templates[0];
        assert_eq!(template.request["query"], json!({"since": "<time:1>"}));
        assert_eq!(template.request["headers"], json!({"authorization": "bearer"}));
        assert_eq!((template.route.as_str(), template.step), ("resources", Some(4)));
        assert_eq!(template.known_in(template), Known::from(["<id:1>".to_owned()]));
        assert_eq!(template.status(), Some(200));
        assert_eq!(template.key().call, "GET resources skill");
        assert_eq!(template.echoes().len(), 1);
    }
}
