//! The progress bar of a terminal. Hidden if standard error is not a terminal.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use crate::runner::{Event, Observer};

/// A progress bar with the scenarios that are running.
pub(super) struct Progress {
    bar: ProgressBar,
    playing: Mutex<Vec<String>>,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal();
        let bar = if shown { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        Self { bar, playing: Mutex::default() }
    }
}

impl Observer for Progress {
    fn event(&self, event: Event) {
        let mut playing = self.playing.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::ContractText(held) => {
                self.bar.suspend(|| super::message(&format!("contract text: {held}\n")));
            }
            Event::Waiting { text } => {
                self.bar.suspend(|| super::message(&format!("{text}\n")));
            }
            Event::Started { scenarios } => self.bar.set_length(scenarios as u64),
            Event::Began { scenario } => playing.push(scenario),
            Event::Ended { scenario, .. } => {
                playing.retain(|other| *other != scenario);
                self.bar.inc(1);
            }
        }
        self.bar.set_message(playing.join(" "));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
