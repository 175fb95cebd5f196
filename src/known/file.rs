//! The file of known breaches, and its parser. Each error has its line and column.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use globset::{Glob, GlobMatcher};
use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use crate::Stage;
use crate::check::PlannedCheck;
use crate::contract::{ClauseId, TextRange};
use crate::input::{self, InputError};
use crate::nearest::{self, most_like};
use crate::property::{PROPERTIES, Property};
use crate::report::{EvaluatedCheck, KnownBreach, Report};
use crate::runner::{planned_with_texts, property_case};
use crate::scenario::{FormatFault, Library, shown_in_file};

/// The longest file that is read, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// The file of known breaches.
#[derive(Clone, Debug, Default)]
pub struct KnownFile {
    /// The path, for messages.
    pub path: String,
    /// Its entries, in order.
    pub entries: Vec<Entry>,
}

/// A known breach.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The line on which it begins.
    pub line: usize,
    /// The pattern of its checks.
    pub check: String,
    /// The clause that they break.
    pub clause: ClauseId,
    /// Why, and until when.
    pub known: KnownBreach,
    /// The ids of all checks that it names, also of those that a run does not play, with the contract texts that ask for
    /// each.
    pub named: BTreeMap<String, TextRange>,
    matcher: GlobMatcher,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    breach: Vec<Spanned<WrittenEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    check: Spanned<String>,
    clause: Spanned<String>,
    reason: Spanned<String>,
    link: Option<String>,
    expires: Option<Spanned<toml::Value>>,
}

impl Entry {
    /// Returns whether the entry names a check of a report.
    #[must_use]
    pub fn fits(&self, check: &EvaluatedCheck) -> bool {
        self.names(&check.evaluation.check)
    }

    fn names(&self, check: &PlannedCheck) -> bool {
        check.clause == self.clause && self.matcher.is_match(&check.id)
    }

    /// Returns whether the entry holds no more on a day.
    #[must_use]
    pub fn has_expired(&self, today: Date) -> bool {
        self.known.expires.is_some_and(|date| date < today)
    }
}

impl KnownFile {
    /// Reads a file. Its patterns have to fit checks of the suite, of these scenarios or of the report.
    pub fn read(path: &Path, library: &Library, report: Option<&Report>) -> Result<Self, KnownError> {
        let text = input::read_text(path, BYTES_MAX)?;
        let shown = path.display().to_string();
        let mut checks = checks(library);
        let ids: BTreeSet<String> = checks.iter().map(|(check, _)| check.id.clone()).collect();
        // Checks that the report alone has were played, whatever text asks for them.
        let reported = report.iter().flat_map(|report| &report.checks).map(|check| &check.evaluation.check);
        let reported = reported.filter(|check| !ids.contains(&check.id));
        checks.extend(reported.map(|check| (check.clone(), TextRange::default())));
        Self::parse(&text, &shown, &checks)
    }

    /// Parses a file. The error is rendered for a person.
    pub(super) fn parse(
        text: &str,
        path: &str,
        checks: &[(PlannedCheck, TextRange)],
    ) -> Result<Self, KnownError> {
        let written: Written =
            toml::from_str(text).map_err(|error| KnownError::Invalid(shown_in_file(&error, path, text)))?;
        let mut entries = Vec::new();
        for written in written.breach {
            let (of_check, of_clause) = (written.get_ref().check.span(), written.get_ref().clause.span());
            let invalid = |fault: FormatFault| KnownError::Invalid(fault.render(path, text));
            let entry = entry(written, text, checks).map_err(invalid)?;
            fits_something(&entry, of_check, of_clause, checks)
                .map_err(|fault| KnownError::Unmatched(fault.render(path, text)))?;
            entries.push(entry);
        }
        Ok(Self { path: path.to_owned(), entries })
    }
}

/// An error of a file of known breaches.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// The file cannot be read.
    #[error("known breaches {0}")]
    Input(#[from] InputError),
    /// The file is invalid.
    #[error("{0}")]
    Invalid(String),
    /// An entry names no check.
    #[error("{0}")]
    Unmatched(String),
}

fn entry(
    written: Spanned<WrittenEntry>,
    text: &str,
    checks: &[(PlannedCheck, TextRange)],
) -> Result<Entry, FormatFault> {
    let start = written.span().start;
    let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
    let WrittenEntry { check, clause, reason, link, expires } = written.into_inner();
    if reason.get_ref().trim().is_empty() {
        return Err(FormatFault::new("the reason is empty: write why the breach is accepted", reason.span()));
    }
    let pattern = Glob::new(check.get_ref()).map_err(|error| {
        let what = format!("not a glob pattern, such as '07-*/**': {}", error.kind());
        FormatFault::new(what, check.span())
    })?;
    let known = KnownBreach { reason: reason.into_inner(), link, expires: expires.map(date).transpose()? };
    let id = self::clause(&clause)?;
    let (named, matcher) = (BTreeMap::new(), pattern.compile_matcher());
    let mut found = Entry { line, check: check.into_inner(), clause: id, known, named, matcher };
    let named = checks.iter().filter(|(check, _)| found.names(check));
    found.named = named.map(|(check, texts)| (check.id.clone(), *texts)).collect();
    Ok(found)
}

/// Refuses an entry that can name no check: it is mostly misspelt.
fn fits_something(
    entry: &Entry,
    of_check: Range<usize>,
    of_clause: Range<usize>,
    checks: &[(PlannedCheck, TextRange)],
) -> Result<(), FormatFault> {
    let checks = || checks.iter().map(|(check, _)| check);
    let of_pattern: Vec<&PlannedCheck> = checks().filter(|check| entry.matcher.is_match(&check.id)).collect();
    if of_pattern.is_empty() {
        let mut fault = FormatFault::new(format!("no check is called {:?}", entry.check), of_check);
        let near = most_like(&entry.check, checks().map(|check| check.id.as_str()));
        fault.hint = near.first().map(|near| format!("did you mean `{near}`?"));
        return Err(fault);
    }
    if of_pattern.iter().any(|check| entry.names(check)) {
        return Ok(());
    }
    let mut clauses: Vec<String> = of_pattern.iter().map(|check| check.clause.to_string()).collect();
    clauses.sort();
    clauses.dedup();
    let what = format!(
        "no check that fits {:?} is about {}; they are about {}",
        entry.check,
        entry.clause,
        clauses.join(", ")
    );
    Err(FormatFault::new(what, of_clause))
}

fn clause(written: &Spanned<String>) -> Result<ClauseId, FormatFault> {
    let text = written.get_ref();
    nearest::clause(text).map_err(|names| {
        FormatFault::new(format!("no clause is called {text:?}"), written.span())
            .nearest(text, names.iter().map(String::as_str))
    })
}

/// Reads a date, with or without quotes.
fn date(written: Spanned<toml::Value>) -> Result<Date, FormatFault> {
    let span = written.span();
    let text = match written.into_inner() {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    text.parse()
        .map_err(|_| FormatFault::new(format!("{text}: a date was expected, such as 2026-12-31"), span))
}

/// Returns every check that a run of these scenarios, or of the suite, can have: one file may serve both.
fn checks(library: &Library) -> Vec<(PlannedCheck, TextRange)> {
    let properties = PROPERTIES.iter().map(Property::trace).filter_map(|trace| property_case(&trace));
    let built_in = crate::runner::library(None).ok();
    let built_in = built_in.iter().flat_map(Library::iter);
    let built_in = built_in.filter(|loaded| library.scenario(&loaded.id).is_none());
    let of_scenarios = library.iter().chain(built_in).cloned().chain(properties);
    of_scenarios
        .flat_map(|loaded| {
            let is_handshake = loaded.scenario.stage == Some(Stage::Handshake);
            let again = is_handshake.then(|| planned_with_texts(&format!("{} again", loaded.id), &loaded));
            let first = planned_with_texts(&loaded.id, &loaded).into_iter();
            first.chain(again.into_iter().flatten()).collect::<Vec<_>>()
        })
        .collect()
}
