//! The way back: what shows that calls of the target reach the peers.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::entry::{Direction, Note, Operation};
use super::kind::NoteKind;
use super::trace::Trace;
use crate::operator::network::Probe;
use crate::operator::peer::{Join, Propose};
use crate::operator::{Method, OperatorMethod};

/// The evidence that calls of the target reach the peers. Without it, a call that did not arrive may have been
/// lost on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WayBack {
    /// A call of the target arrived at a peer. All peers of a run listen on one host, so it shows the way to
    /// each.
    Arrived(Place),
    /// The operator client reports that its `network.probe` reached a peer.
    Probed(Place),
    /// The user states it: `--way-back-open`.
    Stated,
}

/// The place of an entry in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Id of the scenario.
    pub scenario: String,
    /// Number of the entry.
    pub entry: u64,
}

impl WayBack {
    /// Returns whose word it rests on; `None` if a call shows it.
    #[must_use]
    pub fn word(&self) -> Option<&'static str> {
        match self {
            Self::Arrived(_) => None,
            Self::Probed(_) => Some("the operator client's word (network.probe)"),
            Self::Stated => Some("the user's word (--way-back-open)"),
        }
    }

    /// Returns the note by which a trace says that the way back is open.
    #[must_use]
    pub fn note(&self) -> Note {
        Note { kind: NoteKind::WayBack, message: self.to_string(), facts: json!(self) }
    }
}

impl fmt::Display for WayBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arrived(Place { scenario, entry }) => {
                write!(f, "the way back is open: a call of the target arrived in entry {entry} of {scenario}")
            }
            Self::Probed(Place { scenario, entry }) => {
                write!(f, "the way back is open: network.probe reached a peer in entry {entry} of {scenario}")
            }
            Self::Stated => f.write_str("the way back is open: the user says so (--way-back-open)"),
        }
    }
}

impl Trace {
    /// Returns the strongest that shows the way back to a peer open, and its entry in this trace: a call of the
    /// target that arrived at this peer, one that arrived at another, the note of one that arrived elsewhere in
    /// the run, a probe, or the note of a statement.
    #[must_use]
    pub fn way_back(&self, peer: &str) -> Option<(u64, WayBack)> {
        let noted = self.noted_way_back();
        let is_arrival = |(_, way_back): &(u64, WayBack)| way_back.word().is_none();
        let probed = || self.probe_that_reached().map(|entry| (entry, WayBack::Probed(self.place(entry))));
        let arrived = self.arrival_at(Some(peer)).or_else(|| self.arrival());
        arrived
            .map(|entry| (entry, WayBack::Arrived(self.place(entry))))
            .or_else(|| noted.clone().filter(is_arrival))
            .or_else(probed)
            .or(noted)
    }

    /// Returns the entry of the first call of the target that arrived at a peer and was answered.
    #[must_use]
    pub fn arrival(&self) -> Option<u64> {
        self.arrival_at(None)
    }

    /// Returns the entry of the first operation `network.probe` whose result says that it reached a peer.
    #[must_use]
    pub fn probe_that_reached(&self) -> Option<u64> {
        let mut probes = self.operations([Probe::METHOD]);
        probes.find(|(_, probe)| self.has_reached_peer(probe)).map(|(n, _)| n)
    }

    fn arrival_at(&self, peer: Option<&str>) -> Option<u64> {
        let mut arrived = self.exchanges().filter(|(_, exchange)| {
            exchange.direction == Direction::FromTarget
                && exchange.response.is_some()
                && peer.is_none_or(|peer| exchange.peer == peer)
        });
        arrived.next().map(|(entry, _)| entry.n)
    }

    /// Returns whether a probe reached the address of a peer: one that the operator was
    /// given to propose or to join.
    fn has_reached_peer(&self, probe: &Operation) -> bool {
        let url = |operation: &Operation, member: &str| {
            operation.parameters[member].as_str().map(|url| url.trim_end_matches('/').to_owned())
        };
        let has_reached = probe.result.as_ref().is_some_and(|result| result["reached"] == true);
        let Some(probed) = url(probe, "url").filter(|_| has_reached) else { return false };
        let named = |method: Method, member: &str| {
            self.operations([method]).any(|(_, made)| url(made, member).as_ref() == Some(&probed))
        };
        named(Propose::METHOD, "remote_instance_url") || named(Join::METHOD, "base_url")
    }

    fn noted_way_back(&self) -> Option<(u64, WayBack)> {
        let mut noted = self.notes().filter(|(_, note)| note.kind == NoteKind::WayBack);
        noted.find_map(|(n, note)| Some((n, read(&note.facts)?)))
    }

    fn place(&self, entry: u64) -> Place {
        Place { scenario: self.scenario().to_owned(), entry }
    }
}

fn read(facts: &Value) -> Option<WayBack> {
    serde_json::from_value(facts.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::super::entry::What;
    use super::*;
    use crate::clock::Clock;
    use crate::transcript::{Exchange, Recorder};

    const URL: &str = "https://127.0.0.1:4000";

    fn recorder() -> Recorder {
        Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")))
    }

    fn operation(method: &str, parameters: Value, result: Value) -> What {
        let method = method.to_owned();
        What::Operation(Operation { method, parameters, result: Some(result), failure: None })
    }

    fn arrival(peer: &str) -> What {
        What::Exchange(Exchange::from_target(peer).on("POST", "heartbeat").answered(401))
    }

    fn at(entry: u64) -> Place {
        Place { scenario: "x".to_owned(), entry }
    }

    #[test]
    fn a_call_of_the_target_counts_if_it_arrived() {
        let recorder = recorder();
        recorder.record(None, None, What::Exchange(Exchange::to_target("alice").answered(200)));
        recorder.record(None, None, What::Exchange(Exchange::from_target("alice")));
        assert_eq!(recorder.trace().way_back("alice"), None);
        let n = recorder.record(None, None, arrival("bob"));
        assert_eq!(recorder.trace().way_back("alice"), Some((n, WayBack::Arrived(at(n)))));
        let own = recorder.record(None, None, arrival("alice"));
        assert_eq!(recorder.trace().way_back("alice"), Some((own, WayBack::Arrived(at(own)))));
    }

    #[test]
    fn a_probe_counts_if_it_reached_a_peer() {
        let way_back = |probed: &str, reached: bool| {
            let recorder = recorder();
            let proposed = json!({"remote_instance_url": format!("{URL}/")});
            recorder.record(None, None, operation("peer.propose", proposed, json!({})));
            let result = json!({"reached": reached, "detail": ""});
            recorder.record(None, None, operation("network.probe", json!({"url": probed}), result));
            recorder.trace().way_back("alice")
        };
        assert_eq!(way_back(URL, true), Some((3, WayBack::Probed(at(3)))));
        assert_eq!(way_back(URL, false), None);
        assert_eq!(way_back("https://elsewhere.example", true), None);
    }

    #[test]
    fn a_note_counts_and_a_call_goes_before_it() {
        for noted in [
            WayBack::Stated,
            WayBack::Probed(at(7)),
            WayBack::Arrived(Place { scenario: "y".to_owned(), entry: 3 }),
        ] {
            let recorder = recorder();
            let n = recorder.record(None, None, What::Note(noted.note()));
            assert_eq!(recorder.trace().way_back("alice"), Some((n, noted)));
            let n = recorder.record(None, None, arrival("alice"));
            assert_eq!(recorder.trace().way_back("alice"), Some((n, WayBack::Arrived(at(n)))));
        }
        let note = Note { facts: json!({"whispered": 1}), ..WayBack::Stated.note() };
        let recorder = recorder();
        recorder.record(None, None, What::Note(note));
        assert_eq!(recorder.trace().way_back("alice"), None);
    }
}
