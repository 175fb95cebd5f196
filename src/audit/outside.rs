//! The audit of an anonymous client: a diagnosis of the federation plane, with a transcript and a report.

use std::path::Path;

use serde_json::json;
use url::Url;

use crate::clock::{Clock, Seed};
use crate::contract::{HeldText, TextSource};
use crate::doctor::{Point, PointResult};
use crate::runner::announce;
use crate::transcript::{
    Note, NoteKind, Outcome, Recorder, ScenarioStart, Transcript, TranscriptError, What,
};
use crate::{Blame, Fault};

/// The scenario, which has no steps and no checks: no clause can be proved from outside.
pub(super) const ANONYMOUS: &str = include_str!("../../audits/anonymous.toml");
/// The name of the trace.
const TRACE: &str = "audit/anonymous";

/// The transcript of an audit from outside.
#[derive(Debug)]
pub struct Outside {
    transcript: Transcript,
    recorder: Recorder,
    clock: Clock,
    fault: Option<Fault>,
}

impl Outside {
    /// Begins the transcript of an audit of this target.
    pub fn begin(transcript: &Path, url: &Url) -> Result<Self, TranscriptError> {
        let clock = Clock::system();
        let (url, seed) = (url.to_string(), Seed(0));
        let mut start = announce(seed, url.clone(), vec![url], HeldText::unknown(TextSource::Unasked));
        start.settings = [("audit".to_owned(), json!(true)), ("anonymous".to_owned(), json!(true))].into();
        start.scenarios = vec![TRACE.to_owned()];
        start.partial = true;
        let transcript = Transcript::create(transcript, start, &clock)?;
        let scenario = ScenarioStart { source: ANONYMOUS.to_owned(), seed };
        let recorder = transcript.begin(TRACE, scenario, clock.clone());
        Ok(Self { transcript, recorder, clock, fault: None })
    }

    /// Returns the recorder of the anonymous client.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Records a point of the diagnosis.
    pub fn record(&mut self, point: &Point) {
        let (result, hint) = match &point.result {
            PointResult::Fine => ("fine", None),
            PointResult::Note => ("note", None),
            PointResult::Failed(failure) => ("failed", Some(&failure.hint)),
        };
        if let PointResult::Failed(failure) = &point.result {
            let blame = failure.blame.unwrap_or(Blame::Environment);
            let fault = || Fault { blame, ..Fault::target(format!("{}: {}", point.subject, point.found)) };
            self.fault.get_or_insert_with(fault);
        }
        let note = Note {
            kind: NoteKind::Diagnosed,
            message: point.found.clone(),
            facts: json!({"point": point.subject, "result": result, "hint": hint}),
        };
        self.recorder.record(None, None, What::Note(note));
    }

    /// Ends the transcript.
    pub fn end(self) {
        let outcome = self.fault.map_or(Outcome::Completed, Outcome::from);
        let _ = self.recorder.end(outcome.clone());
        self.transcript.end(outcome, &self.clock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    #[test]
    fn the_scenario_loads() {
        load(TRACE, "audits/anonymous.toml", ANONYMOUS).expect("a scenario without steps");
    }
}
