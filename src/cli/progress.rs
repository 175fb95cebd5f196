//! The progress of a run on standard error: a bar on a terminal, and else a line every half minute.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::check::Verdict;
use crate::clock::Stopwatch;
use crate::property::CaseProgress;
use crate::runner::{Event, Observer};

/// The time between two lines, where standard error is no terminal.
const INTERVAL: Duration = Duration::from_secs(30);
/// The time between two drawings of the elapsed time on a terminal.
const TICK: Duration = Duration::from_millis(500);

/// A progress bar with the scenarios that are running, or the numbers for a line.
pub(super) struct Progress {
    bar: ProgressBar,
    /// `true` if lines stand in for the bar.
    in_lines: bool,
    since: Stopwatch,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    playing: Vec<String>,
    /// The properties that are playing, with the case of each.
    cases: BTreeMap<String, CaseProgress>,
    scenarios: usize,
    done: usize,
    broken: usize,
}

impl State {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Started { scenarios } => self.scenarios = *scenarios,
            Event::Began { scenario } => self.playing.push(scenario.clone()),
            Event::Ended { scenario, checks, .. } => {
                self.playing.retain(|other| other != scenario);
                self.cases.remove(scenario);
                self.done += 1;
                self.broken += checks.iter().filter(|one| one.result.verdict == Verdict::Broken).count();
            }
            Event::Case { scenario, progress } => drop(self.cases.insert(scenario.clone(), *progress)),
            Event::ContractText(_) | Event::Waiting { .. } => {}
        }
    }

    /// Returns what is playing: the properties, each with its case, before the scenarios.
    fn shown(&self) -> Vec<String> {
        let of_property =
            |(id, progress): (&String, &CaseProgress)| format!("{id} ({})", in_words(*progress));
        let others = self.playing.iter().filter(|id| !self.cases.contains_key(*id)).cloned();
        self.cases.iter().map(of_property).chain(others).collect()
    }

    /// Returns the line that shows how far the run is.
    fn line(&self, elapsed: Duration) -> String {
        let Self { scenarios, done, broken, .. } = self;
        let seconds = elapsed.as_secs();
        let elapsed = format!("{}m {:02}s", seconds / 60, seconds % 60);
        let cases =
            self.cases.iter().map(|(property, progress)| format!("; {property}: {}", in_words(*progress)));
        let cases: String = cases.collect();
        format!(
            "progress: {done} of {scenarios} scenarios done, {broken} checks broken, {elapsed} elapsed{cases}\n"
        )
    }
}

fn in_words(progress: CaseProgress) -> String {
    let CaseProgress { case, cases, is_shrinking } = progress;
    if is_shrinking {
        format!("broken in case {}, shrinking", case - 1)
    } else {
        format!("case {case} of {cases}")
    }
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if is_terminal && !quiet { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template(
            // What is playing has a line of its own, so that a terminal of 80 columns shows it.
            "{bar:24} {pos}/{len} {prefix} {elapsed} elapsed, {eta} remaining\n{wide_msg}",
        ) {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self { bar, in_lines: !is_terminal && !quiet, since: Stopwatch::start(), state: Mutex::default() }
    }

    /// Waits for a run, and shows a line every half minute if there is no terminal.
    pub(super) async fn while_shown<T>(&self, playing: impl Future<Output = T>) -> T {
        self.with_lines(playing, INTERVAL, super::message).await
    }

    async fn with_lines<T>(
        &self,
        playing: impl Future<Output = T>,
        interval: Duration,
        mut show: impl FnMut(&str),
    ) -> T {
        tokio::pin!(playing);
        if !self.in_lines {
            return playing.await;
        }
        let mut ticks = tokio::time::interval(interval);
        // The first tick is at once.
        ticks.tick().await;
        loop {
            tokio::select! {
                played = &mut playing => return played,
                _ = ticks.tick() => show(&self.state().line(self.since.elapsed())),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Progress {
    fn event(&self, event: Event) {
        let mut state = self.state();
        state.take(&event);
        match event {
            Event::ContractText(held) => {
                self.bar.suspend(|| super::message(&format!("contract text: {held}\n")));
            }
            Event::Waiting { text } => {
                self.bar.suspend(|| super::message(&format!("{text}\n")));
            }
            Event::Started { scenarios } => self.bar.set_length(scenarios as u64),
            Event::Began { .. } | Event::Case { .. } => {}
            Event::Ended { .. } => self.bar.inc(1),
        }
        self.bar.set_prefix(format!("{} broken,", state.broken));
        self.bar.set_message(state.shown().join(" "));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Basis::Observed;
    use crate::sample::report;
    use crate::transcript::Outcome;

    fn ended(scenario: &str, verdict: Verdict) -> Event {
        let checks = report(&[("7.1", Observed, verdict)]).checks;
        Event::Ended {
            scenario: scenario.to_owned(),
            outcome: Outcome::Completed,
            checks: checks.into_iter().map(|check| check.evaluation).collect(),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn a_line_counts_what_is_done_and_what_is_broken() {
        let mut state = State::default();
        state.take(&Event::Started { scenarios: 9 });
        for event in [ended("a", Verdict::Kept), ended("b", Verdict::Broken)] {
            state.take(&event);
        }
        let line = state.line(Duration::from_secs(61));
        assert_eq!(line, "progress: 2 of 9 scenarios done, 1 checks broken, 1m 01s elapsed\n");
    }

    #[test]
    fn a_property_shows_its_case() {
        let mut state = State::default();
        let property = || "property/grants".to_owned();
        state.take(&Event::Began { scenario: "a".to_owned() });
        state.take(&Event::Began { scenario: property() });
        let case = |case: usize, is_shrinking: bool| {
            let progress = CaseProgress { case, cases: 15, is_shrinking };
            Event::Case { scenario: property(), progress }
        };
        state.take(&case(7, false));
        assert_eq!(state.shown(), ["property/grants (case 7 of 15)", "a"]);
        let line = state.line(Duration::from_secs(1));
        assert!(line.ends_with(" elapsed; property/grants: case 7 of 15\n"), "{line}");
        state.take(&case(8, true));
        assert_eq!(state.shown()[0], "property/grants (broken in case 7, shrinking)");
        state.take(&ended("property/grants", Verdict::Broken));
        assert_eq!(state.shown(), ["a"]);
    }

    #[tokio::test]
    async fn lines_come_until_the_run_has_ended_and_none_when_quiet() {
        // A busy machine may give more time than three lines take.
        for (in_lines, at_least, at_most) in [(true, 3, u32::MAX), (false, 0, 0)] {
            let mut progress = Progress::new(true);
            progress.in_lines = in_lines;
            let lines = Mutex::new(0_u32);
            let count = || *lines.lock().expect("a lock");
            let playing = async {
                while in_lines && count() < 3 {
                    tokio::task::yield_now().await;
                }
            };
            let show = |_: &str| *lines.lock().expect("a lock") += 1;
            progress.with_lines(playing, Duration::from_millis(1), show).await;
            assert!((at_least..=at_most).contains(&count()), "{}", count());
        }
    }
}
