//! Lists what an audit leaves at the target.

use std::fmt::Write;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use super::watch::is_accepting;
use crate::report::terminal;
use crate::scenario::may_have_acted;
use crate::transcript::{Direction, Exchange, Reading, What, is_same_id};
use crate::wire::path::Route;

/// A peer that an audit leaves at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftBehind {
    /// The id under which the target keeps the peer.
    pub peer_id: String,
    /// True if the target admitted the peer; false if its answer was lost, so that it may have.
    pub is_certain: bool,
    /// True if the target accepted the notice that the peer leaves.
    pub notified_of_leave: bool,
    /// The entry that shows the peer.
    pub entry: u64,
}

/// Returns the peers that an audit leaves at the target: those that accepted, and those whose answer was lost.
#[must_use]
pub fn left_behind(reading: &Reading) -> Vec<LeftBehind> {
    let mut left: Vec<LeftBehind> = Vec::new();
    // The accept that a watch announced, until its exchange is recorded.
    let mut announced = None;
    for entry in reading.traces().flat_map(|trace| trace.entries().to_vec()) {
        if entry.operation().is_some_and(is_accepting) {
            left.extend(announced.replace(entry.n).map(unknown));
        }
        let What::Exchange(exchange) = &*entry.what else { continue };
        if exchange.direction != Direction::ToTarget {
            continue;
        }
        match exchange.route() {
            Some(Route::Accept) => {
                announced = None;
                left.extend(admitted(exchange, entry.n));
            }
            Some(Route::Heartbeat) if exchange.succeeded() && is_leave(exchange) => {
                let leaving = leaving(exchange);
                for peer in &mut left {
                    peer.notified_of_leave |= leaving.as_ref().is_none_or(|id| is_same_id(id, &peer.peer_id));
                }
            }
            _ => {}
        }
    }
    left.extend(announced.map(unknown));
    left
}

/// Returns the peer that an accept made, or may have made: without an answer the target may have admitted it all the
/// same.
fn admitted(accept: &Exchange, entry: u64) -> Option<LeftBehind> {
    if accept.succeeded() {
        let data = accept.data().unwrap_or(Value::Null);
        let peer_id = data["peer_id"].as_str().unwrap_or("(it gave no id)").to_owned();
        return Some(LeftBehind { peer_id, is_certain: true, notified_of_leave: false, entry });
    }
    let failure = accept.failure.as_ref().map(|failure| failure.kind);
    may_have_acted(accept.status(), failure).then(|| unknown(entry))
}

/// Returns the id of the peer that a notice names.
pub(super) fn leaving(notice: &Exchange) -> Option<String> {
    let id = &notice.sent()?["events"][0]["payload"]["federation_peer_id"];
    id.as_str().map(ToOwned::to_owned)
}

fn is_leave(heartbeat: &Exchange) -> bool {
    heartbeat.sent().is_some_and(|sent| sent["status"] == "revoked")
}

/// Returns the peer that a target may have created before its answer was lost.
fn unknown(entry: u64) -> LeftBehind {
    let peer_id = "(perhaps: its answer was lost, so look for one that this audit proposed)".to_owned();
    LeftBehind { peer_id, is_certain: false, notified_of_leave: false, entry }
}

/// Lists what an audit created at the target, and how its operator removes it.
#[must_use]
pub fn left_behind_text(url: &Url, left: &[LeftBehind]) -> String {
    if left.is_empty() {
        return format!("created at {url}: nothing\n");
    }
    let mut text = format!("created at {url}, to be removed by its operator:\n");
    for peer in left {
        let notified = if peer.notified_of_leave {
            "it was notified that the peer leaves"
        } else {
            "it was not notified that the peer leaves"
        };
        let id = terminal(&peer.peer_id);
        let segment = utf8_percent_encode(&peer.peer_id, NON_ALPHANUMERIC).to_string().replace("%2D", "-");
        let _ = writeln!(
            text,
            "- peer {id} (entry {}; {notified}): POST /api/v1/system/platform/peers/{segment}/revoke, or peer.revoke",
            peer.entry
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Seed};
    use crate::contract::{HeldText, TextSource};
    use crate::runner::announce;
    use crate::transcript::{Failure, FailureKind, Outcome, Recorder, ScenarioStart, Transcript, read};
    use serde_json::json;

    /// Returns what is left by a trace of these exchanges.
    fn left(record: impl FnOnce(&Recorder)) -> Vec<(String, bool, bool)> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("transcript.jsonl");
        let start = announce(Seed(1), "x".into(), vec![], HeldText::unknown(TextSource::Unasked));
        let clock = Clock::system();
        let transcript = Transcript::create(&path, start, &clock).expect("created");
        let recorder =
            transcript.begin("a", ScenarioStart { source: "x".into(), seed: Seed(1) }, clock.clone());
        record(&recorder);
        let _ = recorder.end(Outcome::Completed);
        transcript.end(Outcome::Completed, &clock);
        let left = left_behind(&read(&path).expect("a transcript"));
        left.into_iter().map(|peer| (peer.peer_id, peer.is_certain, peer.notified_of_leave)).collect()
    }

    fn accept() -> Exchange {
        Exchange::to_target("auditor").on("POST", "accept")
    }

    fn leave(id: &str) -> What {
        let event = json!({"payload": {"federation_peer_id": id}});
        let sent = json!({"status": "revoked", "events": [event]});
        What::Exchange(
            Exchange::to_target("auditor")
                .on("POST", "heartbeat")
                .sending(sent)
                .answered_with(200, json!({"data": {}})),
        )
    }

    #[test]
    fn only_the_peer_that_the_notice_names_has_left() {
        let admitted =
            |id: &str| What::Exchange(accept().answered_with(200, json!({"data": {"peer_id": id}})));
        let found = left(|recorder| {
            recorder.record(None, None, admitted("p-1"));
            recorder.record(None, None, admitted("p-2"));
            recorder.record(None, None, leave("p-1"));
        });
        assert_eq!(found, [("p-1".to_owned(), true, true), ("p-2".to_owned(), true, false)]);
    }

    #[test]
    fn an_accept_without_an_answer_may_leave_a_peer_and_a_refused_one_does_not() {
        let failed = |kind| {
            let failure = Some(Failure { kind, message: "x".into() });
            What::Exchange(Exchange { failure, ..accept() })
        };
        for (what, is_left) in [
            (failed(FailureKind::Timeout), true),
            (failed(FailureKind::Refused), false),
            (What::Exchange(accept().answered(503)), true),
            (What::Exchange(accept().answered(401)), false),
        ] {
            let found = left(|recorder| {
                recorder.record(None, None, what.clone());
            });
            assert_eq!(
                found.iter().filter(|(_, is_certain, _)| !is_certain).count(),
                usize::from(is_left),
                "{what:?}"
            );
        }
    }
}
