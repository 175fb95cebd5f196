//! `target-limits-own-calls`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::flood::{FLOOD_CALLS, WINDOW, densest_span, is_counted};
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::{Note, NoteKind, Trace};

/// The target's own handshakes and heartbeats are no flood, also when the peer answers errors.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct TargetLimitsOwnCalls {
    /// The peer that the target calls.
    pub peer: PeerName,
    /// The operation that makes the target call.
    pub since: Label,
}

impl Check for TargetLimitsOwnCalls {
    const ID: &'static str = "target-limits-own-calls";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] = &["fewer than 300 such calls in any 60 s"];
    const CONTROL: Option<&'static str> = Some("a handshake or heartbeat of the target to the peer arrived");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (start, _) = trace.operation(&self.since).or_unproven("the target was not watched")?;
        let all: Vec<Call<'_>> = calls(trace).of(&self.peer).made_by_target().collect();
        let awaited = awaited_calls(trace, &self.peer, &all);
        let is_awaited = |call: &Call<'_>| awaited.iter().any(|awaited| awaited.n() == call.n());
        let (awaited_counted, mut counted): (Vec<Call<'_>>, Vec<Call<'_>>) =
            all.iter().copied().filter(is_counted).partition(is_awaited);
        if awaited_counted.len() + counted.len() == 0 {
            return Err(Stop::unproven("the target made no call", [start]));
        }
        if let ([first, .., last], true) = (&awaited_counted[..], awaited_counted.len() >= FLOOD_CALLS) {
            let actual =
                format!("{} calls while the suite waited, within 60 s of real time", awaited_counted.len());
            return Err(Stop::broken(actual, [start, first.n(), last.n()]));
        }
        // Where the clock stands still during the wait, its calls have the time of those before it.
        let stands_still = awaited_counted.first().map(Call::at) == awaited_counted.last().map(Call::at);
        if !stands_still || counted.is_empty() {
            counted.extend(awaited_counted);
        }
        counted.sort_by_key(Call::at);
        let times: Vec<Timestamp> = counted.iter().map(Call::at).collect();
        let (most, first) = densest_span(&times, WINDOW);
        let evidence = [start, counted[first].n(), counted[first + most - 1].n()];
        if most >= FLOOD_CALLS {
            return Err(Stop::broken(format!("{most} calls within 60 s"), evidence));
        }
        if let Some(note) = note_of_flood(trace, &self.peer) {
            return Err(Stop::broken("a flood of calls with the same content", [start, note]));
        }
        Ok(Pass::new(format!("at most {most} calls within 60 s"), evidence))
    }
}

/// Returns those of the target's calls to a peer that arrived while the suite waited to see whether it goes on: they are of one
/// minute of real time, whatever the clock says.
fn awaited_calls<'a>(trace: &Trace, peer: &str, made: &[Call<'a>]) -> Vec<Call<'a>> {
    let is_wait = |note: &Note| note.kind == NoteKind::Waited && note.facts["peer"] == peer;
    let Some((n, note)) = trace.notes().rfind(|(_, note)| is_wait(note)) else { return vec![] };
    let received = note.facts["received"].as_u64().and_then(|received| usize::try_from(received).ok());
    let before: Vec<Call<'a>> = made.iter().copied().filter(|call| call.n() < n).collect();
    before[before.len().saturating_sub(received.unwrap_or_default())..].to_vec()
}

/// Returns the note of a flood. The trace does not record all calls with the same content, but it notes that
/// there were too many at once.
fn note_of_flood(trace: &Trace, peer: &str) -> Option<u64> {
    let is_flood = |note: &Note| note.kind == NoteKind::Flood && note.facts["peer"] == peer;
    trace.notes().find(|(_, note)| is_flood(note)).map(|(n, _)| n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Exchange, What};
    use serde_json::{Value, json};

    fn with() -> Value {
        json!({"peer": "alice", "since": "start"})
    }

    fn heartbeat(call: Exchange) -> Exchange {
        call.on("POST", "heartbeat").sending(json!({})).answered_with(200, json!({}))
    }

    #[test]
    fn the_windows_at_both_ends_of_time_are_windows_too() {
        for time in [Timestamp::MIN, Timestamp::MAX] {
            let verdict = TraceBuilder::starting_at(time)
                .operation("start", "clock.now", json!({}))
                .call_from_target(heartbeat(Exchange::from_target("alice")))
                .call("", heartbeat(Exchange::to_target("alice")))
                .verdict::<TargetLimitsOwnCalls>(with());
            assert_eq!(verdict, Kept, "{time}");
        }
    }

    #[test]
    fn a_flood_of_calls_that_are_not_recorded_is_a_flood() {
        let noted = |flooded: Option<&str>| {
            let mut builder = TraceBuilder::new()
                .operation("start", "clock.now", json!({}))
                .call_from_target(heartbeat(Exchange::from_target("alice")));
            if let Some(peer) = flooded {
                let (kind, facts) = (NoteKind::Flood, json!({ "peer": peer }));
                builder = builder.unlabelled(What::Note(Note { kind, message: String::new(), facts }));
            }
            builder.verdict::<TargetLimitsOwnCalls>(with())
        };
        let silent = TraceBuilder::new().operation("start", "clock.now", json!({}));
        assert_eq!(silent.verdict::<TargetLimitsOwnCalls>(with()), Unproven, "it calls nobody");
        assert_eq!([noted(None), noted(Some("bob")), noted(Some("alice"))], [Kept, Kept, Broken]);
    }
    #[test]
    fn calls_during_a_wait_are_counted_by_themselves_where_the_clock_stands_still() {
        let verdict = |earlier: usize, awaited: usize| {
            let mut builder = TraceBuilder::new().operation("start", "clock.now", json!({}));
            for _ in 0..earlier + awaited {
                builder = builder.call_from_target(heartbeat(Exchange::from_target("alice")));
            }
            let (kind, facts) = (NoteKind::Waited, json!({"peer": "alice", "received": awaited}));
            let note = Note { kind, message: String::new(), facts };
            builder.unlabelled(What::Note(note)).verdict::<TargetLimitsOwnCalls>(with())
        };
        assert_eq!(verdict(60, 299), Kept);
        assert_eq!(verdict(0, 299), Kept);
        assert_eq!(verdict(60, 300), Broken);
        assert_eq!(verdict(300, 0), Broken);
    }
}
