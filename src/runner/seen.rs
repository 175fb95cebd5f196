//! Results of the traces of a run, each by itself. They are evaluated side by side.

use std::borrow::Borrow;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, available_parallelism};

use super::evaluate::{Evaluated, Part, Played, of_trace_alone};
use super::retries::Retries;
use crate::Stage;
use crate::report::{ShownTrace, TargetFinder, shown_trace};
use crate::transcript::{RunStart, StoredTrace, Trace};
use crate::warning::Warnings;

/// Number of traces that are evaluated side by side, at most.
const EVALUATED_AT_ONCE: usize = 4;

/// Number of evaluated traces that wait for those before them, for each that is evaluated.
const HELD_AHEAD: usize = 2;

/// Results of traces, each by itself.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) parts: Vec<Part>,
    /// Results of the plays of each scenario.
    pub(super) played: Vec<(String, Played)>,
    pub(super) shown: Vec<ShownTrace>,
    pub(super) warnings: Warnings,
    pub(super) platform: TargetFinder,
}

impl Seen {
    /// Evaluates traces side by side, and adds what they show in their order.
    pub(super) fn of<S: Borrow<StoredTrace> + Send>(
        traces: Vec<S>,
        start: &RunStart,
        retries: &Retries<'_>,
    ) -> Self {
        let workers = available_parallelism().map_or(1, |cores| cores.get().min(EVALUATED_AT_ONCE));
        let mut shares: Vec<Vec<S>> = (0..workers).map(|_| vec![]).collect();
        let count = traces.len();
        for (place, trace) in traces.into_iter().enumerate() {
            shares[place % workers].push(trace);
        }
        let mut seen = Self::default();
        thread::scope(|scope| {
            let evaluated: Vec<Receiver<_>> = shares
                .into_iter()
                .map(|share| {
                    // A worker that is ahead waits, so that few traces are held at a time.
                    let (sender, receiver) = sync_channel(HELD_AHEAD);
                    scope.spawn(move || {
                        for stored in share {
                            let trace = stored.borrow().read();
                            drop(stored);
                            let alone = of_trace_alone(&trace, &start.contract);
                            if sender.send((trace, alone)).is_err() {
                                return;
                            }
                        }
                    });
                    receiver
                })
                .collect();
            for place in 0..count {
                // A worker that panicked ends the scope with its panic.
                let Ok((trace, alone)) = evaluated[place % workers].recv() else { return };
                seen.add(&trace, alone, retries);
            }
        });
        seen
    }

    fn add(&mut self, trace: &Trace, (part, of_play): (Part, Vec<Evaluated>), retries: &Retries<'_>) {
        self.platform.add(trace, part.stage == Some(Stage::Handshake));
        self.warnings.add(trace);
        self.shown.extend(shown_trace(trace, of_play.iter().map(|(evaluation, _)| evaluation)));
        let (scenario, retry) = retries.play_of(trace.scenario());
        if let Some((_, plays)) = self.played.last_mut().filter(|(first, _)| retry > 0 && first == scenario) {
            // What a further play of a stage shows voids no run.
            self.parts.push(Part { stage: None, retry, ..part });
            plays.add(of_play);
            return;
        }
        self.parts.push(part);
        self.played.push((scenario.to_owned(), Played::new(of_play)));
    }
}
