//! Additions of the binding: what shows that a target speaks one.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::entry::{Direction, Exchange, Note, Operation, What};
use super::kind::NoteKind;
use super::trace::Trace;
use super::way_back::Place;
use crate::Stage;
use crate::operator::OperatorMethod;
use crate::operator::peer::Revoke;
use crate::wire::path::Route;
use crate::wire::state::PeerStatus;

/// The members of `metadata` that disclose something (`binding.md`, "Accept and heartbeat").
const DISCLOSED: [&str; 4] =
    ["operator_contact", "jurisdiction", "platform_version", "last_known_good_release"];
/// The type of the notice of a revocation.
const REVOKED: &str = "platform.peer.revoked";
/// The statuses by which a target says that it does not accept what a message holds.
const NOT_ACCEPTED: [u16; 2] = [400, 422];

/// Members that the binding adds to the observed wire, and that a platform may not know (`binding.md`, "Accept and
/// heartbeat", "Capabilities", "Notices").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Addition {
    /// `metadata`: the disclosure of commitment 1.
    Metadata,
    /// `contract_digest` in an accept.
    ContractDigest,
    /// `contract_version` in a heartbeat.
    ContractVersion,
    /// `capabilities.resource_kinds`: the declared kinds.
    ResourceKinds,
    /// `events` in a heartbeat: notices.
    Notices,
    /// `status` in a heartbeat: the sender's view of the peering.
    Status,
}

/// The evidence that a target speaks an addition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// An entry of the run shows it.
    Seen(Place),
    /// The adapter says so: `speaks` in `describe`.
    Described,
}

/// The additions that a target is shown to speak.
pub type Spoken = BTreeMap<Addition, Shown>;

impl Addition {
    /// Every addition, in order.
    pub const ALL: [Self; 6] = [
        Self::Metadata,
        Self::ContractDigest,
        Self::ContractVersion,
        Self::ResourceKinds,
        Self::Notices,
        Self::Status,
    ];

    /// Returns the members, as a report names them.
    #[must_use]
    pub const fn members(self) -> &'static str {
        match self {
            Self::Metadata => "`metadata`",
            Self::ContractDigest => "`contract_digest`",
            Self::ContractVersion => "`contract_version` in a heartbeat",
            Self::ResourceKinds => "`capabilities.resource_kinds`",
            Self::Notices => "`events` in a heartbeat",
            Self::Status => "`status` in a heartbeat",
        }
    }

    /// Returns the stage in which a target that speaks the addition shows it, beyond the handshake.
    #[must_use]
    pub const fn stage(self) -> Option<Stage> {
        match self {
            Self::Notices | Self::Status => Some(Stage::Revoke),
            _ => None,
        }
    }

    /// Returns the behaviours of a peer that deviate in nothing but the addition.
    const fn behaviours(self) -> &'static [&'static str] {
        match self {
            Self::Metadata => &["withholds-contact", "withholds-jurisdiction", "withholds-last-good-release"],
            Self::ContractDigest => &["sends-other-contract-digest"],
            Self::ContractVersion | Self::ResourceKinds | Self::Notices | Self::Status => &[],
        }
    }

    /// Returns the additions each of which shows that the target reads this one. A platform may never send a
    /// `contract_version` in a heartbeat itself; then `contract_digest` shows that it knows that part of the
    /// binding.
    const fn shown_by(self) -> &'static [Self] {
        match self {
            Self::Metadata => &[Self::Metadata],
            Self::ContractDigest => &[Self::ContractDigest],
            Self::ContractVersion => &[Self::ContractVersion, Self::ContractDigest],
            Self::ResourceKinds => &[Self::ResourceKinds],
            Self::Notices => &[Self::Notices],
            Self::Status => &[Self::Status],
        }
    }

    /// Returns whether this JSON, which the target sent on a route, holds the addition.
    fn is_in(self, sent: &Value, route: &Route) -> bool {
        let discloses = |member: &&str| !sent["metadata"][member].is_null();
        match self {
            Self::Metadata => DISCLOSED.iter().any(discloses),
            Self::ContractDigest => !sent["contract_digest"].is_null(),
            Self::ContractVersion => *route == Route::Heartbeat && !sent["contract_version"].is_null(),
            Self::ResourceKinds => sent["capabilities"]["resource_kinds"].is_array(),
            Self::Notices => sent["events"].as_array().is_some_and(|events| !events.is_empty()),
            Self::Status => {
                let status = sent["status"].as_str();
                *route == Route::Heartbeat && status.and_then(PeerStatus::read).is_some()
            }
        }
    }

    /// Returns whether a view of the operator's holds the addition, at any depth. Every platform stores the
    /// `capabilities` of a peer as they come, so a view of them shows nothing.
    fn is_viewed(self, view: &Value) -> bool {
        match view {
            Value::Array(items) => items.iter().any(|item| self.is_viewed(item)),
            Value::Object(members) => {
                let here = match self {
                    Self::Metadata => ["operator_contact", "last_known_good_release"]
                        .iter()
                        .any(|member| view[member].is_string()),
                    Self::ContractDigest => view["contract_digest"].is_string(),
                    Self::ContractVersion | Self::ResourceKinds | Self::Notices | Self::Status => false,
                };
                here || members.values().any(|member| self.is_viewed(member))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Addition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

impl Trace {
    /// Returns whether the target is shown to speak an addition: here, or elsewhere in the run as a note says.
    #[must_use]
    pub fn speaks(&self, addition: Addition) -> bool {
        let noted = self.noted_spoken();
        addition.shown_by().iter().any(|shown| noted.contains_key(shown) || self.shows(*shown).is_some())
    }

    /// Returns every addition that this trace shows to be spoken.
    #[must_use]
    pub fn spoken(&self) -> Spoken {
        let place = |entry| Shown::Seen(Place { scenario: self.scenario().to_owned(), entry });
        Addition::ALL.into_iter().filter_map(|one| Some((one, place(self.shows(one)?)))).collect()
    }

    /// Returns whether the target refused a message of a peer that deviates in an addition alone, and accepted one on
    /// the same route from a peer that does not deviate: it reads the addition.
    #[must_use]
    pub fn refuses_deviation(&self, addition: Addition) -> bool {
        let to_target = || {
            let exchanges = self.exchanges().map(|(_, exchange)| exchange);
            exchanges.filter(|exchange| exchange.direction == Direction::ToTarget)
        };
        let is_refused = |exchange: &&Exchange| {
            let names = &exchange.injected;
            !names.is_empty()
                && names.iter().all(|name| addition.behaviours().contains(&&**name))
                && exchange.status().is_some_and(|status| NOT_ACCEPTED.contains(&status))
        };
        to_target().filter(is_refused).any(|refused| {
            to_target().any(|other| {
                other.injected.is_empty() && other.succeeded() && other.route() == refused.route()
            })
        })
    }

    /// Returns the entry that shows an addition.
    fn shows(&self, addition: Addition) -> Option<u64> {
        let mut entries = self.entries().iter().filter(|entry| match &*entry.what {
            What::Exchange(exchange) => is_sent(addition, exchange),
            What::Operation(operation) => {
                operation.result.as_ref().is_some_and(|result| addition.is_viewed(result))
            }
            _ => false,
        });
        let shown = entries.next().map(|entry| entry.n);
        shown.or_else(|| if addition == Addition::Notices { self.revoked_by_notice() } else { None })
    }

    /// Returns the entry in which the operator's view names a peer revoked, after a notice of it and without a
    /// revocation by the operator.
    fn revoked_by_notice(&self) -> Option<u64> {
        let revokes = |operation: &Operation| operation.method == Revoke::METHOD.name();
        let has_notice = |exchange: &Exchange| {
            let events = exchange.sent().and_then(|sent| sent["events"].as_array().cloned());
            let mut events = events.into_iter().flatten();
            exchange.direction == Direction::ToTarget && events.any(|event| event["kind"] == REVOKED)
        };
        let mut is_noticed = false;
        for entry in self.entries() {
            match &*entry.what {
                What::Exchange(exchange) => is_noticed |= has_notice(exchange) && exchange.succeeded(),
                What::Operation(operation) if revokes(operation) => return None,
                What::Operation(operation) => {
                    let shown = operation.result.as_ref().map(|result| result.get("peer").unwrap_or(result));
                    let status = shown.and_then(|peer| peer["status"].as_str());
                    if is_noticed && status.and_then(PeerStatus::means_ended) == Some(true) {
                        return Some(entry.n);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn noted_spoken(&self) -> Spoken {
        let noted = self.entries().iter().find_map(|entry| match &*entry.what {
            What::Note(Note { kind: NoteKind::Spoken, facts, .. }) => {
                serde_json::from_value(facts.clone()).ok()
            }
            _ => None,
        });
        noted.unwrap_or_default()
    }
}

/// Returns whether the target says this in a handshake or a heartbeat, as the caller or as the one that answers.
fn is_sent(addition: Addition, exchange: &Exchange) -> bool {
    let Some(route @ (Route::Accept | Route::Heartbeat)) = exchange.route() else { return false };
    match exchange.direction {
        Direction::FromTarget => exchange.sent().is_some_and(|sent| addition.is_in(sent, &route)),
        // An answer of the observed wire has a `status` too: that of the row.
        Direction::ToTarget if addition == Addition::Status => false,
        Direction::ToTarget => exchange.data().is_some_and(|sent| addition.is_in(&sent, &route)),
    }
}

/// Returns the note by which a trace says what the target speaks.
#[must_use]
pub fn spoken_note(spoken: &Spoken) -> Note {
    let members: Vec<&str> = spoken.keys().map(|addition| addition.members()).collect();
    let message = format!("the target speaks {}", members.join(", "));
    Note { kind: NoteKind::Spoken, message, facts: json!(spoken) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::transcript::Recorder;

    fn trace(entries: Vec<What>) -> Trace {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        for what in entries {
            recorder.record(None, None, what);
        }
        recorder.trace()
    }

    fn beat(data: &Value) -> What {
        let beat = Exchange::to_target("alice").on("POST", "heartbeat").sending(json!({}));
        What::Exchange(beat.answered_with(200, json!({ "data": data })))
    }

    fn view(method: &str, result: Value) -> What {
        let method = method.to_owned();
        What::Operation(Operation { method, parameters: json!({}), result: Some(result), failure: None })
    }

    #[test]
    fn what_the_target_answers_shows_what_it_speaks() {
        let data = json!({
            "metadata": {"operator_contact": "x@y.example"},
            "contract_digest": "ab",
            "contract_version": 1,
            "capabilities": {"resource_kinds": []},
            "events": [{}],
        });
        let shown: Vec<Addition> = trace(vec![beat(&data)]).spoken().into_keys().collect();
        assert_eq!(shown, Addition::ALL[..5], "all but the status");
        let observed =
            json!({"status": "active", "metadata": {"note": "x"}, "capabilities": {}, "events": []});
        assert!(trace(vec![beat(&observed)]).spoken().is_empty());
    }

    #[test]
    fn a_status_in_a_heartbeat_of_its_own_alone_shows_that_the_target_reads_one() {
        let own = |route: &str, sent: Value| {
            let call = Exchange::from_target("alice").on("POST", route).sending(sent);
            What::Exchange(call.answered_with(200, json!({})))
        };
        let shows = |what: What| trace(vec![what]).speaks(Addition::Status);
        for status in ["active", "Revoked"] {
            assert!(shows(own("heartbeat", json!({ "status": status }))), "{status}");
            assert!(!shows(beat(&json!({ "status": status }))), "{status}: of the row");
            assert!(!shows(own("accept", json!({ "status": status }))), "{status}: of the row");
        }
        for other in [Value::Null, json!(""), json!("ok"), json!(1)] {
            assert!(!shows(own("heartbeat", json!({ "status": other }))), "{other} is no state");
        }
        let events = json!({"events": [{"kind": REVOKED}]});
        assert!(!shows(own("heartbeat", events)), "events show nothing of the status");
    }

    #[test]
    fn what_the_operator_is_shown_counts_at_any_depth() {
        let peers = json!([{"disclosed": {"operator_contact": "x@y.example"}, "contract_digest": null}]);
        let trace = trace(vec![view("peer.list", peers)]);
        assert!(trace.speaks(Addition::Metadata) && !trace.speaks(Addition::ContractDigest));
        let stored = json!({"capabilities": {"resource_kinds": []}});
        assert!(!self::trace(vec![view("peer.show", stored)]).speaks(Addition::ResourceKinds));
    }

    #[test]
    fn a_digest_shows_that_a_contract_version_in_a_heartbeat_is_read() {
        let trace = trace(vec![beat(&json!({"contract_digest": "ab"}))]);
        assert!(trace.speaks(Addition::ContractVersion) && !trace.speaks(Addition::Metadata));
    }

    #[test]
    fn a_notice_of_revocation_that_takes_effect_shows_that_notices_are_read() {
        let notice = || {
            let beat = Exchange::to_target("alice").on("POST", "heartbeat");
            let events = json!({"events": [{"kind": REVOKED}]});
            What::Exchange(beat.sending(events).answered_with(200, json!({"data": {}})))
        };
        let revoked = || view("peer.show", json!({"status": "revoked"}));
        assert!(trace(vec![notice(), revoked()]).speaks(Addition::Notices));
        let nested = view("peer.show", json!({"peer": {"status": "revoked"}}));
        assert!(trace(vec![notice(), nested]).speaks(Addition::Notices));
        assert!(!trace(vec![revoked(), notice()]).speaks(Addition::Notices));
        let by_operator = view("peer.revoke", json!({}));
        assert!(!trace(vec![by_operator, notice(), revoked()]).speaks(Addition::Notices));
        assert!(
            !trace(vec![notice(), view("peer.show", json!({"status": "active"}))]).speaks(Addition::Notices)
        );
    }

    #[test]
    fn a_note_of_what_was_shown_elsewhere_counts() {
        let spoken: Spoken = [(Addition::Metadata, Shown::Described)].into();
        let trace = trace(vec![What::Note(spoken_note(&spoken))]);
        assert!(trace.speaks(Addition::Metadata) && !trace.speaks(Addition::Notices));
    }

    #[test]
    fn a_refused_deviation_beside_an_accepted_call_shows_that_it_is_read() {
        let accept = |injected: &[&str], status| {
            let injected = injected.iter().map(ToString::to_string).collect();
            let accept = Exchange::to_target("alice").on("POST", "accept").answered(status);
            What::Exchange(Exchange { injected, ..accept })
        };
        let deviates = ["withholds-contact"];
        assert!(trace(vec![accept(&[], 200), accept(&deviates, 422)]).refuses_deviation(Addition::Metadata));
        assert!(
            !trace(vec![accept(&deviates, 422)]).refuses_deviation(Addition::Metadata),
            "it may refuse every accept"
        );
        assert!(!trace(vec![accept(&[], 200), accept(&deviates, 429)]).refuses_deviation(Addition::Metadata));
        assert!(!trace(vec![accept(&[], 200), accept(&[], 422)]).refuses_deviation(Addition::Metadata));
        let with_more = ["withholds-contact", "next-major-version"];
        assert!(
            !trace(vec![accept(&[], 200), accept(&with_more, 422)]).refuses_deviation(Addition::Metadata)
        );
        assert!(!trace(vec![accept(&[], 200), accept(&deviates, 422)]).refuses_deviation(Addition::Notices));
    }
}
