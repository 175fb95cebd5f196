//! The events of a run as lines of JSON, written as they happen.

use std::sync::{Arc, Mutex, PoisonError};

use super::Failure;
use super::report_format::Lines;
use crate::report::{CheckLine, RunEvent};
use crate::runner::{Event, Observer};
use crate::transcript::RunStart;

/// Writes the events of a run as they happen, and passes each on.
pub(super) struct EventLines {
    lines: Option<Arc<Lines>>,
    seed: u64,
    target: String,
    next: Arc<dyn Observer>,
    /// The first failure to write: the run goes on, and ends with it.
    failure: Mutex<Option<Failure>>,
}

impl EventLines {
    pub(super) fn new(lines: Option<Arc<Lines>>, start: &RunStart, next: Arc<dyn Observer>) -> Self {
        Self { lines, seed: start.seed.0, target: start.target.clone(), next, failure: Mutex::default() }
    }

    /// Returns the failure to write a line, if there was one.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn write(&self, event: &RunEvent<'_>) {
        let Some(lines) = &self.lines else { return };
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() {
            *failure = lines.write(&event.line()).err();
        }
    }
}

impl Observer for EventLines {
    fn event(&self, event: Event) {
        match &event {
            Event::Started { scenarios } => {
                self.write(&RunEvent::started(self.seed, &self.target, *scenarios as u64));
            }
            Event::Ended { scenario, outcome, took, checks } => self.write(&RunEvent::ScenarioEnded {
                scenario,
                outcome: Some(outcome),
                took_milliseconds: u64::try_from(took.as_millis()).ok(),
                checks: checks.iter().map(CheckLine::of).collect(),
            }),
            Event::ContractText(_) | Event::Waiting { .. } | Event::Began { .. } | Event::Case { .. } => {}
        }
        self.next.event(event);
    }
}
