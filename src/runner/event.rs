//! The events of a run, and who observes them.

use std::time::Duration;

use crate::check::Evaluation;
use crate::contract::HeldText;
use crate::property::CaseProgress;
use crate::transcript::Outcome;

/// An event of a run, for the display of its progress.
#[derive(Clone, Debug)]
pub enum Event {
    /// The contract text of the run is found.
    ContractText(HeldText),
    /// The run begins.
    Started {
        /// The number of scenarios. The handshake counts twice.
        scenarios: usize,
    },
    /// A scenario waits in real time.
    Waiting {
        /// The subject of the wait, and its length.
        text: String,
    },
    /// A scenario begins.
    Began {
        /// The id of the scenario.
        scenario: String,
    },
    /// A case of a property begins.
    Case {
        /// The id of the property's trace.
        scenario: String,
        /// How far the property is.
        progress: CaseProgress,
    },
    /// A scenario ended, or was left out.
    Ended {
        /// The id of the scenario.
        scenario: String,
        /// The way in which it ended.
        outcome: Outcome,
        /// Its checks, as its trace alone shows them: a handshake that fails later voids them.
        checks: Vec<Evaluation>,
        /// The duration in real time.
        took: Duration,
    },
}

/// An observer of the progress of a run.
pub trait Observer: Send + Sync {
    /// Handles an event.
    fn event(&self, event: Event);
}

/// An observer that shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn event(&self, _: Event) {}
}
