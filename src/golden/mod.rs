//! Golden exchanges: recorded, normalised, and compared by structure.
//!
//! Numbered placeholders replace ids, times, digests, certificates and addresses. A golden breaks if a member
//! disappears, changes its type or changes its meaning. An added member does not break it.

mod compare;
mod normalise;
mod reference;

pub use compare::{Difference, compare};
pub use normalise::normalise;
pub(crate) use normalise::normalise_with_forms;
pub use reference::{Compared, GoldenError, compare_goldens, record_golden};

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::transcript::{Direction, Entry, Exchange, Trace};

/// A golden file: an exchange of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// The id of the scenario.
    pub scenario: String,
    /// The exchange to take from it.
    pub which: Which,
    /// The normalised exchange.
    pub exchange: Value,
}

/// A selector of an exchange: the last one that matches every given member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The label that a step gave to the exchange. A call of the target has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The peer that sent or received the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The direction of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The name of the route: `heartbeat`, `migrations/commit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// A text that the request body contains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

impl Golden {
    /// Takes an exchange from a trace. Returns `None` if none matches.
    #[must_use]
    pub fn take(trace: &Trace, which: &Which) -> Option<Self> {
        let (_, exchange) = trace.exchanges().rfind(|(entry, exchange)| which.fits(entry, exchange))?;
        Some(Self {
            scenario: trace.scenario().to_owned(),
            which: which.clone(),
            exchange: normalise(exchange),
        })
    }
}

impl Which {
    fn fits(&self, entry: &Entry, exchange: &Exchange) -> bool {
        let route = exchange.route();
        let says = |text: &String| exchange.sent().is_some_and(|sent| sent.to_string().contains(text));
        self.label.as_ref().is_none_or(|label| entry.label.as_ref() == Some(label))
            && self.peer.as_ref().is_none_or(|peer| exchange.peer == *peer)
            && self.direction.is_none_or(|direction| exchange.direction == direction)
            && self.route.as_ref().is_none_or(|name| route.is_some_and(|route| route.name() == name))
            && self.says.as_ref().is_none_or(says)
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = self.direction.map(|direction| match direction {
            Direction::ToTarget => "a peer's".to_owned(),
            Direction::FromTarget => "the target's".to_owned(),
        });
        let says = self.says.as_ref().map(|says| format!("with {says:?}"));
        let peer = self.peer.as_ref().map(|peer| format!("of {peer}"));
        let parts = [direction, self.label.clone(), self.route.clone(), peer, says];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::transcript::{Recorder, What};
    use serde_json::json;

    #[test]
    fn a_golden_is_the_last_exchange_that_matches_every_member() {
        let start = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let recorder = Recorder::in_memory("x", Clock::manual(start));
        let beat = |exchange: Exchange, label: Option<&str>, status: u16| {
            let exchange = exchange.on("POST", "heartbeat").sending(json!({"n": status})).answered(status);
            recorder.record(None, label, What::Exchange(exchange));
        };
        beat(Exchange::to_target("alice"), Some("first"), 201);
        beat(Exchange::from_target("alice"), None, 202);
        beat(Exchange::from_target("bob"), None, 203);
        beat(Exchange::to_target("alice"), Some("first"), 204);
        let status = |which: Which| {
            let golden = Golden::take(&recorder.trace(), &which)?;
            golden.exchange["response"]["status"].as_u64()
        };
        let text = |text: &str| Some(text.to_owned());
        let sent = || Which { direction: Some(Direction::FromTarget), ..Which::default() };
        assert_eq!(status(Which { label: text("first"), ..Which::default() }), Some(204));
        assert_eq!(status(sent()), Some(203));
        assert_eq!(status(Which { peer: text("alice"), ..sent() }), Some(202));
        assert_eq!(status(Which { says: text("\"n\":201"), ..Which::default() }), Some(201));
        assert_eq!(status(Which { route: text("accept"), ..sent() }), None);
    }
}
