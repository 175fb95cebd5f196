//! One scenario's part of a transcript, and the questions that checks ask of it.

use semver::Version;
use serde_json::Value;

use super::entry::{Direction, Entry, Exchange, Operation, Outcome, ScenarioStart, What};
use crate::wire::envelope::Answer;
use crate::wire::path::Route;

/// Longest release that is taken for one, in bytes.
const RELEASE_LENGTH_MAX: usize = 64;

/// What happened in one scenario, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    scenario: String,
    entries: Vec<Entry>,
}

impl Trace {
    /// A trace of these entries.
    #[must_use]
    pub fn new(scenario: String, entries: Vec<Entry>) -> Self {
        Self { scenario, entries }
    }

    /// The scenario's id.
    #[must_use]
    pub fn scenario(&self) -> &str {
        &self.scenario
    }

    /// Every entry.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The cases of a property's trace, each a trace of its own with the labels that its scenario
    /// gave; a scenario alone is its only case.
    #[must_use]
    pub fn cases(&self) -> Vec<Self> {
        let mut cases: Vec<Vec<Entry>> = vec![];
        for entry in &self.entries {
            let begins = matches!(&*entry.what, What::Note(note) if note.kind == "case");
            if begins {
                cases.push(vec![]);
            } else if let Some(case) = cases.last_mut() {
                let label =
                    entry.label.as_deref().map(|label| label.rsplit_once('@').map_or(label, |(own, _)| own));
                case.push(Entry { label: label.map(ToOwned::to_owned), ..entry.clone() });
            }
        }
        if cases.is_empty() {
            return vec![self.clone()];
        }
        cases.into_iter().map(|entries| Self::new(self.scenario.clone(), entries)).collect()
    }

    /// How it began.
    #[must_use]
    pub fn start(&self) -> Option<&ScenarioStart> {
        self.entries.iter().find_map(|entry| match &*entry.what {
            What::Scenario(start) => Some(start),
            _ => None,
        })
    }

    /// How it ended; none where the run was killed before.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.entries.iter().rev().find_map(|entry| match &*entry.what {
            What::End(outcome) => Some(outcome),
            _ => None,
        })
    }

    /// The entries that a step named `label`, in order: one call, or the many of a repeated one.
    pub fn labelled<'a>(&'a self, label: &'a str) -> impl DoubleEndedIterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.label.as_deref() == Some(label))
    }

    /// The exchanges that a step named `label`.
    pub fn exchanges_labelled<'a>(
        &'a self,
        label: &'a str,
    ) -> impl DoubleEndedIterator<Item = (u64, &'a Exchange)> {
        self.labelled(label).filter_map(|entry| entry.exchange().map(|exchange| (entry.n, exchange)))
    }

    /// The operation that a step named `label`; the last where there are several.
    #[must_use]
    pub fn operation(&self, label: &str) -> Option<(u64, &Operation)> {
        self.entries
            .iter()
            .rev()
            .filter(|entry| entry.label.as_deref() == Some(label))
            .find_map(|entry| entry.operation().map(|operation| (entry.n, operation)))
    }

    /// Every exchange, in order.
    pub fn exchanges(&self) -> impl DoubleEndedIterator<Item = (&Entry, &Exchange)> {
        self.entries.iter().filter_map(|entry| entry.exchange().map(|exchange| (entry, exchange)))
    }

    /// Every exchange between the target and one peer in one direction, in order.
    pub fn exchanges_of<'a>(
        &'a self,
        peer: &'a str,
        direction: Direction,
    ) -> impl DoubleEndedIterator<Item = (&'a Entry, &'a Exchange)> {
        self.exchanges().filter(move |(_, exchange)| exchange.peer == peer && exchange.direction == direction)
    }

    /// The release that the target said last that it runs (1.3), where that is one.
    #[must_use]
    pub fn release(&self) -> Option<Version> {
        let said = self.exchanges().rev().filter_map(|(_, exchange)| exchange.release_told());
        said.filter(|said| said.len() <= RELEASE_LENGTH_MAX).find_map(|said| Version::parse(&said).ok())
    }
}

impl Entry {
    /// The exchange, where it is one.
    #[must_use]
    pub fn exchange(&self) -> Option<&Exchange> {
        match &*self.what {
            What::Exchange(exchange) => Some(exchange),
            _ => None,
        }
    }

    /// The operation, where it is one.
    #[must_use]
    pub fn operation(&self) -> Option<&Operation> {
        match &*self.what {
            What::Operation(operation) => Some(operation),
            _ => None,
        }
    }
}

impl Exchange {
    /// The route that was called, where it is one.
    #[must_use]
    pub fn route(&self) -> Option<Route> {
        let path = self.request.path.as_deref()?;
        let path = path.split('?').next().unwrap_or(path);
        Route::parse(self.request.method.as_deref()?, path)
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref()?.status
    }

    /// The request's JSON.
    #[must_use]
    pub fn sent(&self) -> Option<&Value> {
        self.request.body.json()
    }

    /// The release that the target says in it that it runs, as it says it (1.3).
    #[must_use]
    pub fn release_told(&self) -> Option<String> {
        let said = match self.direction {
            Direction::FromTarget => self.sent()?.clone(),
            Direction::ToTarget => self.data()?,
        };
        let places = ["/platform_version", "/metadata/platform_version"];
        // The target compares in its answers: its own release is the local one there.
        let compared =
            (self.direction == Direction::ToTarget).then_some("/schema_compatibility/local_version");
        let mut said = places.into_iter().chain(compared).filter_map(|place| said.pointer(place)?.as_str());
        said.next().map(ToOwned::to_owned)
    }

    /// What the answer says, read through its envelope.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        Answer::read(self.response.as_ref()?.body.json()?)
    }

    /// The data of the answer, where it is a success.
    #[must_use]
    pub fn data(&self) -> Option<Value> {
        self.answer()?.data()
    }

    /// Whether the call was let in: answered with 2xx, and not with an error in it.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status)) && !self.says_otherwise()
    }

    /// Whether the body of a 2xx says that the call was refused: neither the one nor the other.
    #[must_use]
    pub fn says_otherwise(&self) -> bool {
        let is_good = self.status().is_some_and(|status| (200..300).contains(&status));
        is_good && matches!(self.answer(), Some(Answer::Refusal(_)))
    }

    /// Whether the answer is one of the federation plane: an envelope, or 204 and nothing.
    #[must_use]
    pub fn can_be_read(&self) -> bool {
        const NO_CONTENT: u16 = 204;
        self.status() == Some(NO_CONTENT) || self.answer().is_some()
    }

    /// Whether the call was turned away in an orderly manner: 4xx, or its certificate refused.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        self.status().is_some_and(|status| (400..500).contains(&status)) || self.certificate_was_refused()
    }

    /// Whether TLS turned the call away, at the handshake or at the first read.
    #[must_use]
    pub fn certificate_was_refused(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.kind == "certificate")
    }
}
